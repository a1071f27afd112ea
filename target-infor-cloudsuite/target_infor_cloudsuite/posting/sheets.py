"""A sheet on its way, and what becomes of all its payments at once.

A sheet is a bank statement (ABS100MI), or by explicit setting a journal batch (GLS840MI). It holds either all
its payments whole or is never closed, and nothing books before it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from stampli_infor_transforms.reasons import reason

from target_infor_cloudsuite.ledger import payments as ledger_payments
from target_infor_cloudsuite.ledger.states import Doubt, Status, Step
from target_infor_cloudsuite.posting.statements import abandon

if TYPE_CHECKING:
    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.payments import Statement
    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.posting.work import Work
    from target_infor_cloudsuite.programs.payment_road import PaymentRoad


#: How often what books nothing is repeated at once, when its answer was lost.
REPEATS: Final = 3
_OFF: Final[dict[str, Any]] = {"step": Step.NONE.value, "statement_id": None, "statement_line": None}


@dataclass(slots=True)
class Sheet:
    """A statement on its way, with its payments in the order of their lines."""

    statement: Statement
    works: list[Work]
    road: PaymentRoad

    @property
    def shown(self) -> str:
        """How messages name it."""
        return self.road.shown(self.statement)


def start_over(context: Context, tx: Tx, sheet: Sheet, *, why: str) -> None:
    """Leave a statement unvalidated, so that it books nothing, and free its payments for another."""
    abandon(context, tx, sheet.statement, why=why)
    for work in sheet.works:
        if work.document.status in {Status.POSTING, Status.IN_DOUBT}:
            work.move(
                context,
                tx,
                Status.READY,
                why=f"{sheet.shown} is not validated: {why}.",
                doubt=Doubt.RESENT if work.document.status is Status.IN_DOUBT else None,
                **_OFF,
            )


def refuse(context: Context, tx: Tx, work: Work, nok: dict[str, Any]) -> None:
    """M3 refused a payment: it failed, and stands on no sheet any more."""
    work.move(context, tx, Status.FAILED, why=nok["text"], reasons=[nok], **_OFF)


def leave_in_doubt(context: Context, sheet: Sheet) -> None:
    """Something of a sheet was not answered: its payments wait until M3 can be asked."""
    with context.ledger.write() as tx:
        for work in sheet.works:
            if work.document.status is Status.POSTING:
                why = f"Not every transaction of {sheet.shown} was answered."
                work.move(context, tx, Status.IN_DOUBT, why=why, step=Step.STATEMENT.value)


def take_as_validated(context: Context, tx: Tx, sheet: Sheet, *, why: str) -> None:
    """A statement is validated: its payments are posted."""
    ledger_payments.change_statement(tx, sheet.statement.id, hand=context.hand, status="validated")
    for work in sheet.works:
        work.move(context, tx, Status.POSTED, why=why, step=Step.NONE.value, reasons=[])


def undecided(context: Context, tx: Tx, sheet: Sheet, *, why: str) -> None:
    """Only a person can say whether a statement was validated."""
    invoices = " and at its invoices in APS200" if sheet.road.settles else ""
    text = f"{sheet.shown} was {why}. Look at it{invoices}, then replay or dismiss."
    for work in sheet.works:
        work.hold(context, tx, reason("in_doubt_unresolved", "", text), doubt=Doubt.PERSON)
