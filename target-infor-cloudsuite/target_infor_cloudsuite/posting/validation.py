"""Closing a sheet: the one write of it that books, with the check before it where its road wants one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_infor_cloudsuite.ion.answers import Outcome
from target_infor_cloudsuite.ledger import attempts
from target_infor_cloudsuite.ledger import payments as ledger_payments
from target_infor_cloudsuite.ledger.attempts import OPEN, AttemptOutcome
from target_infor_cloudsuite.ledger.states import Doubt, Status, Step
from target_infor_cloudsuite.posting.answered import refusal
from target_infor_cloudsuite.posting.letters import send_for_statement
from target_infor_cloudsuite.posting.paid import mark_settled, take_stock
from target_infor_cloudsuite.posting.sheets import (
    REPEATS,
    leave_in_doubt,
    refuse,
    start_over,
    take_as_validated,
    undecided,
)
from target_infor_cloudsuite.posting.statements import abandon

if TYPE_CHECKING:
    from target_infor_cloudsuite.ion.answers import Answer
    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.posting.sheets import Sheet


def validate(context: Context, sheet: Sheet, *, again: bool = False) -> bool:
    """Validate a complete statement: the one write of it that books. Returns and raises as `carry`.

    ``again``: an earlier sending was lost. What M3 showed before that one is what tells, so it is kept.
    """
    if not again and (cannot := take_stock(context, sheet)):
        with context.ledger.write() as tx:
            start_over(context, tx, sheet, why=cannot)
        return False
    checked = _check(context, sheet)
    if checked is not Outcome.DONE:
        return checked is not Outcome.REFUSED or any(
            work.document.status is not Status.READY for work in sheet.works
        )

    def on_begin(tx: Tx) -> None:
        ledger_payments.change_statement(tx, sheet.statement.id, hand=context.hand, status="validating")
        for work in sheet.works:
            changes: dict[str, Any] = {"step": Step.VALIDATE.value, "mapped": work.document.mapped}
            if work.document.status is Status.IN_DOUBT:
                work.move(context, tx, Status.POSTING, doubt=Doubt.RESENT, **changes)
            else:
                work.progress(context, tx, **changes)

    answer = send_for_statement(
        context,
        sheet.statement,
        sheet.road.close(sheet.statement),
        program=sheet.road.name,
        step=Step.VALIDATE,
        on_begin=on_begin,
        on_answer=lambda tx, answer: _take_validation(context, tx, sheet, answer),
    )
    if answer.outcome is Outcome.DONE and sheet.road.settles:
        mark_settled(context, sheet.works)
    return any(work.document.status is not Status.READY for work in sheet.works)


def _check(context: Context, sheet: Sheet) -> Outcome:
    """Have M3 check a sheet where its road wants that; what was lost is repeated, as it books nothing."""
    check = sheet.road.check(sheet.statement)
    if check is None:
        return Outcome.DONE

    def on_answer(tx: Tx, answer: Answer) -> None:
        if answer.outcome is Outcome.DONE:
            known = attempts.of_statement(tx, sheet.statement.id)
            lost = [each for each in known if each.transaction_name == check.name and each.outcome in OPEN]
            attempts.decide(tx, lost, AttemptOutcome.ABSENT, at=context.clock.now(), looked="repeated")
        elif answer.outcome is Outcome.REFUSED:
            _take_refusal(context, tx, sheet, refusal(sheet.road.name, check.name, answer))

    outcome = Outcome.NOT_RUN
    for _ in range(REPEATS):
        outcome = send_for_statement(
            context,
            sheet.statement,
            check,
            program=sheet.road.name,
            step=Step.STATEMENT,
            on_begin=lambda _: None,
            on_answer=on_answer,
        ).outcome
        if outcome is not Outcome.IN_DOUBT:
            return outcome
    leave_in_doubt(context, sheet)
    return outcome


def _take_validation(context: Context, tx: Tx, sheet: Sheet, answer: Answer) -> None:
    if answer.outcome is Outcome.DONE:
        take_as_validated(context, tx, sheet, why=f"{sheet.shown} is booked.")
    elif answer.outcome is Outcome.IN_DOUBT:
        for work in sheet.works:
            work.move(context, tx, Status.IN_DOUBT, why=answer.detail)
    elif answer.outcome is Outcome.REFUSED:
        nok = refusal(sheet.road.name, sheet.road.close(sheet.statement).name, answer)
        _take_refusal(context, tx, sheet, nok)
    # Not run: the statement stands complete, and the next run validates it.


def _take_refusal(context: Context, tx: Tx, sheet: Sheet, nok: dict[str, Any]) -> None:
    known = attempts.of_statement(tx, sheet.statement.id)
    if any(each.step == Step.VALIDATE and each.outcome is AttemptOutcome.ABSENT for each in known):
        # It may be refused because the first sending, whose answer was lost, came through after all.
        undecided(
            context, tx, sheet, why=f"sent for validation twice, the second time refused: {nok['text']}"
        )
        return
    if len(sheet.works) > 1:
        start_over(context, tx, sheet, why=nok["text"])
        return
    abandon(context, tx, sheet.statement, why=nok["text"])
    refuse(context, tx, sheet.works[0], nok)
