"""Payments into M3: one bank statement for each bank, currency and run; nothing books before it is validated.

A statement holds either all its payments whole or is never validated. Its lines and details are numbered by us, so a
repeat of one whose answer was lost is told apart by M3 itself (XRE0104).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stampli_infor_transforms.documents import AccountingPayment
from stampli_infor_transforms.reasons import reason

from target_infor_cloudsuite.ion.answers import Outcome
from target_infor_cloudsuite.ledger import attempts, documents
from target_infor_cloudsuite.ledger import payments as ledger_payments
from target_infor_cloudsuite.ledger.attempts import OPEN, AttemptOutcome
from target_infor_cloudsuite.ledger.states import Status, Step
from target_infor_cloudsuite.posting.letters import Letter, Work, refusal, send, send_for_statement
from target_infor_cloudsuite.posting.settlement import Settlement, read_invoices
from target_infor_cloudsuite.programs import abs100

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from target_infor_cloudsuite.ion.answers import Answer
    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.ledger.payments import Statement
    from target_infor_cloudsuite.posting.context import Context

_log = logging.getLogger(__name__)

#: M3's answer to a line or detail that is in already: the repeat of one whose answer was lost.
_ALREADY_THERE = "XRE0104"
#: How often a line or detail whose answer was lost is repeated at once; M3 knows its number, so a repeat is harmless.
_REPEATS = 3


@dataclass(slots=True)
class Sheet:
    """A statement on its way, with its payments in the order of their lines."""

    statement: Statement
    works: list[Work]


def work_on(context: Context, document: Document) -> Work:
    """A claimed payment that may go on to M3."""
    payment = AccountingPayment.from_json(document.mapped or {})
    return Work(document, payment, context.companies[payment.cono])


def payment_of(work: Work) -> AccountingPayment:
    """The payment of a work that holds one."""
    if not isinstance(work.mapped, AccountingPayment):
        raise TypeError(f"{work.document.label} is no payment.")
    return work.mapped


def settlement_of(work: Work) -> Settlement:
    """What the payment settles, as M3 held it when the payment became ready."""
    return Settlement.from_json((work.document.mapped or {})["settlement"])


def post(context: Context, works: Sequence[Work]) -> None:
    """Take ready payments to M3 on new statements, one for each company, bank and currency."""
    groups: dict[tuple[int, str, str, str], list[Work]] = defaultdict(list)
    for work in works:
        payment = payment_of(work)
        groups[payment.cono, payment.divi, payment.bank, payment.currency].append(work)
    for (cono, divi, bank, currency), group in sorted(groups.items(), key=lambda item: item[0]):
        _post_group(context, group, cono=cono, divi=divi, bank=bank, currency=currency)


def _post_group(
    context: Context, group: list[Work], *, cono: int, divi: str, bank: str, currency: str
) -> None:
    """Post one group; when M3 refuses one payment, the others start over on a statement of their own."""
    alone: list[list[Work]] = [group]
    while alone:
        works = alone.pop()
        statement = _open(context, cono=cono, divi=divi, bank=bank, currency=currency)
        if statement is None:
            return
        if carry(context, Sheet(statement, works)):
            continue
        left = [work for work in works if work.document.status is Status.READY and not work.lost]
        if left and len(left) == len(works) > 1:
            alone += [[work] for work in left]  # the statement as a whole was refused: find out whose fault it is
        elif left and len(left) < len(works):
            alone.append(left)


def _open(context: Context, *, cono: int, divi: str, bank: str, currency: str) -> Statement | None:
    """Open a statement. One whose answer was lost is empty and books nothing: it is reported, and another opened."""
    answer = context.gateway.read(abs100.PROGRAM, [abs100.bank(cono=cono, divi=divi, bsid=bank)], cono=cono)[0]
    statement_type = answer.records[0].get("BSTY", "") if answer.records else ""
    for _ in range(_REPEATS):
        with context.ledger.write() as tx:
            statement = ledger_payments.open_statement(
                tx, hand=context.hand, cono=cono, divi=divi, bank=bank, currency=currency
            )
        answer = send_for_statement(
            context, statement, abs100.head(statement, statement_type=statement_type), step=Step.STATEMENT
        )
        if answer.outcome is Outcome.DONE and answer.records:
            with context.ledger.write() as tx:
                ledger_payments.change_statement(
                    tx, statement.id, hand=context.hand, statement_key=abs100.key_of(answer.records[0])
                )
                return ledger_payments.get_statement(tx, statement.id)
        with context.ledger.write() as tx:
            _abandon(context, tx, statement, why=answer.detail or str(answer.error))
        if answer.outcome is not Outcome.IN_DOUBT:
            break
    _log.warning("No bank statement could be opened for bank %s: the next run tries again.", bank)
    return None


def carry(context: Context, sheet: Sheet) -> bool:
    """Bring a statement's lines, details and validation in; whether nothing is left to do with its payments now."""
    with context.ledger.write() as tx:
        for number, work in enumerate(sheet.works, start=1):
            if work.document.status is Status.READY:
                work.move(
                    context,
                    tx,
                    Status.POSTING,
                    step=Step.STATEMENT.value,
                    program=abs100.PROGRAM,
                    statement_id=sheet.statement.id,
                    statement_line=number,
                )
    for letters in (_lines, _details):
        for _ in range(_REPEATS):
            missing = _not_in(context, sheet, letters(sheet))
            if not missing or any(work.document.status is Status.FAILED for work in sheet.works):
                break
            send(
                context,
                program=abs100.PROGRAM,
                step=Step.STATEMENT,
                letters=missing,
                statement_id=sheet.statement.id,
                on_answer=lambda tx, letter, answer: _take_answer(context, tx, letter, answer),
            )
        if any(work.document.status is Status.FAILED for work in sheet.works):
            _start_over(context, sheet, why="M3 refused one of its payments")
            return False
        if _not_in(context, sheet, letters(sheet)):
            _leave_in_doubt(context, sheet)
            return True
    return _validate(context, sheet)


def _lines(sheet: Sheet) -> list[Letter]:
    return [
        Letter(work, abs100.line(sheet.statement, payment_of(work), number=number))
        for number, work in enumerate(sheet.works, start=1)
    ]


def _details(sheet: Sheet) -> list[Letter]:
    return [
        Letter(
            work,
            abs100.detail(
                sheet.statement,
                payment_of(work),
                line_number=line_number,
                number=number,
                invoice=invoice.number,
                year=invoice.year,
                amount=invoice.amount,
            ),
            number,
        )
        for line_number, work in enumerate(sheet.works, start=1)
        for number, invoice in enumerate(settlement_of(work).invoices, start=1)
    ]


def _not_in(context: Context, sheet: Sheet, letters: Sequence[Letter]) -> list[Letter]:
    """Those letters that M3 has not confirmed yet."""
    with context.ledger.read() as tx:
        known = attempts.of_statement(tx, sheet.statement.id)
    confirmed = {
        (each.document_id, each.position)
        for each in known
        if each.step == Step.STATEMENT and each.outcome is AttemptOutcome.DONE
        and each.transaction_name != "AddStatmtHead"
    }
    return [each for each in letters if (each.work.document.id, each.position) not in confirmed]


def _take_answer(context: Context, tx: Tx, letter: Letter, answer: Answer) -> None:
    if answer.outcome is not Outcome.REFUSED or answer.error is None:
        return
    if answer.error.code == _ALREADY_THERE:
        # The repeat of one whose answer was lost: M3 says that it has this number of ours already.
        for each in attempts.of_document(tx, letter.work.document.id, step=Step.STATEMENT):
            if each.position == letter.position and each.transaction_name == letter.transaction.name:
                attempts.end(
                    tx, each.id, AttemptOutcome.DONE, at=context.clock.now(), answer=each.answer | {"looked": "XRE0104"}
                )
        return
    if letter.work.document.status is Status.POSTING:
        nok = refusal(abs100.PROGRAM, letter.transaction.name, answer, position=letter.position)
        letter.work.move(
            context,
            tx,
            Status.FAILED,
            why=nok["text"],
            reasons=[nok],
            step=Step.NONE.value,
            statement_id=None,
            statement_line=None,
        )


def _start_over(context: Context, sheet: Sheet, *, why: str) -> None:
    """Leave a statement unvalidated, so that it books nothing, and free its payments for another."""
    with context.ledger.write() as tx:
        _abandon(context, tx, sheet.statement, why=why)
        for work in sheet.works:
            if work.document.status in {Status.POSTING, Status.IN_DOUBT} and not work.lost:
                work.move(
                    context,
                    tx,
                    Status.READY,
                    why=f"Statement {sheet.statement.number} is not validated: {why}.",
                    step=Step.NONE.value,
                    statement_id=None,
                    statement_line=None,
                )


def _abandon(context: Context, tx: Tx, statement: Statement, *, why: str) -> None:
    ledger_payments.change_statement(tx, statement.id, hand=context.hand, status="abandoned", note=why)
    context.event(
        tx,
        "statement.abandoned",
        {"statement": statement.number, "bank": statement.bank, "key": statement.statement_key, "why": why},
    )
    _log.warning(
        "Bank statement %s (bank %s) stays unvalidated in M3 and books nothing: %s. It may be deleted in ABS100.",
        statement.number,
        statement.bank,
        why,
    )


def _leave_in_doubt(context: Context, sheet: Sheet) -> None:
    with context.ledger.write() as tx:
        for work in sheet.works:
            if work.document.status is Status.POSTING and not work.lost:
                why = f"Not every line of statement {sheet.statement.number} was answered."
                work.move(context, tx, Status.IN_DOUBT, why=why, step=Step.STATEMENT.value)


# -- validation ------------------------------------------------------------------------------------------------------


def _validate(context: Context, sheet: Sheet) -> bool:
    """Validate a complete statement: the one write of it that books."""
    with context.ledger.write() as tx:
        ledger_payments.change_statement(tx, sheet.statement.id, hand=context.hand, status="validating")
        for work in sheet.works:
            if work.document.status is Status.IN_DOUBT:
                work.move(context, tx, Status.POSTING, step=Step.VALIDATE.value)
            else:
                work.progress(context, tx, step=Step.VALIDATE.value)
    answer = send_for_statement(context, sheet.statement, abs100.validate(sheet.statement), step=Step.VALIDATE)
    return _take_validation(context, sheet, answer)


def _take_validation(context: Context, sheet: Sheet, answer: Answer) -> bool:
    if answer.outcome is Outcome.DONE:
        _posted(context, sheet, why=f"Statement {sheet.statement.number} is validated.")
        return True
    if answer.outcome is Outcome.IN_DOUBT:
        with context.ledger.write() as tx:
            for work in sheet.works:
                work.move(context, tx, Status.IN_DOUBT, why=answer.detail)
        return True
    if answer.outcome is Outcome.REFUSED and len(sheet.works) == 1:
        nok = refusal(abs100.PROGRAM, "ValidateStatmt", answer)
        with context.ledger.write() as tx:
            _abandon(context, tx, sheet.statement, why=nok["text"])
            sheet.works[0].move(
                context,
                tx,
                Status.FAILED,
                why=nok["text"],
                reasons=[nok],
                step=Step.NONE.value,
                statement_id=None,
                statement_line=None,
            )
        return True
    _start_over(context, sheet, why=str(answer.error or answer.detail))
    return answer.outcome is Outcome.NOT_RUN


def _posted(context: Context, sheet: Sheet, *, why: str) -> None:
    with context.ledger.write() as tx:
        ledger_payments.change_statement(tx, sheet.statement.id, hand=context.hand, status="validated")
        for work in sheet.works:
            work.move(context, tx, Status.POSTED, why=why, step=Step.NONE.value, reasons=[])
    mark_settled(context, sheet.works)


def mark_settled(context: Context, works: Sequence[Work]) -> None:
    """Ask M3 whether the invoices of posted payments are paid now, and note those that are."""
    if not works:
        return
    held = read_invoices(context, [payment_of(work) for work in works])
    now = {(key[1].number, each.year): each for key, list_ in held.items() for each in list_}
    with context.ledger.write() as tx:
        for work in works:
            paid = all(
                (found := now.get((each.number, each.year))) is not None
                and abs(found.open) <= abs(each.open - each.amount)
                for each in settlement_of(work).invoices
            )
            if paid:
                documents.set_values(tx, work.document.id, settled=True)
                context.event(tx, "payment.settled", {}, document_id=work.document.id)


def recover(context: Context, statement_id: int, batch: Sequence[Document]) -> None:
    """Take over a statement whose worker ended: what it sent without an answer puts its payments in doubt."""
    with context.ledger.write() as tx:
        unanswered = [each for each in attempts.of_statement(tx, statement_id) if each.outcome is AttemptOutcome.SENT]
        for each in unanswered:
            lost = {"detail": "The worker that sent it ended before the answer was written."}
            attempts.end(tx, each.id, AttemptOutcome.IN_DOUBT, at=context.clock.now(), answer=lost)
        for document in batch:
            if unanswered and document.status is Status.POSTING:
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


# -- in doubt --------------------------------------------------------------------------------------------------------


def look(context: Context, statement_id: int, works: list[Work]) -> None:
    """Decide a statement in doubt: lines and details by repeating them, its validation by what M3 shows as paid."""
    with context.ledger.read() as tx:
        statement = ledger_payments.get_statement(tx, statement_id)
        known = attempts.of_statement(tx, statement_id)
    sheet = Sheet(statement, sorted(works, key=lambda work: work.document.statement_line or 0))
    validations = [each for each in known if each.step == Step.VALIDATE]
    open_ones = [each for each in validations if each.outcome in OPEN]
    if any(each.outcome is AttemptOutcome.DONE for each in validations):
        _back_to_posting(context, sheet)
        _posted(context, sheet, why=f"Statement {statement.number} is validated.")
    elif not open_ones:
        _back_to_posting(context, sheet)
        carry(context, sheet)
    elif _all_paid(context, sheet):
        _end_validation(context, open_ones, AttemptOutcome.DONE)
        _back_to_posting(context, sheet)
        _posted(context, sheet, why=f"M3 was asked: statement {statement.number} has paid its invoices.")
    elif any(each.looks + 1 < 2 for each in open_ones):  # noqa: PLR2004 - twice absent, as for invoices
        with context.ledger.write() as tx:
            attempts.looked(tx, [each.id for each in open_ones], at=context.clock.now())
    elif any(each.outcome is AttemptOutcome.ABSENT for each in validations):
        _end_validation(context, open_ones, AttemptOutcome.ABSENT)
        _undecided(context, sheet)
    else:
        _end_validation(context, open_ones, AttemptOutcome.ABSENT)
        _back_to_posting(context, sheet)
        _validate(context, sheet)


def _back_to_posting(context: Context, sheet: Sheet) -> None:
    with context.ledger.write() as tx:
        for work in sheet.works:
            if work.document.status is Status.IN_DOUBT:
                work.move(context, tx, Status.POSTING, why="M3 was asked.", step=work.document.step.value)


def _all_paid(context: Context, sheet: Sheet) -> bool:
    """Whether every invoice of the statement shows at least what these payments add to what was paid before."""
    held = read_invoices(context, [payment_of(work) for work in sheet.works])
    now = {(key[1].number, each.year): each for key, list_ in held.items() for each in list_}
    return all(
        (found := now.get((each.number, each.year))) is not None
        and abs(found.paid) >= abs(each.paid + each.amount)
        for work in sheet.works
        for each in settlement_of(work).invoices
    )


def _end_validation(context: Context, found: Sequence[attempts.Attempt], outcome: AttemptOutcome) -> None:
    with context.ledger.write() as tx:
        for each in found:
            attempts.end(tx, each.id, outcome, at=context.clock.now(), answer=each.answer)


def _undecided(context: Context, sheet: Sheet) -> None:
    text = (
        f"Bank statement {sheet.statement.number} was sent for validation twice and M3 shows its invoices unpaid. "
        "Look at it in ABS100, then replay or dismiss."
    )
    held_for = reason("in_doubt_unresolved", "", text)
    with context.ledger.write() as tx:
        for work in sheet.works:
            work.move(context, tx, Status.REVIEW, why=text, reasons=[held_for.to_json()], step=Step.NONE.value)
