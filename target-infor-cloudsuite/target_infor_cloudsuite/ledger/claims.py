"""Who works on which document: one conditional UPDATE with a fencing token and a lease."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select, update

from target_infor_cloudsuite.ledger.document import COLUMNS, of_row
from target_infor_cloudsuite.ledger.tables import documents

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from target_infor_cloudsuite.ledger.document import Document, Worker
    from target_infor_cloudsuite.ledger.states import Status
    from target_infor_cloudsuite.ledger.store import Tx


def claim(  # noqa: PLR0913 - each filter by its name
    tx: Tx,
    *,
    worker: Worker,
    now: datetime,
    kind: str,
    statuses: Collection[Status],
    limit: int,
    unresolved_in: str = "",
) -> list[Document]:
    """Claim up to ``limit`` documents that nobody living holds; each claim raises the fencing token.

    Args:
        tx: A writing transaction.
        worker: Who claims.
        now: The present moment.
        kind: ``invoice`` or ``payment``.
        statuses: In which statuses.
        limit: How many at most.
        unresolved_in: Only those that this run has not resolved yet.
    """
    free = or_(
        documents.c.claimed_by == "", documents.c.claimed_by == worker.name, documents.c.claim_until < now
    )
    wanted = (
        select(documents.c.id)
        .where(documents.c.kind == kind, documents.c.status.in_([s.value for s in statuses]), free)
        .order_by(documents.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if unresolved_in:
        wanted = wanted.where(documents.c.resolved_run != unresolved_in)
    ids = list(tx.execute(wanted).scalars())
    if not ids:
        return []
    tx.execute(
        update(documents)
        .where(documents.c.id.in_(ids), free)
        .values(claimed_by=worker.name, claim_token=documents.c.claim_token + 1, claim_until=worker.lease_end)
    )
    rows = tx.execute(
        select(*COLUMNS)
        .where(documents.c.id.in_(ids), documents.c.claimed_by == worker.name)
        .order_by(documents.c.id)
    )
    return [of_row(row) for row in rows]


def renew(tx: Tx, worker: Worker) -> None:
    """Prolong everything this worker holds until its new lease end."""
    tx.execute(
        update(documents).where(documents.c.claimed_by == worker.name).values(claim_until=worker.lease_end)
    )


def release(tx: Tx, worker_name: str) -> None:
    """Let go of everything a worker holds: it has ended, or it is dead."""
    tx.execute(
        update(documents).where(documents.c.claimed_by == worker_name).values(claimed_by="", claim_until=None)
    )


def claimants(tx: Tx) -> list[str]:
    """The workers that hold anything."""
    return list(
        tx.execute(select(documents.c.claimed_by).distinct().where(documents.c.claimed_by > "")).scalars()
    )
