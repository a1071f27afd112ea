"""Bank statements in doubt: lines and details are repeated, a validation is told by what M3 shows as paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_infor_cloudsuite.ledger import attempts, documents
from target_infor_cloudsuite.ledger import payments as ledger_payments
from target_infor_cloudsuite.ledger.attempts import OPEN, AttemptOutcome
from target_infor_cloudsuite.ledger.states import Doubt, Status, Step
from target_infor_cloudsuite.posting.doubt import LOOKS
from target_infor_cloudsuite.posting.paid import is_paid, mark_settled
from target_infor_cloudsuite.posting.payments import carry
from target_infor_cloudsuite.posting.sheets import Sheet, start_over, take_as_validated, undecided
from target_infor_cloudsuite.posting.validation import validate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.attempts import Attempt
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.posting.work import Work


def recover(context: Context, statement_id: int, batch: Sequence[Document]) -> None:
    """Take over a statement whose worker ended: what has no answer puts its payments in doubt.

    Raises:
        ClaimLost: Another worker was faster; nothing was changed.
    """
    with context.ledger.write() as tx:
        doubted = [each for each in attempts.of_statement(tx, statement_id) if each.outcome in OPEN]
        attempts.lose_answers(tx, doubted, at=context.clock.now())
        for document in batch:
            if doubted and document.status is Status.POSTING:
                why = "The worker that sent its statement ended before the answer was known."
                documents.move(
                    tx, document, Status.IN_DOUBT, hand=context.hand, worker=context.worker, why=why
                )


def due_at(context: Context, statement_id: int) -> datetime:
    """When M3 may be asked about a statement in doubt."""
    with context.ledger.read() as tx:
        found = [each for each in attempts.of_statement(tx, statement_id) if each.outcome in OPEN]
    moments = [each.looked_at or each.answered_at or each.sent_at for each in found]
    return max(moments, default=context.clock.now() - context.settle) + context.settle


def look(context: Context, statement_id: int, works: list[Work]) -> None:
    """Decide a statement in doubt, or take one further that was left.

    Raises:
        ClaimLost: Another worker holds one of its payments.
    """
    with context.ledger.read() as tx:
        statement = ledger_payments.get_statement(tx, statement_id)
        known = attempts.of_statement(tx, statement_id)
        members = set(ledger_payments.payments_on(tx, statement_id))
    if members != {work.document.id for work in works}:
        return  # another worker holds the others, and decides
    sheet = Sheet(
        statement, sorted(works, key=lambda work: work.document.statement_line or 0), works[0].company.road
    )
    validations = [each for each in known if each.step == Step.VALIDATE]
    if validations:
        _look_at_validation(context, sheet, validations)
    elif {each.document_id for each in known if each.document_id is not None} - members:
        with context.ledger.write() as tx:
            start_over(context, tx, sheet, why="a payment that M3 refused stands on it")
    else:
        _back_to_posting(context, sheet)
        carry(context, sheet)


def _look_at_validation(context: Context, sheet: Sheet, validations: Sequence[Attempt]) -> None:
    doubted = [each for each in validations if each.outcome in OPEN]
    given_up = [each for each in validations if each.outcome is AttemptOutcome.ABSENT]
    if doubted and not sheet.road.settles:
        with context.ledger.write() as tx:
            undecided(context, tx, sheet, why="sent to be booked, and its answer was lost")
        return
    # What M3 did not show it can have done since, while the statement could not be sent again.
    paid = is_paid(context, sheet) if doubted or given_up else False
    number = sheet.statement.number
    if paid:
        with context.ledger.write() as tx:
            attempts.decide(tx, doubted or given_up, AttemptOutcome.DONE, at=context.clock.now())
            _to_posting(context, tx, sheet, Doubt.ADOPTED)
            why = f"M3 was asked: statement {number} has paid its invoices."
            take_as_validated(context, tx, sheet, why=why)
        mark_settled(context, sheet.works)
    elif any(each.looks + 1 < LOOKS for each in doubted):
        with context.ledger.write() as tx:
            attempts.looked(tx, [each.id for each in doubted], at=context.clock.now())
    elif paid is None or (doubted and given_up):
        shown = "something else paid of its invoices" if paid is None else "its invoices unpaid"
        with context.ledger.write() as tx:
            attempts.decide(tx, doubted, AttemptOutcome.ABSENT, at=context.clock.now())
            undecided(
                context, tx, sheet, why=f"sent for validation, its answer was lost, and M3 shows {shown}"
            )
    else:
        with context.ledger.write() as tx:
            attempts.decide(tx, doubted, AttemptOutcome.ABSENT, at=context.clock.now())
        _back_to_posting(context, sheet)
        validate(context, sheet, again=bool(doubted or given_up))


def _back_to_posting(context: Context, sheet: Sheet) -> None:
    with context.ledger.write() as tx:
        _to_posting(context, tx, sheet, Doubt.RESENT)


def _to_posting(context: Context, tx: Tx, sheet: Sheet, doubt: Doubt) -> None:
    for work in sheet.works:
        if work.document.status is Status.IN_DOUBT:
            step = work.document.step.value
            work.move(context, tx, Status.POSTING, why="M3 was asked.", doubt=doubt, step=step)
