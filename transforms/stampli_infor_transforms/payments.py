"""From a Stampli payment to an accounting payment, or to every reason why not."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.checks import check_payment
from stampli_infor_transforms.companies import find_place
from stampli_infor_transforms.documents import AccountingPayment, AppliedInvoice, Mapping
from stampli_infor_transforms.findings import Fields, Findings, is_record
from stampli_infor_transforms.hints import NO_HINTS
from stampli_infor_transforms.identity import is_paid, source_key
from stampli_infor_transforms.invoices import key_of, vendor_of
from stampli_infor_transforms.suppliers import Party, find_supplier

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingABC
    from datetime import date

    from stampli_infor_transforms.companies import Place
    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.hints import Hints
    from stampli_infor_transforms.policy import Policy
    from stampli_infor_transforms.reference import Reference


def map_payment(  # noqa: PLR0913 - all by name
    record: MappingABC[str, Any],
    *,
    crosswalks: Crosswalks,
    reference: Reference,
    policy: Policy,
    today: date,
    hints: Hints = NO_HINTS,
) -> Mapping:
    """Return what a payment record becomes; never raises, whatever the record holds.

    Args:
        record: a record of the stream `payments`; amounts are Decimal, int or str.
        crosswalks: the tables.
        reference: M3's data.
        policy: the settings.
        today: the run's date.
        hints: what is known of vendors besides, e.g. name matches that a person confirmed.
    """
    findings = Findings()
    if not is_record(record, "payment", findings):
        return Mapping(None, findings.reasons)
    fields = Fields(record, findings)
    _status(fields, policy)
    company_text = fields.text("company")
    place, company = find_place(
        company_text, crosswalks=crosswalks, reference=reference, policy=policy, findings=findings
    )
    vendor = vendor_of(fields, company_text, hints)
    party = Party()
    if company is not None:
        party = find_supplier(
            vendor, crosswalks=crosswalks, company=company, policy=policy, findings=findings, hints=hints
        )
    amount, payment_date = fields.amount("payment_amount"), fields.date("payment_date")
    if amount is None and not findings.has_at("payment_amount"):
        findings.add(
            "amount_missing",
            "payment_amount",
            "The payment has no amount. Enter it in Stampli and export again.",
        )
    if payment_date is None and not findings.has_at("payment_date"):
        findings.add(
            "date_missing", "payment_date", "The payment has no date. Enter it in Stampli and export again."
        )
    document = AccountingPayment(
        cono=place.cono if place else 0,
        divi=place.divi if place else "",
        supplier=party.suno,
        payee=party.payee,
        bank=_bank(fields, place, crosswalks),
        currency=fields.text("currency").upper(),
        amount=amount if amount is not None else Decimal(),
        payment_date=payment_date or today,
        method=fields.text("payment_method"),
        reference=fields.text("reference"),
        company=company_text,
        source_key=key_of("payments", fields),
        applications=_applications(fields, company_text),
        payment_id=fields.text("payment_id"),
    )
    again = check_payment(document, reference=reference, today=today)
    findings.keep_new(each for each in again if not _follows(each.code, each.field, findings, place, party))
    complete = place is not None and amount is not None and payment_date is not None
    return Mapping(document if complete else None, findings.reasons, tuple(findings.notes))


def _status(fields: Fields, policy: Policy) -> None:
    if is_paid(fields.record, policy.paid_statuses):
        return
    fields.findings.add(
        "not_paid",
        "status",
        f"The payment has the status '{fields.text('status')}', which is none of: "
        f"{', '.join(policy.paid_statuses)}. "
        "Wait until Stampli has paid, or add the status to paid_statuses.",
    )


def _bank(fields: Fields, place: Place | None, crosswalks: Crosswalks) -> str:
    account = fields.text("bank_account")
    if place is None:
        return ""
    row = crosswalks.bank(place.cono, place.divi, account) if account else None
    if row is not None:
        return row.cells["bsid"]
    if account and place.bank:
        fields.findings.notes.append(
            f"Bank account '{account}' has no row in banks.csv: the company's bank {place.bank} was taken."
        )
    return place.bank


def _applications(fields: Fields, company_text: str) -> tuple[AppliedInvoice, ...]:
    found: list[AppliedInvoice] = []
    for at, part in enumerate(fields.parts("applications"), 1):
        own = Fields(part, fields.findings, f"applications.{at}.")
        amount = own.amount("amount")
        if amount is None and not fields.findings.has_at(f"applications.{at}.amount"):
            fields.findings.add(
                "amount_missing",
                f"applications.{at}.amount",
                f"Application {at} of the payment has no amount. Enter it in Stampli and export again.",
            )
        invoice_id = own.text("invoice_id")
        key = (
            source_key("invoices", {"company": company_text, "invoice_id": invoice_id}) if invoice_id else ""
        )
        found.append(
            AppliedInvoice(number=own.text("invoice_number"), source_key=key, amount=amount or Decimal())
        )
    return tuple(found)


def _follows(code: str, field: str, findings: Findings, place: Place | None, party: Party) -> bool:
    """Whether a check only repeats what was found before, on a value that stands in for a missing one."""
    if code in {"payment_not_fully_applied", "payment_amount_not_positive"}:
        return findings.has_amounts()
    if code == "payment_without_invoices":
        return findings.has_at("applications")
    if code in {"unknown_company", "bank_not_set_up"} and place is None:
        return True
    return not party.suno and field in {"supplier", "payee"}
