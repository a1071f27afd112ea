"""Invoices of the ledger that are nearly the same: held, or noted, by rank."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from stampli_infor_transforms.reasons import reason

from target_infor_cloudsuite.ledger import documents, near
from target_infor_cloudsuite.ledger.runs import plain_amount

if TYPE_CHECKING:
    from stampli_infor_transforms.documents import AccountingInvoice
    from stampli_infor_transforms.reasons import Reason

    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.posting.plan import Plan

_NEAR_DAYS = timedelta(days=7)
_NEAR_AMOUNT = "Same supplier and amount within 7 days: document"
_TWIN = "Same number and amount at supplier"
_NEAR_NUMBER = "Nearly the same number at the same supplier: document"
#: How the notes about near duplicates begin; the report finds them by it.
NEAR_NOTES = (_NEAR_NUMBER, _NEAR_AMOUNT, _TWIN)


def compare_with_ledger(
    context: Context, tx: Tx, document: Document, plan: Plan, invoice: AccountingInvoice
) -> Plan:
    """Near duplicates by rank: nearly the same number is held, the others are noted."""
    mode = context.settings["near_duplicates"]
    if mode == "off":
        return plan
    related = documents.family(tx, document.id)
    notes: list[str] = []
    held: list[Reason] = []
    for other in near.near_by_number(tx, document.id, invoice.folded_key):
        if other.m3_key == invoice.m3_key or other.source_key == document.source_key or other.id in related:
            continue  # the very same number, a part, or an own revision is no near duplicate: the keys tell
        text = f"{_NEAR_NUMBER} {other.id}, number {other.number}, {money_of(other)}."
        if mode == "hold":
            held.append(
                reason("near_duplicate", "invoice_number", f"{text} Compare, then release or dismiss.")
            )
        else:
            notes.append(text)
    same = near.near_by_amount(
        tx, document, cono=invoice.cono, supplier=invoice.supplier, amount=invoice.total
    )
    notes += [
        f"{_NEAR_AMOUNT} {other.id}, number {other.number}."
        for other in same
        if other.id not in related and _within(other.document_date, invoice.invoice_date)
    ]
    twins = near.near_by_other_supplier(
        tx, document, cono=invoice.cono, supplier=invoice.supplier, amount=invoice.total
    )
    notes += [f"{_TWIN} {other.supplier}: document {other.id}." for other in twins]
    return replace(plan.held_for(*held), notes=(*plan.notes, *notes))


def _within(text: str, day: date) -> bool:
    try:
        return abs(date.fromisoformat(text) - day) <= _NEAR_DAYS
    except ValueError:
        return False


def money_of(document: Document) -> str:
    """Amount and currency, for messages."""
    return (
        ""
        if document.amount is None
        else f"{plain_amount(document.amount, document.currency)} {document.currency}"
    )
