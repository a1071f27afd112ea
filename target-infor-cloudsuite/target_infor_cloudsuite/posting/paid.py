"""What payments settle, as M3 shows it: noted before a sheet is closed, asked for afterwards."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from target_infor_cloudsuite.ledger import documents
from target_infor_cloudsuite.posting.plan import Settlement
from target_infor_cloudsuite.posting.settlement import read_invoices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.posting.sheets import Sheet
    from target_infor_cloudsuite.posting.work import Work


def settlement_of(work: Work) -> Settlement:
    """What the payment settles, as M3 held it when that was last asked."""
    return Settlement.from_json((work.document.mapped or {})["settlement"])


def take_stock(context: Context, sheet: Sheet) -> str:
    """Note what M3 shows of the sheet's invoices right now; why the sheet cannot be validated, or ''.

    Only the figures of just before the validation tell afterwards whether it happened.
    """
    now = read_invoices(context, [work.payment for work in sheet.works])
    for work in sheet.works:
        fresh = []
        for each in settlement_of(work).invoices:
            found = now.get(each.key)
            if found is None:
                return f"M3 does not show invoice {each.number} any more"
            fresh.append(replace(each, open=found.open, paid=found.paid))
        mapped = (work.document.mapped or {}) | {"settlement": Settlement(tuple(fresh)).to_json()}
        work.document = replace(work.document, mapped=mapped)
    for key, wanted in wanted_by(sheet).items():
        if abs(wanted) > abs(now[key].open):
            return f"invoice {now[key].number} is open for {now[key].open} only"
    return ""


def wanted_by(sheet: Sheet) -> dict[str, Decimal]:
    """What the sheet takes of each invoice, by the invoice's key."""
    total: dict[str, Decimal] = {}
    for work in sheet.works:
        for each in settlement_of(work).invoices:
            total[each.key] = total.get(each.key, Decimal(0)) + each.amount
    return total


def is_paid(context: Context, sheet: Sheet) -> bool | None:
    """Whether M3 shows exactly what the sheet would have changed; None where it shows something else."""
    now = read_invoices(context, [work.payment for work in sheet.works])
    before = {each.key: each.paid for work in sheet.works for each in settlement_of(work).invoices}
    answers = set()
    for key, wanted in wanted_by(sheet).items():
        found = now.get(key)
        if found is None or abs(found.paid) not in {abs(before[key]), abs(before[key] + wanted)}:
            return None
        answers.add(abs(found.paid) == abs(before[key] + wanted))
    return answers.pop() if len(answers) == 1 else None


def mark_settled(context: Context, works: Sequence[Work]) -> None:
    """Ask M3 whether the invoices of posted payments are paid now, and note those that are."""
    if not works:
        return
    now = read_invoices(context, [work.payment for work in works])
    with context.ledger.write() as tx:
        for work in works:
            paid = all(
                (found := now.get(each.key)) is not None and abs(found.open) <= abs(each.open - each.amount)
                for each in settlement_of(work).invoices
            )
            if paid:
                documents.set_values(tx, work.document.id, settled=True)
                context.event(tx, "payment.settled", {}, document_id=work.document.id)
