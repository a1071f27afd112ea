"""Runs, and what people ask of the ledger as a whole."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, func, insert, select, type_coerce, update
from stampli_infor_transforms.money import decimals_in, decimals_of

from target_infor_cloudsuite.ledger.states import Status
from target_infor_cloudsuite.ledger.sums import exact_sum, summed
from target_infor_cloudsuite.ledger.tables import documents, runs
from target_infor_cloudsuite.ledger.types import utc_text

if TYPE_CHECKING:
    from datetime import datetime

    from target_infor_cloudsuite.ledger.store import Tx


_USUAL_DECIMALS = 2


def begin(tx: Tx, run_id: str, *, worker: str, at: datetime) -> None:
    """Write that a run begins."""
    tx.execute(insert(runs).values(id=run_id, worker=worker, started_at=at))


def end(  # noqa: PLR0913 - a run's row, column by column
    tx: Tx, run_id: str, *, at: datetime, outcome: str, requests: int, throttled: int
) -> None:
    """Write how a run ended and what it cost."""
    tx.execute(
        update(runs)
        .where(runs.c.id == run_id)
        .values(ended_at=at, outcome=outcome, requests=requests, throttled=throttled)
    )


@dataclass(frozen=True, slots=True)
class RunWorker:
    """Who does a run, and whether it has come to its end."""

    worker: str
    ended: bool


def worker_of(tx: Tx, run_id: str) -> RunWorker | None:
    """Who did a run; None where the ledger does not know it."""
    row = tx.execute(select(runs.c.worker, runs.c.ended_at).where(runs.c.id == run_id)).one_or_none()
    return None if row is None else RunWorker(row.worker, row.ended_at is not None)


def last(tx: Tx) -> dict[str, Any] | None:
    """The newest run."""
    row = tx.execute(select(runs).order_by(runs.c.started_at.desc(), runs.c.id).limit(1)).one_or_none()
    if row is None:
        return None
    return {
        "run_id": row.id,
        "started_at": utc_text(row.started_at),
        "ended_at": None if row.ended_at is None else utc_text(row.ended_at),
        "outcome": row.outcome,
        "requests": row.requests,
        "throttled": row.throttled,
    }


def totals(tx: Tx, *, run_id: str = "") -> dict[str, dict[str, dict[str, Any]]]:
    """Per kind and status: ``count``, and ``amounts`` per currency as exact decimal text.

    Args:
        tx: A transaction.
        run_id: Only documents that this run changed last.
    """
    # By company too, for so the rows stand in the index: a million documents are added up six times faster.
    columns = (documents.c.kind, documents.c.company, documents.c.status, documents.c.currency)
    query = select(*columns, func.count().label("documents"), *exact_sum(documents.c.amount)).group_by(
        *columns
    )
    if run_id:
        query = query.where(documents.c.run_id == run_id)
    found: dict[str, dict[str, dict[str, Any]]] = {"invoice": {}, "payment": {}}
    sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for row in tx.execute(query):
        entry = found.setdefault(row.kind, {}).setdefault(row.status, {"count": 0, "amounts": {}})
        entry["count"] += row.documents
        if (amount := summed(row)) is not None:
            sums[row.kind, row.status, row.currency] += amount
    for (kind, status, currency), amount in sorted(sums.items()):
        found[kind][status]["amounts"][currency] = plain_amount(amount, currency)
    return found


def undecided(tx: Tx, run_id: str) -> int:
    """How many documents this run left to a person because nobody could say whether M3 has them."""
    told = type_coerce(documents.c.reasons, Text).like('%"in_doubt_unresolved"%')
    query = select(func.count()).where(
        documents.c.run_id == run_id, documents.c.status == Status.REVIEW.value, told
    )
    return int(tx.execute(query).scalar_one())


def plain_amount(amount: Decimal, currency: str) -> str:
    """An amount as text with its currency's decimals: 121.00 EUR, 128000 JPY, 0.125 KWD.

    A currency that ISO 4217 does not know gets two. Decimals beyond them are never cut.
    """
    known = decimals_of(currency)
    return f"{amount:.{max(_USUAL_DECIMALS if known is None else known, decimals_in(amount))}f}"


def oldest_review(tx: Tx) -> str | None:
    """Since when the longest waiting document is in review, as UTC text."""
    moment = tx.execute(
        select(func.min(documents.c.received_at)).where(documents.c.status == Status.REVIEW.value)
    ).scalar_one_or_none()
    return None if moment is None else utc_text(moment)
