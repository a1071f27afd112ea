"""What an accounting document has to keep to, whatever way it came: checked against reference data alone.

The mapping stage calls these at its end; the target calls them again for documents that arrive mapped.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from stampli_infor_transforms.amount_checks import (
    check_applied,
    check_balance,
    check_decimals,
    known_currency,
)
from stampli_infor_transforms.findings import Findings
from stampli_infor_transforms.line_checks import check_line
from stampli_infor_transforms.suppliers import BLOCKED, PRELIMINARY
from stampli_infor_transforms.values import shown

if TYPE_CHECKING:
    from datetime import date

    from stampli_infor_transforms.documents import AccountingInvoice, AccountingPayment
    from stampli_infor_transforms.reasons import Reason
    from stampli_infor_transforms.reference import CompanyReference, Reference

NUMBER_LENGTH: Final = 24
_CODE_LENGTHS: Final = {"po_number": 10, "terms": 3, "payment_method": 3, "supplier": 10, "payee": 10}
_PO_LINE_LENGTH: Final = 3
_REFERENCE_LENGTH: Final = 27
_FAR_AHEAD: Final = timedelta(days=366)


def check_invoice(document: AccountingInvoice, *, reference: Reference, today: date) -> tuple[Reason, ...]:
    """Return everything for which an invoice may not be posted as it is; () when it may."""
    findings = Findings()
    company = _company(document, reference, findings)
    if company is not None:
        _parties(document, company, findings)
        _supplier_currency(document, company, findings)
        _period("posting_date", document.accounting_date, company, findings)
    _number(document.number, "invoice_number", "The invoice", findings)
    _lengths(document, findings)
    _dates(document, today, findings)
    if known_currency(document.currency, findings):
        amounts = {"total_amount": document.total, "tax_amount": document.tax_total}
        for line in document.lines:
            amounts[f"lines.{line.source_line or 'tax'}.amount"] = line.amount
            amounts[f"lines.{line.source_line or 'tax'}.tax_amount"] = line.tax
        check_decimals(amounts, document.currency, findings)
    check_balance(document, findings)
    for line in document.lines:
        check_line(line, company=company, divi=document.divi, on=document.accounting_date, findings=findings)
    return findings.reasons


def check_payment(document: AccountingPayment, *, reference: Reference, today: date) -> tuple[Reason, ...]:
    """Return everything for which a payment may not be posted as it is; () when it may."""
    findings = Findings()
    company = _company(document, reference, findings)
    if company is not None:
        _parties(document, company, findings)
        _period("payment_date", document.payment_date, company, findings)
    if not document.bank:
        findings.add(
            "bank_not_set_up",
            "bank_account",
            f"No M3 bank identity is known for the payment (company {document.cono}, division "
            f"'{document.divi}'). "
            "Add the bank account to banks.csv, or a bank_bsid to the company's row in companies.csv.",
        )
    _payment_lengths(document, findings)
    _implausible("payment_date", document.payment_date, today, findings)
    if known_currency(document.currency, findings):
        amounts = {"payment_amount": document.amount}
        amounts |= {
            f"applications.{at}.amount": each.amount for at, each in enumerate(document.applications, 1)
        }
        check_decimals(amounts, document.currency, findings)
    check_applied(document, findings)
    return findings.reasons


def _company(
    document: AccountingInvoice | AccountingPayment, reference: Reference, findings: Findings
) -> CompanyReference | None:
    company = reference.companies.get(document.cono)
    if company is None:
        known = ", ".join(str(each) for each in sorted(reference.companies)) or "none"
        findings.add(
            "unknown_company",
            "company",
            f"M3 company {document.cono} is not in the reference data (there: {known}). Check "
            "companies.csv and "
            "cono, or refresh the reference data.",
        )
        return None
    divisions = [each for each in company.company.divisions if each]
    if document.divi not in divisions and (document.divi or len(divisions) > 1):
        what = (
            f"has no division '{document.divi}'"
            if document.divi
            else "has several divisions, and none is named"
        )
        findings.add(
            "unknown_division",
            "company",
            f"M3 company {document.cono} {what}; it has {', '.join(divisions) or 'no divisions'}. "
            "Correct divi in companies.csv or in the settings.",
        )
    return company


def _parties(
    document: AccountingInvoice | AccountingPayment, company: CompanyReference, findings: Findings
) -> None:
    supplier = company.supplier(document.supplier)
    if supplier is None:
        findings.add(
            "supplier_not_found",
            "supplier",
            f"M3 company {document.cono} has no supplier '{document.supplier}'. Add a row to "
            "suppliers.csv or create "
            "the supplier in M3.",
        )
    payee = company.supplier(document.payee)
    if payee is None and document.payee:
        findings.add(
            "payee_not_found",
            "payee",
            f"M3 company {document.cono} has no supplier '{document.payee}' to pay for supplier "
            f"{document.supplier}. "
            "Correct the payee in suppliers.csv or on the M3 supplier (CRS620).",
        )
    for field, party in {"supplier": supplier, "payee": payee if payee != supplier else None}.items():
        if party is not None and party.status == BLOCKED:
            findings.add(
                "supplier_blocked",
                field,
                f"The {field} {party.suno} ({party.name}) is blocked in M3 (status 90). Unblock it in "
                "CRS620, or "
                "dismiss the document.",
            )
        elif party is not None and party.status == PRELIMINARY:
            findings.add(
                "supplier_preliminary",
                field,
                f"The {field} {party.suno} ({party.name}) is preliminary in M3 (status 10). Approve it in "
                "CRS620.",
            )


def _supplier_currency(document: AccountingInvoice, company: CompanyReference, findings: Findings) -> None:
    supplier = company.supplier(document.supplier)
    if supplier and supplier.currency and document.currency and supplier.currency != document.currency:
        findings.add(
            "supplier_currency_differs",
            "currency",
            f"The invoice is in {document.currency}, but supplier {supplier.suno} ({supplier.name}) has "
            f"{supplier.currency} in M3. Check it, then release, or correct the currency in Stampli.",
        )


def _period(field: str, day: date, company: CompanyReference, findings: Findings) -> None:
    """Add the reason for a date in a period that M3 has closed or not opened, as far as that is known."""
    periods = company.company
    what = f"The accounting date {day.isoformat()} is in a period that M3 company {periods.cono}"
    if periods.closed_until is not None and day <= periods.closed_until:
        findings.add(
            "period_closed",
            field,
            f"{what} has closed (until {periods.closed_until.isoformat()}). Change the date in "
            "Stampli, or open the "
            "period in M3.",
        )
    elif periods.open_until is not None and day > periods.open_until:
        findings.add(
            "period_not_open",
            field,
            f"{what} has not opened yet (open until {periods.open_until.isoformat()}). Wait until "
            "it is open, or "
            "change the date in Stampli.",
        )


def _number(number: str, field: str, what: str, findings: Findings) -> None:
    if not number:
        findings.add(
            "number_missing", field, f"{what} has no invoice number. Enter it in Stampli and export again."
        )
    elif len(number) > NUMBER_LENGTH:
        findings.add(
            "number_too_long",
            field,
            f"Invoice number '{shown(number)}' has {len(number)} characters; M3 takes {NUMBER_LENGTH}, and a "
            "number is "
            "never cut. Shorten it in Stampli.",
        )


def _lengths(document: AccountingInvoice, findings: Findings) -> None:
    for field, most in _CODE_LENGTHS.items():
        code = getattr(document, field)
        if len(code) > most:
            too_long(field, code, most, findings)
    for line in document.lines:
        if len(line.po_number) > _CODE_LENGTHS["po_number"]:
            too_long(
                f"lines.{line.source_line}.po_number", line.po_number, _CODE_LENGTHS["po_number"], findings
            )
        if len(line.po_line) > _PO_LINE_LENGTH:
            too_long(f"lines.{line.source_line}.po_line", line.po_line, _PO_LINE_LENGTH, findings)


def too_long(field: str, code: str, most: int, findings: Findings) -> None:
    """Add the reason for a code that M3 can't hold."""
    findings.add(
        "code_too_long",
        field,
        f"{field} '{shown(code)}' has {len(code)} characters; M3 takes {most}, and a code is never cut. "
        "Correct it in Stampli or in its crosswalk.",
    )


def _payment_lengths(document: AccountingPayment, findings: Findings) -> None:
    for field, code, most in (
        ("supplier", document.supplier, 10),
        ("payee", document.payee, 10),
        ("reference", document.reference, _REFERENCE_LENGTH),
    ):
        if len(code) > most:
            too_long(field, code, most, findings)
    for at, each in enumerate(document.applications, 1):
        _number(
            each.number, f"applications.{at}.invoice_number", f"Application {at} of the payment", findings
        )


def _dates(document: AccountingInvoice, today: date, findings: Findings) -> None:
    _implausible("invoice_date", document.invoice_date, today, findings)
    if document.accounting_date != document.invoice_date:
        _implausible("posting_date", document.accounting_date, today, findings)


def _implausible(field: str, day: date, today: date, findings: Findings) -> None:
    if day - today > _FAR_AHEAD:
        findings.add(
            "date_implausible",
            field,
            f"{field} is {day.isoformat()}, more than a year ahead of {today.isoformat()}. Check it, then "
            "release, or "
            "correct it in Stampli.",
        )
