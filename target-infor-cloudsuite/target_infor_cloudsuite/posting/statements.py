"""Bank statements on their way: opened, and reported when given up."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from stampli_infor_transforms.reasons import reason

from target_infor_cloudsuite.ion.answers import Outcome
from target_infor_cloudsuite.ledger import payments as ledger_payments
from target_infor_cloudsuite.ledger import runs
from target_infor_cloudsuite.ledger.states import Status, Step
from target_infor_cloudsuite.posting.answered import refusal
from target_infor_cloudsuite.posting.letters import send_for_statement
from target_infor_cloudsuite.worker import is_dead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_infor_cloudsuite.ion.answers import Answer
    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.payments import Statement
    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.posting.work import Work
    from target_infor_cloudsuite.programs.payment_road import PaymentRoad

_log = logging.getLogger(__name__)

#: An empty statement whose answer was lost is left, and another opened, this often.
_OPENINGS = 3
#: A worker on another host may still be about to use the statement it has opened.
_SURELY_LEFT = timedelta(hours=1)


def open_statement(  # noqa: PLR0913 - a statement is of all these
    context: Context,
    road: PaymentRoad,
    works: Sequence[Work],
    *,
    cono: int,
    divi: str,
    bank: str,
    currency: str,
) -> Statement | None:
    """Open a statement; None when there is none now, and the payments say why where M3 refused it.

    One whose answer was lost is empty and books nothing: it is reported, and another opened.
    """
    statement_type, problem = bank_of(context, road, cono=cono, divi=divi, bank=bank)
    if problem:
        held_for = reason("bank_not_set_up", "bank_account", problem)
        for work in works:
            with work.change(context) as tx:
                work.move(context, tx, Status.REVIEW, why=problem, reasons=[held_for.to_json()])
        return None
    for _ in range(_OPENINGS):
        with context.ledger.write() as tx:
            statement = ledger_payments.open_statement(
                tx, hand=context.hand, cono=cono, divi=divi, bank=bank, currency=currency
            )
        answer = _send_head(context, road, statement, statement_type)
        if answer.outcome is Outcome.DONE:
            with context.ledger.read() as tx:
                return ledger_payments.get_statement(tx, statement.id)
        if answer.outcome is Outcome.REFUSED:
            nok = refusal(road.name, road.head(statement, statement_type="").name, answer)
            for work in works:
                with work.change(context) as tx:
                    work.move(context, tx, Status.FAILED, why=nok["text"], reasons=[nok])
            return None
        if answer.outcome is Outcome.NOT_RUN:
            break
    _log.warning("%s could not be opened for bank %s: the next run tries again.", road.name, bank)
    return None


def bank_of(context: Context, road: PaymentRoad, *, cono: int, divi: str, bank: str) -> tuple[str, str]:
    """The bank's statement type, and why nothing can be booked on it ('' where it can)."""
    if lacks := road.lacks(bank):
        return "", f"Bank {bank} of division {divi}: {lacks}. Complete the setting."
    question = road.bank(cono=cono, divi=divi, bsid=bank)
    if question is None:
        return "", ""
    answer = context.gateway.read(road.name, [question], cono=cono)[0]
    if answer.outcome is Outcome.REFUSED:
        text = (
            f"M3 does not know bank {bank} of division {divi} ({road.name}/{question.name}): {answer.error}"
        )
        return "", f"{text}. Correct banks.csv, or set it up in M3."
    return answer.records[0].get("BSTY", "") if answer.records else "", ""


def _send_head(context: Context, road: PaymentRoad, statement: Statement, statement_type: str) -> Answer:
    def on_answer(tx: Tx, answer: Answer) -> None:
        if answer.outcome is Outcome.DONE:
            key = road.key_of(answer.records[0] if answer.records else {})
            ledger_payments.change_statement(tx, statement.id, hand=context.hand, statement_key=key)
        else:
            why = answer.detail or str(answer.error)
            abandon(context, tx, statement, why=why, opened=answer.outcome is Outcome.IN_DOUBT)

    return send_for_statement(
        context,
        statement,
        road.head(statement, statement_type=statement_type),
        program=road.name,
        step=Step.STATEMENT,
        on_begin=lambda _: None,
        on_answer=on_answer,
    )


def abandon(context: Context, tx: Tx, statement: Statement, *, why: str, opened: bool = True) -> None:
    """Report a statement that will never be validated; ``opened``: it stands in M3, or may."""
    ledger_payments.change_statement(tx, statement.id, hand=context.hand, status="abandoned", note=why)
    context.event(
        tx,
        "statement.abandoned",
        {
            "statement": statement.number,
            "bank": statement.bank,
            "key": statement.statement_key,
            "why": why,
            "opened": opened,
        },
    )
    if not opened:
        _log.warning("Bank statement or journal batch %s was not opened in M3: %s.", statement.number, why)
        return
    _log.warning(
        "Bank statement or journal batch %s (bank %s) stays open in M3 and books nothing: %s. Delete it in "
        "ABS100 (GLS840).",
        statement.number,
        statement.bank,
        why,
    )


def report_orphans(context: Context) -> None:
    """Report statements that a worker opened and left before any payment stood on them."""
    with context.ledger.write() as tx:
        for statement, changed_at in ledger_payments.unused(tx, but_run=context.run_id):
            run = runs.worker_of(tx, statement.run_id)
            left = run is None or run.ended or is_dead(run.worker)
            if left or context.clock.now() - changed_at > _SURELY_LEFT:
                abandon(context, tx, statement, why="the run that opened it ended before it was used")
