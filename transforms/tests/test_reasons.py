"""Each reason code is produced by a document, and stands in the README's table as it stands in the code."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from stampli_infor_transforms.policy import GlString
from stampli_infor_transforms.reasons import REASONS, Reason, reason
from stampli_infor_transforms.reference import Supplier

if TYPE_CHECKING:
    from collections.abc import Callable

    from stampli_infor_transforms.documents import Mapping

    from .conftest import Records, World

    Case = Callable[[World, Records], Mapping]

README = Path(__file__).parents[1] / "README.md"
COMPANIES = ("stampli_company,cono,divi,bank_bsid", "Acme,100,AAA,")
DIMENSIONS = "cono,divi,dimension,stampli_code,ait,value"
SUPPLIERS = "cono,stampli_vendor_id,suno,payee"


def _head(**changes: Any) -> Case:
    return lambda world, records: world.invoice(records.invoice(**changes))


def _line(**changes: Any) -> Case:
    return lambda world, records: world.invoice(records.invoice(lines=[records.line(**changes)]))


def _pay(**changes: Any) -> Case:
    bank = ("cono,divi,stampli_bank_account,bsid", "100,,Main,BANK1")
    return lambda world, records: world.table("banks", *bank).payment(records.payment(**changes))


NO_TAX_CODE = {"vendor_external_id": "Y2002", "vendor_name": None}

CASES: list[tuple[str, str, Case]] = [
    (
        "unknown_company",
        "company",
        lambda w, r: w.table("companies", *COMPANIES).invoice(r.invoice(company="Other")),
    ),
    ("unknown_company", "company", lambda w, r: w.having(cono=None).invoice(r.invoice())),
    ("unknown_company", "company", lambda w, r: w.having(cono=200).invoice(r.invoice())),
    ("unknown_division", "company", lambda w, r: w.having(divi="ZZZ").invoice(r.invoice())),
    ("unknown_division", "company", lambda w, r: w.having(divi="").invoice(r.invoice())),
    ("vendor_missing", "supplier", _head(vendor_id=None, vendor_external_id=None, vendor_name=None)),
    ("supplier_not_found", "supplier", _head(vendor_external_id="Y999")),
    ("supplier_not_found", "supplier", _head(vendor_external_id=None, vendor_name="Nobody")),
    (
        "supplier_not_found",
        "supplier",
        lambda w, r: w.table("suppliers", SUPPLIERS, "100,V100,Y999,").invoice(r.invoice()),
    ),
    ("supplier_ambiguous", "supplier", _head(vendor_external_id=None, vendor_name="Twin, Inc.")),
    ("supplier_ambiguous", "supplier", _head(vendor_external_id="SHARED")),
    ("supplier_blocked", "supplier", _head(vendor_external_id="Y2003")),
    ("supplier_preliminary", "supplier", _head(vendor_external_id="Y2004")),
    ("supplier_currency_differs", "currency", _head(currency="USD")),
    ("payee_not_found", "payee", _head(vendor_external_id="Y2007")),
    (
        "supplier_blocked",
        "payee",
        lambda w, r: w.table("suppliers", SUPPLIERS, "100,V100,Y2001,Y2003").invoice(r.invoice()),
    ),
    (
        "name_match_unconfirmed",
        "supplier",
        lambda w, r: w.having(name_needs_confirmation=True).invoice(r.invoice(vendor_external_id=None)),
    ),
    ("gl_account_missing", "lines.1.gl_account", _line(gl_account=None)),
    ("gl_account_not_found", "lines.1.ait1", _line(gl_account="9999")),
    ("gl_account_not_found", "lines.1.ait1", _line(gl_account="6500")),
    ("gl_account_blocked", "lines.1.ait1", _line(gl_account="6300")),
    ("gl_account_blocked", "lines.1.ait1", _line(gl_account="6400")),
    (
        "gl_string_mismatch",
        "lines.1.gl_account",
        lambda w, r: w.having(gl_string=GlString("-", ("ait1", "ait3"))).invoice(
            r.invoice(lines=[r.line(gl_account="6100-CC10-X")])
        ),
    ),
    ("dimension_not_mapped", "lines.1.department", _line(department="D1")),
    (
        "dimension_conflict",
        "lines.1.cost_center",
        lambda w, r: w.having(dimensions={"department": "ait3", "cost_center": "ait3"}).invoice(
            r.invoice(lines=[r.line(department="CC10", cost_center="CC11")])
        ),
    ),
    ("dimension_not_found", "lines.1.ait3", _line(cost_center="CC99")),
    ("dimension_blocked", "lines.1.ait3", _line(cost_center="CC30")),
    ("dimension_not_valid_on_date", "lines.1.ait3", _line(cost_center="CC20")),
    ("dimension_required", "lines.1.ait3", _line(gl_account="6200")),
    (
        "tax_code_missing",
        "lines.1.tax_code",
        lambda w, r: w.invoice(r.invoice(**NO_TAX_CODE, lines=[r.line(tax_code=None)])),
    ),
    (
        "tax_code_missing",
        "tax_amount",
        lambda w, r: w.invoice(
            r.invoice(
                lines=[
                    r.line(amount=50, tax_amount=None, tax_code="1"),
                    r.line(line_number="2", amount=50, tax_amount=None, tax_code="7"),
                ]
            )
        ),
    ),
    ("tax_code_not_found", "lines.1.tax_code", _line(tax_code="99")),
    ("unbalanced", "total_amount", _head(total_amount=Decimal("121.01"))),
    ("unbalanced", "tax_amount", _head(tax_amount=Decimal("20.00"))),
    ("contradicting_signs", "total_amount", _head(total_amount=Decimal("-121.00"))),
    (
        "contradicting_signs",
        "total_amount",
        lambda w, r: w.invoice(
            r.invoice(invoice_type="CREDIT_MEMO", lines=[r.line(amount=-100, tax_amount=-21)], tax_amount=-21)
        ),
    ),
    ("excess_decimals", "lines.1.amount", _line(amount=Decimal("100.001"))),
    ("excess_decimals", "total_amount", _head(currency="JPY", total_amount=Decimal("121.50"))),
    ("currency_unknown", "currency", _head(currency="EURO")),
    ("number_missing", "invoice_number", _head(invoice_number=" ")),
    ("number_missing", "reference", _pay(payment_id=None, reference=None)),
    ("number_too_long", "invoice_number", _head(invoice_number="X" * 25)),
    ("date_missing", "invoice_date", _head(invoice_date=None)),
    ("date_missing", "payment_date", _pay(payment_date=None)),
    ("date_implausible", "invoice_date", _head(invoice_date="2062-01-15")),
    ("currency_missing", "currency", _head(currency=None)),
    ("amount_missing", "total_amount", _head(total_amount=None)),
    ("amount_missing", "lines.1.amount", _line(amount=None)),
    ("amount_missing", "payment_amount", _pay(payment_amount=None)),
    ("amount_missing", "applications.1.amount", _pay(applications=[{"invoice_number": "INV-7"}])),
    ("code_too_long", "po_number", _head(po_number="PO123456789")),
    ("code_too_long", "lines.1.ait1", _line(gl_account="61000000000")),
    ("code_too_long", "reference", _pay(reference="R" * 28)),
    ("code_mangled", "lines.1.ait1", _line(gl_account="1.23E+05")),
    ("code_mangled", "supplier", _head(vendor_external_id="1,23E+05")),
    (
        "period_closed",
        "posting_date",
        lambda w, r: w.open(closed_until=date(2026, 1, 31)).invoice(r.invoice()),
    ),
    (
        "period_not_open",
        "posting_date",
        lambda w, r: w.open(open_until=date(2026, 1, 30)).invoice(r.invoice()),
    ),
    (
        "period_closed",
        "payment_date",
        lambda w, r: w.open(closed_until=date(2026, 2, 28)).payment(r.payment()),
    ),
    (
        "po_invoice",
        "po_number",
        lambda w, r: w.having(po_invoices="review").invoice(r.invoice(po_number="PO1")),
    ),
    (
        "po_invoice",
        "po_number",
        lambda w, r: w.having(po_invoices="review").invoice(r.invoice(lines=[r.line(po_number="PO1")])),
    ),
    ("code_too_long", "lines.1.po_number", _line(po_number="PO123456789")),
    ("code_too_long", "lines.1.po_line", _line(po_line="1000")),
    (
        "supplier_tax_number_differs",
        "supplier",
        lambda w, r: replace(w, suppliers=(Supplier("Y1", "Example Ltd", tax_number="GB123"),)).invoice(
            r.invoice(vendor_external_id=None, vendor_tax_id="GB124")
        ),
    ),
    ("no_lines", "lines", _head(lines=[])),
    (
        "line_company_differs",
        "lines.1.company",
        lambda w, r: w.table("companies", *COMPANIES, "Other,200,AAA,").invoice(
            r.invoice(company="Acme", lines=[r.line(company="Other")])
        ),
    ),
    (
        "unknown_company",
        "lines.1.company",
        lambda w, r: w.table("companies", *COMPANIES).invoice(
            r.invoice(company="Acme", lines=[r.line(company="Other")])
        ),
    ),
    ("allocation_not_found", "lines.1.allocation", _line(allocation="HALVES")),
    ("malformed_document", "lines", _head(lines="six")),
    ("malformed_document", "", lambda w, _: w.invoice([1, 2])),
    ("malformed_document", "total_amount", _head(total_amount=121.0)),
    ("malformed_document", "lines.1.amount", _line(amount=True)),
    ("malformed_document", "invoice_type", _head(invoice_type="PROFORMA")),
    ("malformed_document", "due_date", _head(due_date="14/02/2026")),
    ("not_approved", "status", _head(status="Pending")),
    ("not_paid", "status", _pay(status="Scheduled")),
    ("payment_not_fully_applied", "payment_amount", _pay(payment_amount=Decimal("121.01"))),
    ("payment_without_invoices", "applications", _pay(applications=[])),
    ("payment_amount_not_positive", "payment_amount", _pay(payment_amount=Decimal(0))),
    ("bank_not_set_up", "bank_account", lambda w, r: w.payment(r.payment())),
]


@pytest.mark.parametrize(("code", "field", "case"), CASES, ids=[each[0] for each in CASES])
def test_document_is_held(code: str, field: str, case: Case, world: World, records: Records) -> None:
    mapping = case(world, records)
    found = [each for each in mapping.reasons if (each.code, each.field) == (code, field)]
    assert len(found) == 1, mapping.reasons
    assert found[0].releasable == REASONS[code].releasable
    assert found[0].text.endswith(".")
    assert re.search(
        r"Add |Enter |Correct |Set |Check |Use |Split |Code |Approve |Unblock |Wait |book |Shorten |Give "
        r"|Say |Change |Choose |Let |set |Only ",
        found[0].text,
    ), f"does not say what to do: {found[0].text}"


def test_every_reason_of_this_room_has_a_case() -> None:
    own = {kind.code for kind in REASONS.values() if kind.raised_by == "transforms"}
    assert {code for code, _, _ in CASES} == own


def test_readme_table_is_the_table() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (\w+) \| (yes|no) \| (\w+) \| (.+) \|$",
        README.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert rows == [
        (kind.code, kind.group, "yes" if kind.releasable else "no", kind.raised_by, kind.help)
        for kind in REASONS.values()
    ]


def test_reason_travels_as_json() -> None:
    made = reason(
        "near_duplicate", "number", "Looks like INV-7. Compare, then release.", suggestions=("INV-7",)
    )
    assert Reason.from_json(made.to_json()) == made
    assert made.releasable


def test_all_reasons_come_at_once(world: World, records: Records) -> None:
    mapping = world.table("companies", *COMPANIES, "Other,200,AAA,").invoice(
        records.invoice(
            company="Acme",
            vendor_external_id="Y999",
            invoice_number="X" * 25,
            invoice_date=None,
            total_amount=None,
            status="Draft",
            lines=[
                records.line(gl_account="6300"),
                records.line(line_number="2", gl_account=None, department="D1", company="Other"),
            ],
        )
    )
    assert {each.code for each in mapping.reasons} == {
        "supplier_not_found",
        "number_too_long",
        "date_missing",
        "amount_missing",
        "not_approved",
        "gl_account_blocked",
        "gl_account_missing",
        "dimension_not_mapped",
        "line_company_differs",
    }
    assert mapping.document is None


def test_missing_value_is_not_reported_twice(world: World, records: Records) -> None:
    mapping = world.invoice(records.invoice(vendor_external_id="Y999", total_amount=None))
    assert [each.code for each in mapping.reasons] == ["supplier_not_found", "amount_missing"]


def test_nothing_is_said_that_rests_on_a_missing_company_or_supplier(world: World, records: Records) -> None:
    lines = [records.line(tax_code=None, department="D1", allocation="HALVES")]
    mapping = world.having(cono=None).invoice(records.invoice(lines=lines))
    assert [each.code for each in mapping.reasons] == ["unknown_company"]
    mapping = world.invoice(records.invoice(vendor_external_id="Y999", lines=[records.line(tax_code=None)]))
    assert [each.code for each in mapping.reasons] == ["supplier_not_found"]


def test_text_and_suggestions_for_an_external_id_that_m3_lacks(world: World, records: Records) -> None:
    mapping = world.invoice(records.invoice(vendor_external_id="Y999", vendor_name="Exampel Limited"))
    found = mapping.reasons[0]
    assert found.text == (
        "Vendor V100 (Exampel Limited) has external id Y999, which M3 company 100 does not have. "
        "Add a row to suppliers.csv or create the supplier in M3."
    )
    assert found.suggestions[0] == "Y2001 Example Limited (90 %; exampel / example)"
    assert len(found.suggestions) <= 3


def test_suggested_account(world: World, records: Records) -> None:
    mapping = world.invoice(records.invoice(lines=[records.line(gl_account="6110")]))
    assert mapping.reasons[0].suggestions[0] == "6100 Travel (75 %)"


def test_status_unknown_is_no_reason(world: World, records: Records) -> None:
    assert world.invoice(records.invoice(vendor_external_id="Y2008")).reasons == ()


def test_blocked_supplier_among_twins_does_not_make_the_name_ambiguous(
    world: World, records: Records
) -> None:
    first, *rest = (each for each in world.suppliers if each.suno != "Y2005")
    blocked = next(each for each in world.suppliers if each.suno == "Y2005")
    changed = replace(world, suppliers=(first, *rest, replace(blocked, status="90")))
    mapping = changed.invoice(records.invoice(vendor_external_id=None, vendor_name="TWIN INC"))
    assert mapping.reasons == ()
    assert mapping.document is not None
    assert mapping.document.supplier == "Y2006"
