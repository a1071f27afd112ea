"""M3's answers to writes: what they prove, and how they are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from target_infor_cloudsuite.ion.answers import Answer, Outcome
from target_infor_cloudsuite.ledger import attempts, events
from target_infor_cloudsuite.ledger.attempts import AttemptOutcome
from target_infor_cloudsuite.ledger.events import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_infor_cloudsuite.ion.answers import Transaction
    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.states import Step
    from target_infor_cloudsuite.posting.context import Context

_OUTCOMES = {
    Outcome.DONE: AttemptOutcome.DONE,
    Outcome.REFUSED: AttemptOutcome.REFUSED,
    Outcome.NOT_RUN: AttemptOutcome.NOT_RUN,
    Outcome.IN_DOUBT: AttemptOutcome.IN_DOUBT,
}


def whole(transaction: Transaction, answer: Answer) -> Answer:
    """The answer; without the keys that were asked for it is none, and M3 has to be asked what it did."""
    if answer.outcome is not Outcome.DONE:
        return answer
    given = answer.records[0] if answer.records else {}
    lacking = [name for name in transaction.columns if not given.get(name)]
    if not lacking:
        return answer
    detail = f"M3 answered {transaction.name} without {', '.join(lacking)}"
    return Answer(Outcome.IN_DOUBT, answer.records, detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """An attempt with its end. ``about`` is what else the event tells: a line's position, a statement."""

    attempt_id: int
    transaction: Transaction
    step: Step
    answer: Answer
    about: Mapping[str, Any] = field(default_factory=dict)
    document_id: int | None = None


def record(context: Context, tx: Tx, program: str, ended: Sequence[Ended]) -> None:
    """Write how the attempts of one request ended, and the events that the audit shows of it."""
    hand = context.hand
    outcomes, entries = [], []
    for each in ended:
        kept = answer_json(each.answer)
        outcomes.append((each.attempt_id, _OUTCOMES[each.answer.outcome], kept))
        shown = {
            "program": program,
            "transaction": each.transaction.name,
            "step": each.step.value,
            "outcome": each.answer.outcome.value,
        }
        entries.append(Entry("m3.write", {**shown, **each.about, **kept}, each.document_id))
    attempts.end_all(tx, outcomes, at=hand.at)
    events.record_all(tx, entries, at=hand.at, actor=hand.actor, run_id=context.run_id)


def answer_json(answer: Answer) -> dict[str, Any]:
    """An answer as it is kept: M3's records of a write are its keys, no bank numbers."""
    kept: dict[str, Any] = {}
    if answer.records:
        kept["records"] = [dict(record) for record in answer.records]
    if answer.error is not None:
        kept |= {"code": answer.error.code, "field": answer.error.field, "text": answer.error.message}
    if answer.detail:
        kept["detail"] = answer.detail
    return kept


def refusal(program: str, transaction: str, answer: Answer, *, position: int = 0) -> dict[str, Any]:
    """M3's no, whole, as it stands among a failed document's reasons."""
    error = answer.error
    where = f"{program}/{transaction}" + (f" of line {position}" if position else "")
    return {
        "code": (error.code or error.type) if error else "refused",
        "field": error.field if error else "",
        "text": f"{where}: {error.message if error else answer.detail}",
        "suggestions": [],
        "releasable": False,
    }
