from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from stampli_infor_transforms.documents import AccountingInvoice

if TYPE_CHECKING:
    from stampli_infor_transforms.documents import AccountingLine, Mapping

    from .conftest import Records, World


def _invoice(mapping: Mapping) -> AccountingInvoice:
    assert mapping.reasons == ()
    assert isinstance(mapping.document, AccountingInvoice)
    return mapping.document


def _line(mapping: Mapping) -> AccountingLine:
    (line,) = _invoice(mapping).lines
    return line


@pytest.mark.parametrize(
    ("line", "code", "rule"),
    [
        ({}, "1", "tax_code=1 as sent"),
        ({"tax_code": "V21"}, "7", "tax_code=7 tax_codes.csv:2"),
        ({"tax_code": None}, "7", "tax_code=7 supplier Y2001"),
        ({"tax_code": "01"}, "01", "tax_code=01 as sent"),
    ],
)
def test_tax_code(world: World, records: Records, line: dict[str, Any], code: str, rule: str) -> None:
    taxed = world.table("tax_codes", "cono,divi,stampli_tax_code,vtcd", "100,,V21,7")
    found = _line(taxed.invoice(records.invoice(lines=[records.line(**line)])))
    assert (found.tax_code, found.trace[-1]) == (code, rule)


def test_default_tax_code_comes_before_the_suppliers(world: World, records: Records) -> None:
    found = _line(
        world.having(default_tax_code="1").invoice(records.invoice(lines=[records.line(tax_code=None)]))
    )
    assert found.tax_code == "1"


def test_no_tax_needs_no_code(world: World, records: Records) -> None:
    invoice = records.invoice(
        total_amount=100, tax_amount=None, lines=[records.line(tax_amount=None, tax_code=None)]
    )
    assert _line(world.invoice(invoice)).tax_code == ""


@pytest.mark.parametrize(("codes", "expected"), [((None, None), "7"), (("1", "1"), "1"), (("1", None), "1")])
def test_tax_in_the_header_alone(
    world: World, records: Records, codes: tuple[str | None, str | None], expected: str
) -> None:
    lines = [
        records.line(line_number=str(at), amount=50, tax_amount=None, tax_code=code)
        for at, code in enumerate(codes, 1)
    ]
    document = _invoice(world.invoice(records.invoice(lines=lines)))
    assert [(line.kind, line.amount, line.tax, line.tax_code) for line in document.lines] == [
        ("expense", Decimal(50), Decimal(0), ""),
        ("expense", Decimal(50), Decimal(0), ""),
        ("tax", Decimal(0), Decimal(21), expected),
    ]


def test_missing_header_tax_is_the_sum_of_the_lines(world: World, records: Records) -> None:
    assert _invoice(world.invoice(records.invoice(tax_amount=None))).tax_total == Decimal("21.00")


TAX_CODES = "cono,divi,stampli_tax_code,vtcd,rate_percent"
RATES = ("100,,V21,1,21", "100,,V7,7,7 %", "100,,FREE,none,0")


def _taxed(records: Records, tax: str, *lines: tuple[str, str | None]) -> dict[str, Any]:
    total = sum((Decimal(amount) for amount, _ in lines), Decimal(tax))
    return records.invoice(
        total_amount=total,
        tax_amount=tax,
        lines=[
            records.line(line_number=str(at), amount=amount, tax_amount=None, tax_code=code)
            for at, (amount, code) in enumerate(lines, 1)
        ],
    )


@pytest.mark.parametrize(
    ("tax", "lines", "expected"),
    [
        ("28.00", (("100", "V21"), ("100", "V7")), [("1", "21.00"), ("7", "7.00")]),
        ("49.00", (("100", "V21"), ("100", "V7"), ("100", "V21")), [("1", "42.00"), ("7", "7.00")]),
        ("21.00", (("100", "V21"), ("100", "FREE")), [("1", "21.00")]),
        ("28.00", (("100", "V21"), ("100", "V7"), ("100", None)), [("1", "21.00"), ("7", "7.00")]),
        ("0.29", (("1.01", "V21"), ("1.01", "V7")), [("1", "0.22"), ("7", "0.07")]),
    ],
)
def test_several_rates_in_the_header_alone(
    world: World,
    records: Records,
    tax: str,
    lines: tuple[tuple[str, str | None], ...],
    expected: list[tuple[str, str]],
) -> None:
    taxed = world.table("tax_codes", TAX_CODES, *RATES)
    document = _invoice(taxed.invoice(_taxed(records, tax, *lines)))
    found = [(line.tax_code, line.tax) for line in document.lines if line.kind == "tax"]
    assert found == [(code, Decimal(amount)) for code, amount in expected]
    assert document.tax_total == sum(line.tax for line in document.lines)


@pytest.mark.parametrize(
    ("tax", "codes", "said"),
    [("29.00", ("V21", "V7"), "the tax would be 28.00"), ("28.00", ("V21", "7"), "gives the rate of 7")],
)
def test_rates_that_do_not_make_the_tax(
    world: World, records: Records, tax: str, codes: tuple[str, str], said: str
) -> None:
    record = _taxed(records, tax, ("100", codes[0]), ("100", codes[1]))
    reasons = world.table("tax_codes", TAX_CODES, *RATES).invoice(record).reasons
    assert [each.code for each in reasons] == ["tax_code_missing"]
    assert said in reasons[0].text


def test_lines_of_nothing_but_tax_become_tax_lines_one_for_each_code(world: World, records: Records) -> None:
    lines = [
        records.line(line_number="1", amount=100, tax_amount=None, tax_code=None),
        records.line(line_number="2", amount=0, tax_amount="10.00", tax_code="1", gl_account=None),
        records.line(line_number="3", amount=0, tax_amount="4.00", tax_code="7", gl_account=None),
        records.line(line_number="4", amount=0, tax_amount="7.00", tax_code="1", gl_account=None),
    ]
    document = _invoice(world.invoice(records.invoice(lines=lines)))
    assert [(line.kind, line.amount, line.tax, line.tax_code) for line in document.lines] == [
        ("expense", Decimal(100), Decimal(0), ""),
        ("tax", Decimal(0), Decimal(17), "1"),
        ("tax", Decimal(0), Decimal(4), "7"),
    ]


def test_a_country_without_tax(world: World, records: Records) -> None:
    free = world.table("tax_codes", TAX_CODES, *RATES)
    line = records.line(tax_amount=0, tax_code="FREE")
    document = _invoice(free.invoice(records.invoice(total_amount=100, tax_amount=0, lines=[line])))
    assert [(each.tax, each.tax_code, each.trace[-1]) for each in document.lines] == [
        (Decimal(0), "", "tax_code=none tax_codes.csv:4")
    ]
    reasons = free.invoice(records.invoice(lines=[records.line(tax_code="FREE")])).reasons
    assert [each.code for each in reasons] == ["tax_code_missing"]
    assert "tax_codes.csv:4 says that tax code 'FREE' carries no M3 code" in reasons[0].text
