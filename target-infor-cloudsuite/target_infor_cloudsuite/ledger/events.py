"""The chain of events: who, what, when, why. Each event's hash covers the one before it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from target_infor_cloudsuite.ledger.tables import chain, events
from target_infor_cloudsuite.ledger.types import canonical_json, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from target_infor_cloudsuite.ledger.store import Tx

#: What the first event names as the one before it.
GENESIS = "0" * 64
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the chain, as it stands in the ledger and in the audit files."""

    seq: int
    at: datetime
    actor: str
    action: str
    document_id: int | None
    run_id: str
    details: Any
    previous_hash: str
    hash: str

    def content(self) -> dict[str, Any]:
        """Everything the hash covers."""
        return {
            "seq": self.seq,
            "at": utc_text(self.at),
            "actor": self.actor,
            "action": self.action,
            "document_id": self.document_id,
            "run_id": self.run_id,
            "details": self.details,
            "previous_hash": self.previous_hash,
        }

    def expected_hash(self) -> str:
        """The hash this content must have: SHA-256 of its canonical JSON."""
        return hashlib.sha256(canonical_json(self.content()).encode()).hexdigest()


def record(
    tx: Tx,
    action: str,
    *,
    at: datetime,
    actor: str,
    run_id: str = "",
    document_id: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Append one event to the chain, within the caller's transaction."""
    row = tx.execute(select(chain.c.seq, chain.c.hash).where(chain.c.id == 1).with_for_update()).one_or_none()
    if row is None:
        tx.execute(insert(chain).values(id=1, seq=0, hash=GENESIS))
    seq, previous = (0, GENESIS) if row is None else (row.seq, row.hash)
    event = Event(
        seq=seq + 1,
        at=at,
        actor=actor,
        action=action,
        document_id=document_id,
        run_id=run_id,
        details=dict(details or {}),
        previous_hash=previous,
        hash="",
    )
    digest = event.expected_hash()
    tx.execute(
        insert(events).values(
            seq=event.seq,
            at=at,
            actor=actor,
            action=action,
            document_id=document_id,
            run_id=run_id,
            details=event.details,
            previous_hash=previous,
            hash=digest,
        )
    )
    tx.execute(update(chain).where(chain.c.id == 1).values(seq=event.seq, hash=digest))


def since(tx: Tx, seq: int) -> Iterator[Event]:
    """Every event after this number, in order, read a page at a time."""
    while True:
        rows = tx.execute(select(events).where(events.c.seq > seq).order_by(events.c.seq).limit(_PAGE)).all()
        for row in rows:
            yield Event(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
        if len(rows) < _PAGE:
            return
        seq = rows[-1].seq


def of_document(tx: Tx, document_id: int) -> list[Event]:
    """What happened to one document, in order."""
    rows = tx.execute(select(events).where(events.c.document_id == document_id).order_by(events.c.seq)).all()
    return [Event(**row._mapping) for row in rows]  # noqa: SLF001


def end_of_chain(tx: Tx) -> tuple[int, str]:
    """The number and hash of the newest event; (0, GENESIS) in a new ledger."""
    row = tx.execute(select(chain.c.seq, chain.c.hash).where(chain.c.id == 1)).one_or_none()
    return (0, GENESIS) if row is None else (row.seq, row.hash)
