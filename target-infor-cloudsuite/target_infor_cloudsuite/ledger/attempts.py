"""Attempts: what was to be sent to M3, written before it leaves, and how each ended."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, select, update

from target_infor_cloudsuite.ledger.tables import attempts
from target_infor_cloudsuite.ledger.types import canonical_json

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from target_infor_cloudsuite.ledger.documents import Document, Hand, Worker
    from target_infor_cloudsuite.ledger.states import Step
    from target_infor_cloudsuite.ledger.store import Tx


class AttemptOutcome(StrEnum):
    """How an attempt ended. ``sent`` is also what a crash leaves behind: it may have happened."""

    SENT = "sent"
    DONE = "done"
    REFUSED = "refused"
    NOT_RUN = "not_run"
    IN_DOUBT = "in_doubt"
    ABSENT = "absent"  # M3 was asked twice, one settle time apart, and does not have it


#: It may have happened, and M3 has to be asked.
OPEN = (AttemptOutcome.SENT, AttemptOutcome.IN_DOUBT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One transaction of one document (or statement) on its way to M3."""

    id: int
    document_id: int | None
    statement_id: int | None
    step: str
    position: int
    program: str
    transaction_name: str
    cori: str
    request: dict[str, str]
    sent_at: datetime
    answered_at: datetime | None
    outcome: AttemptOutcome
    answer: dict[str, Any]
    looks: int
    looked_at: datetime | None


_COLUMNS = [attempts.c[name] for name in Attempt.__slots__]
# Made once: putting a statement together costs more than running it.
_LAST = select(func.max(attempts.c.id))
_INSERT = insert(attempts)
_END = (
    update(attempts)
    .where(attempts.c.id == bindparam("attempt_id"))
    .values(outcome=bindparam("outcome"), answered_at=bindparam("answered_at"), answer=bindparam("answer"))
)


def _attempt(row: Row[Any]) -> Attempt:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    values["outcome"] = AttemptOutcome(values["outcome"])
    return Attempt(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One transaction that is about to leave. ``position`` counts a document's lines or details from 1."""

    step: Step
    transaction_name: str
    request: Mapping[str, str]
    document: Document | None = None
    position: int = 0


def begin(  # noqa: PLR0913 - what all of a request have in common
    tx: Tx,
    sendings: Sequence[Sending],
    *,
    hand: Hand,
    worker: Worker,
    program: str,
    statement_id: int | None = None,
) -> list[int]:
    """Write attempts that are about to leave, in one request; their ids, in the same order."""
    # Writers take turns, so nobody else numbers an attempt meanwhile; the database itself would hand the
    # numbers out row by row.
    first = (tx.execute(_LAST).scalar_one() or 0) + 1
    numbers = list(range(first, first + len(sendings)))
    rows = [
        {
            "id": number,
            "document_id": None if each.document is None else each.document.id,
            "statement_id": statement_id,
            "run_id": hand.run_id,
            "worker": worker.name,
            "claim_token": 0 if each.document is None else each.document.claim_token,
            "step": each.step.value,
            "position": each.position,
            "program": program,
            "transaction_name": each.transaction_name,
            "cori": "" if each.document is None else each.document.cori,
            "request": dict(each.request),
            "digest": _digest(program, each),
            "sent_at": hand.at,
        }
        for number, each in zip(numbers, sendings, strict=True)
    ]
    tx.execute(_INSERT, rows)
    return numbers


def _digest(program: str, sending: Sending) -> str:
    content = canonical_json([program, sending.transaction_name, dict(sending.request)])
    return hashlib.sha256(content.encode()).hexdigest()


def end_all(tx: Tx, ended: Sequence[tuple[int, AttemptOutcome, Mapping[str, Any]]], *, at: datetime) -> None:
    """Write how attempts ended, as far as that is known: id and outcome, each with M3's answer."""
    rows = [
        {"attempt_id": number, "outcome": outcome.value, "answered_at": at, "answer": dict(answer)}
        for number, outcome, answer in ended
    ]
    if rows:
        tx.execute(_END, rows)


def lose_answers(tx: Tx, found: Sequence[Attempt], *, at: datetime) -> None:
    """The worker that sent these has ended: those that have no answer yet get none, and are in doubt."""
    lost = {"detail": "The worker that sent it ended before the answer was written."}
    unanswered = [each for each in found if each.outcome is AttemptOutcome.SENT]
    end_all(tx, [(each.id, AttemptOutcome.IN_DOUBT, lost) for each in unanswered], at=at)


def decide(
    tx: Tx, doubted: Sequence[Attempt], outcome: AttemptOutcome, *, at: datetime, looked: str = ""
) -> None:
    """Write what became of attempts in doubt; ``looked``: what M3 showed when it was asked."""
    seen = {"looked": looked} if looked else {}
    end_all(tx, [(each.id, outcome, each.answer | seen) for each in doubted], at=at)


def looked(tx: Tx, attempt_ids: Collection[int], *, at: datetime) -> None:
    """Note that M3 was asked and does not have these."""
    tx.execute(
        update(attempts)
        .where(attempts.c.id.in_(attempt_ids))
        .values(looks=attempts.c.looks + 1, looked_at=at)
    )


def of_document(
    tx: Tx, document_id: int, *, step: Step | None = None, cori: str | None = None
) -> list[Attempt]:
    """A document's attempts, oldest first; of one step, of one correlation id."""
    query = select(*_COLUMNS).where(attempts.c.document_id == document_id).order_by(attempts.c.id)
    if step is not None:
        query = query.where(attempts.c.step == step.value)
    if cori is not None:
        query = query.where(attempts.c.cori == cori)
    return [_attempt(row) for row in tx.execute(query)]


def of_statement(tx: Tx, statement_id: int) -> list[Attempt]:
    """A statement's attempts, its payments' lines and details included, oldest first."""
    query = select(*_COLUMNS).where(attempts.c.statement_id == statement_id).order_by(attempts.c.id)
    return [_attempt(row) for row in tx.execute(query)]


def knows_cori(tx: Tx, cori: str) -> int | None:
    """The document that ever sent this correlation id, however long ago."""
    return tx.execute(
        select(attempts.c.document_id).where(attempts.c.cori == cori).limit(1)
    ).scalar_one_or_none()
