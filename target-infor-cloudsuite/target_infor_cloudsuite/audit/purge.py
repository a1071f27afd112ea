"""Retention: raw records and events older than they need to be are forgotten, and that is an event."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from target_infor_cloudsuite.ledger import events, retention
from target_infor_cloudsuite.ledger.types import utc_text

if TYPE_CHECKING:
    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Hand


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge forgot: of before which moment, and up to which event."""

    before: str
    raw_records: int
    events: int
    through: int


def purge(tx: Tx, *, days: int, hand: Hand, why: str) -> Purged:
    """Forget raw records of final documents, and events, of more than so many whole days (UTC) ago.

    The event that says so carries the hash of the last event that went, so that the rest of the chain still
    proves itself. What a document is known by stays for ever.
    """
    before = datetime.combine(hand.at.astimezone(UTC).date() - timedelta(days=days), time(), tzinfo=UTC)
    raw_records = retention.purge_raw(tx, before=before)
    last = retention.last_event_before(tx, before)
    if last is None:
        end = events.end_of_chain(tx)
        seq, digest, gone = end.purged_seq, end.purged_hash, 0
    else:
        seq, digest = last
        gone = retention.purge_events(tx, seq, digest)
    purged = Purged(utc_text(before), raw_records, gone, seq)
    if raw_records or gone:
        details = asdict(purged) | {"hash": digest, "why": why}
        events.record(tx, "ledger.purged", at=hand.at, actor=hand.actor, details=details)
    return purged
