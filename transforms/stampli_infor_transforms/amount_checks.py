"""What the amounts of an accounting document have to keep to."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from stampli_infor_transforms.money import decimals_in, decimals_of

if TYPE_CHECKING:
    from stampli_infor_transforms.documents import AccountingInvoice, AccountingPayment
    from stampli_infor_transforms.findings import Findings


def known_currency(currency: str, findings: Findings) -> bool:
    """Return whether the currency is one of ISO 4217, with a reason where not."""
    if not currency:
        findings.add(
            "currency_missing",
            "currency",
            "The document has no currency. Enter it in Stampli and export again.",
        )
    elif decimals_of(currency) is None:
        findings.add(
            "currency_unknown",
            "currency",
            f"Currency '{currency}' is none of ISO 4217. Correct it in Stampli, for example to EUR.",
        )
    else:
        return True
    return False


def check_decimals(amounts: dict[str, Decimal], currency: str, findings: Findings) -> None:
    """Add a reason for each amount (by field) with more decimals than the currency has."""
    allowed = decimals_of(currency) or 0
    for field, amount in amounts.items():
        if decimals_in(amount) > allowed:
            findings.add(
                "excess_decimals",
                field,
                f"{field} is {amount:f}, but {currency} has {allowed} decimals. Correct the amount in "
                "Stampli, or set "
                "round_excess_decimals on the tap where the excess is noise.",
            )


def check_balance(document: AccountingInvoice, findings: Findings) -> None:
    """Add the reasons of an invoice whose total, lines and tax do not agree."""
    if all(line.kind == "tax" for line in document.lines):
        findings.add("no_lines", "lines", "The invoice has no line with an amount. Code it in Stampli.")
        return
    net = sum((line.amount for line in document.lines), Decimal())
    tax = sum((line.tax for line in document.lines), Decimal())
    said = f"{document.total:f} {document.currency}".strip()
    is_credit = document.kind == "CREDIT_MEMO" and document.total != 0
    if document.total * (net + tax) < 0 or (document.total < 0) != is_credit:
        findings.add(
            "contradicting_signs",
            "total_amount",
            f"As a {document.kind} the total is {said}, its lines with tax are {net + tax:f}: the signs "
            "contradict "
            "each other. Correct in Stampli whether this is an invoice or a credit memo.",
        )
    elif document.total != net + tax:
        findings.add(
            "unbalanced",
            "total_amount",
            f"The total is {said}, but lines {net:f} and tax {tax:f} make {net + tax:f}: a difference of "
            f"{document.total - net - tax:f}. Correct the amounts in Stampli.",
        )
    if document.tax_total != tax:
        findings.add(
            "unbalanced",
            "tax_amount",
            f"The tax of the invoice is {document.tax_total:f}, but its lines have {tax:f}: a difference of "
            f"{document.tax_total - tax:f}. Correct the tax in Stampli.",
        )


def check_applied(document: AccountingPayment, findings: Findings) -> None:
    """Add the reasons of a payment that is not positive, or not what its invoices add up to."""
    said = f"{document.amount:f} {document.currency}".strip()
    if document.amount <= 0:
        findings.add(
            "payment_amount_not_positive",
            "payment_amount",
            f"The payment is {said}. Only money paid out can be settled: book voids and refunds in M3 by "
            "hand.",
        )
    if not document.applications:
        findings.add(
            "payment_without_invoices",
            "applications",
            f"The payment of {said} names no invoice. Say in Stampli what it pays, or book it in M3 by hand.",
        )
        return
    applied = sum((each.amount for each in document.applications), Decimal())
    if applied != document.amount:
        findings.add(
            "payment_not_fully_applied",
            "payment_amount",
            f"The payment is {said}, but its invoices add up to {applied:f}: a difference of "
            f"{document.amount - applied:f}. Correct it in Stampli, or book the payment in M3 by hand.",
        )
