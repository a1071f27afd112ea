from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from stampli_infor_transforms.documents import AccountingInvoice, AccountingLine
from stampli_infor_transforms.mapping import check_invoice
from stampli_infor_transforms.policy import GlString

if TYPE_CHECKING:
    from stampli_infor_transforms.documents import Mapping

    from .conftest import Records, World

GL = "cono,divi,stampli_gl_account,ait1,ait2,ait3,ait4,ait5,ait6,ait7,allocation"
SHARES = "cono,divi,allocation,share_percent,ait1,ait2,ait3,ait4,ait5,ait6,ait7"
DIMENSIONS = "cono,divi,dimension,stampli_code,ait,value"
SUPPLIERS = "cono,stampli_vendor_id,suno,payee"
COMPANIES = "stampli_company,cono,divi,bank_bsid"


def _invoice(mapping: Mapping) -> AccountingInvoice:
    assert mapping.reasons == ()
    assert isinstance(mapping.document, AccountingInvoice)
    return mapping.document


def _line(mapping: Mapping) -> AccountingLine:
    (line,) = _invoice(mapping).lines
    return line


def test_whole_invoice(world: World, records: Records) -> None:
    document = _invoice(world.having(payment_method="STA").invoice(records.invoice(po_number="PO1")))
    line = AccountingLine(
        kind="expense",
        amount=Decimal("100.00"),
        tax=Decimal("21.00"),
        tax_code="1",
        ait=("6100", "", "", "", "", "", ""),
        text="Flight",
        source_line="1",
        trace=("ait1=6100 as sent", "tax_code=1 as sent"),
    )
    assert document == AccountingInvoice(
        cono=100,
        divi="AAA",
        supplier="Y2001",
        payee="Y2001",
        number="INV-7",
        kind="INVOICE",
        currency="EUR",
        total=Decimal("121.00"),
        tax_total=Decimal("21.00"),
        invoice_date=date(2026, 1, 15),
        due_date=date(2026, 2, 14),
        accounting_date=date(2026, 1, 31),
        terms="",
        payment_method="STA",
        po_number="PO1",
        company="",
        source_key='["invoice","","id","I-1"]',
        lines=(line,),
    )
    assert document.m3_key == '["100","AAA","Y2001","Y2001","INV-7","INVOICE"]'
    assert document.folded_key == '["100","Y2001","1NV7"]'
    assert AccountingInvoice.from_json(document.to_json()) == document


@pytest.mark.parametrize(
    ("changes", "supplier", "payee"),
    [
        ({}, "Y2001", "Y2001"),
        ({"vendor_external_id": "y2001"}, "Y2001", "Y2001"),
        ({"vendor_external_id": "EXT-2"}, "Y2002", "Y2001"),
        ({"vendor_external_id": None}, "Y2001", "Y2001"),
        ({"vendor_external_id": None, "vendor_name": "MULLER G.m.b.H."}, "Y2002", "Y2001"),
        ({"vendor_id": "MAPPED"}, "Y2008", "Y2002"),
    ],
)
def test_supplier(world: World, records: Records, changes: dict[str, Any], supplier: str, payee: str) -> None:
    document = _invoice(
        world.table("suppliers", SUPPLIERS, "100,MAPPED,Y2008,Y2002").invoice(records.invoice(**changes))
    )
    assert (document.supplier, document.payee) == (supplier, payee)


def test_order_of_supplier_match(world: World, records: Records) -> None:
    invoice = records.invoice(vendor_id="MAPPED")
    mapped = world.table("suppliers", SUPPLIERS, "100,MAPPED,Y2008,")
    assert (
        _invoice(mapped.having(supplier_match=("external_id", "crosswalk")).invoice(invoice)).supplier
        == "Y2001"
    )
    assert _invoice(mapped.having(supplier_match=("name",)).invoice(invoice)).supplier == "Y2001"


def test_name_never_answers_for_an_external_id_that_m3_lacks(world: World, records: Records) -> None:
    first = world.having(supplier_match=("name", "external_id"))
    held = first.invoice(records.invoice(vendor_external_id="Y999"))
    assert [each.code for each in held.reasons] == ["supplier_not_found"]
    assert _invoice(first.invoice(records.invoice(vendor_external_id=None))).supplier == "Y2001"


@pytest.mark.parametrize(
    ("day", "held"),
    [("2024-12-31", True), ("2025-01-01", False), ("2025-12-31", False), ("2026-01-01", True)],
)
def test_validity_includes_its_first_and_last_day(
    world: World, records: Records, day: str, *, held: bool
) -> None:
    mapping = world.invoice(records.invoice(posting_date=day, lines=[records.line(cost_center="CC20")]))
    assert [each.code for each in mapping.reasons] == ["dimension_not_valid_on_date"] * held


def test_only_division_needs_no_name(world: World, records: Records) -> None:
    company = replace(world, divisions=("", "CCC")).having(divi="")
    assert _invoice(company.invoice(records.invoice())).divi == "CCC"


def test_legal_forms_are_never_stripped(world: World, records: Records) -> None:
    held = world.invoice(records.invoice(vendor_external_id=None, vendor_name="Example Inc"))
    assert [each.code for each in held.reasons] == ["supplier_not_found"]


def test_settings_company_speaks_only_where_it_may(world: World, records: Records) -> None:
    table = world.table("companies", COMPANIES, "Acme,100,BBB,")
    assert _invoice(table.invoice(records.invoice(company="ACME"))).divi == "BBB"
    assert _invoice(table.invoice(records.invoice(company=None))).divi == "AAA"
    assert _invoice(world.invoice(records.invoice(company="Any"))).divi == "AAA"


def test_line_of_the_same_m3_company(world: World, records: Records) -> None:
    table = world.table("companies", COMPANIES, "Acme,100,AAA,", "Acme West,100,AAA,")
    _invoice(table.invoice(records.invoice(company="Acme", lines=[records.line(company="Acme West")])))


@pytest.mark.parametrize(
    ("line", "ait", "trace"),
    [
        ({"gl_account": "travel"}, ("6100", "PLANT1", "CC10"), ("ait1=6100 gl_accounts.csv:2",)),
        (
            {"gl_account": "travel", "cost_center": "CC11"},
            ("6100", "PLANT1", "CC10"),
            ("ait3=CC10 dimensions.csv:3",),
        ),
        ({"cost_center": "CC10"}, ("6100", "", "CC10"), ("ait3=CC10 setting dimensions.cost_center",)),
        ({"department": "D1"}, ("6100", "PLANT1", ""), ("ait2=PLANT1 dimensions.csv:2",)),
        ({"location": "ANY"}, ("6100", "", ""), ()),
        ({"gl_account": "6100-CC10"}, ("6100", "", "CC10"), ("ait3=CC10 setting gl_string",)),
        ({"gl_account": "6100-"}, ("6100", "", ""), ("ait1=6100 setting gl_string",)),
    ],
)
def test_coding(
    world: World, records: Records, line: dict[str, Any], ait: tuple[str, ...], trace: tuple[str, ...]
) -> None:
    coded = world.having(
        gl_string=GlString("-", ("ait1", "ait3")), dimensions={"cost_center": "ait3", "location": "none"}
    )
    coded = coded.table("gl_accounts", GL, "100,,travel,6100,PLANT1,CC10,,,,,", "100,BBB,travel,6500,,,,,,,")
    coded = coded.table(
        "dimensions", DIMENSIONS, "100,,department,D1,ait2,PLANT1", "100,,cost_center,CC11,ait3,CC10"
    )
    found = _line(coded.invoice(records.invoice(lines=[records.line(**line)])))
    assert found.ait[:3] == ait
    assert set(trace) <= set(found.trace)


def test_division_row_of_an_account_wins(world: World, records: Records) -> None:
    coded = world.having(divi="BBB").table("gl_accounts", GL, "100,,x,6100,,,,,,,", "100,BBB,x,6500,,,,,,,")
    assert _line(coded.invoice(records.invoice(lines=[records.line(gl_account="x")]))).ait[0] == "6500"


@pytest.mark.parametrize("by_row", [True, False])
def test_allocation_splits_to_the_cent(world: World, records: Records, *, by_row: bool) -> None:
    shares = [f"100,,THIRDS,{percent},,,{code},,,," for percent, code in (("33.33", "CC10"), ("66.67", ""))]
    split = world.table("allocations", SHARES, *shares)
    split = split.table("gl_accounts", GL, f"100,,x,6100,PLANT1,,,,,,{'THIRDS' if by_row else ''}")
    line = records.line(
        gl_account="x", allocation=None if by_row else "thirds", amount=Decimal("0.05"), tax_amount="0.01"
    )
    document = _invoice(split.invoice(records.invoice(lines=[line], total_amount="0.06", tax_amount=None)))
    assert [(each.amount, each.tax, each.ait[:3]) for each in document.lines] == [
        (Decimal("0.02"), Decimal("0.00"), ("6100", "PLANT1", "CC10")),
        (Decimal("0.03"), Decimal("0.01"), ("6100", "PLANT1", "")),
    ]
    assert document.lines[0].trace[-1] == "share=33.33 % of 0.05 allocations.csv:2"


@pytest.mark.parametrize(
    ("kind", "sign"), [("CREDIT_MEMO", 1), ("CREDIT_MEMO", -1), ("INVOICE", -1), (None, -1)]
)
def test_credits_are_negative(world: World, records: Records, kind: str | None, sign: int) -> None:
    record = records.invoice(
        invoice_type=kind,
        total_amount=121 * sign,
        tax_amount=21 * sign,
        lines=[records.line(amount=100 * sign, tax_amount=21 * sign)],
    )
    document = _invoice(world.invoice(record))
    assert document.kind == "CREDIT_MEMO"
    assert (document.total, document.tax_total) == (Decimal(-121), Decimal(-21))
    assert (document.lines[0].amount, document.lines[0].tax) == (Decimal(-100), Decimal(-21))


def test_long_text_is_cut_and_a_line_of_nothing_left_out(world: World, records: Records) -> None:
    lines = [
        records.line(description="x" * 41),
        records.line(line_number="2", amount=0, tax_amount=0, gl_account=None),
    ]
    mapping = world.invoice(records.invoice(lines=lines))
    assert _line(mapping).text == "x" * 40
    assert mapping.notes == (
        "Line 2 has the amount 0 and is not sent to M3.",
        f"Line 1: the text was cut to '{'x' * 40}' (M3 takes 40).",
    )


@pytest.mark.parametrize(
    ("policy", "posting", "expected"),
    [
        ("posting", "2026-01-31", date(2026, 1, 31)),
        ("posting", None, date(2026, 1, 15)),
        ("invoice", "2026-01-31", date(2026, 1, 15)),
        ("today", "2026-01-31", date(2026, 3, 1)),
    ],
)
def test_accounting_date(
    world: World, records: Records, policy: str, posting: str | None, expected: date
) -> None:
    mapping = world.having(accounting_date=policy).invoice(records.invoice(posting_date=posting))
    assert _invoice(mapping).accounting_date == expected


def test_terms(world: World, records: Records) -> None:
    table = world.table("payment_terms", "cono,stampli_terms,tepy", "100,Net 30,30D")
    assert _invoice(table.invoice(records.invoice(payment_terms="net 30"))).terms == "30D"
    other = table.invoice(records.invoice(payment_terms="Net 60"))
    assert _invoice(other).terms == ""
    assert other.notes == (
        "Payment terms 'Net 60' have no row in payment_terms.csv: M3 takes the supplier's.",
    )


def test_currency_without_decimals(world: World, records: Records) -> None:
    changed = replace(world, suppliers=tuple(replace(each, currency="") for each in world.suppliers))
    assert _invoice(changed.invoice(records.invoice(currency="jpy"))).currency == "JPY"


def test_check_of_a_document_mapped_elsewhere(world: World, records: Records) -> None:
    good = _invoice(world.invoice(records.invoice()))
    line = good.lines[0]
    bad = replace(
        good,
        supplier="",
        payee="",
        terms="LONG",
        lines=(replace(line, ait=("6100",)), replace(line, tax_code="", text="x" * 41)),
    )
    found = {
        (each.code, each.field)
        for each in check_invoice(bad, reference=world.reference, today=date(2026, 3, 1))
    }
    assert found == {
        ("supplier_not_found", "supplier"),
        ("code_too_long", "terms"),
        ("unbalanced", "total_amount"),
        ("unbalanced", "tax_amount"),
        ("malformed_document", "lines.1.ait"),
        ("code_too_long", "lines.1.text"),
        ("tax_code_missing", "lines.1.tax_code"),
    }


def test_purchase_orders_are_carried(world: World, records: Records) -> None:
    record = records.invoice(po_number="PO1", lines=[records.line(po_number="PO2", po_line="10")])
    document = _invoice(world.invoice(record))
    assert document.po_number == "PO1"
    assert (document.lines[0].po_number, document.lines[0].po_line) == ("PO2", "10")
    assert AccountingInvoice.from_json(document.to_json()) == document


def test_open_periods_say_nothing(world: World, records: Records) -> None:
    periods = {"closed_until": date(2026, 1, 30), "open_until": date(2026, 1, 31)}
    assert world.open(**periods).invoice(records.invoice()).reasons == ()


@pytest.mark.parametrize(
    "name",
    [
        "\u7532\u4e59\u6709\u9650\u516c\u53f8",
        "\u0428\u043c\u0438\u0434\u0442",
        "\x00\x1b[31m",
        "a" * 10_000,
        "\U0001f600",
        "\u202e",
    ],
)
def test_any_name_is_carried_or_shown_short(name: str, world: World, records: Records) -> None:
    record = records.invoice(
        vendor_external_id=None,
        vendor_id=None,
        vendor_name=name,
        memo=name,
        lines=[records.line(description=name)],
    )
    mapping = world.invoice(record)
    assert [each.code for each in mapping.reasons] in (["supplier_not_found"], ["vendor_missing"])
    assert all(len(each.text) < 500 for each in mapping.reasons)
    assert isinstance(mapping.document, AccountingInvoice)
    assert len(mapping.document.lines[0].text) <= 40
    assert bool(mapping.notes) == (len(name) > 40)


def test_lost_zeros_are_said(world: World, records: Records) -> None:
    mapping = world.invoice(records.invoice(lines=[records.line(gl_account="006100")]))
    assert "M3 has 6100, which differs in leading zeros alone" in mapping.reasons[0].text
    assert mapping.reasons[0].suggestions[0] == "6100 Travel (100 %)"
    supplier = replace(world, suppliers=(replace(world.suppliers[0], suno="00042"),))
    text = supplier.invoice(records.invoice(vendor_external_id="42")).reasons[0].text
    assert "M3 has 00042, which differs in leading zeros alone" in text
