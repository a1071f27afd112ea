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
