"""What a ledger may forget after a while: raw records and old events. Never who a document is.

Keys, hashes, statuses, amounts and M3's numbers stay for ever, so that a purged document that comes again is
still known as posted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, or_, select, update

from target_infor_cloudsuite.ledger.states import Status
from target_infor_cloudsuite.ledger.tables import chain, documents, events, exports

if TYPE_CHECKING:
    from datetime import datetime

    from target_infor_cloudsuite.ledger.store import Tx

#: What is final; anything else, dismissed documents too, may still be mapped again from its raw record.
_FINAL = [status.value for status in (Status.POSTED, Status.DUPLICATE, Status.SUPERSEDED)]
#: What stands in the place of a purged raw record, also for a document that came mapped.
PURGED: dict[str, Any] = {"purged": True, "source": {}}


def purge_raw(tx: Tx, *, before: datetime) -> int:
    """Forget the raw records of documents that became final before a moment; how many that were.

    A payment that M3 does not show as settled yet is not final, nor is a part of an invoice whose first part
    waits: how the invoice was divided is told from it.
    """
    wholes = documents.alias("wholes")
    whole_is_final = or_(
        documents.c.part_of.is_(None),
        select(wholes.c.id).where(wholes.c.id == documents.c.part_of, wholes.c.status.in_(_FINAL)).exists(),
    )
    settled = or_(
        documents.c.kind != "payment", documents.c.status != Status.POSTED.value, documents.c.settled
    )
    changed = tx.execute(
        update(documents)
        .where(
            documents.c.status.in_(_FINAL),
            documents.c.updated_at < before,
            documents.c.raw != PURGED,
            settled,
            whole_is_final,
        )
        .values(raw=PURGED)
    )
    return changed.rowcount


def last_event_before(tx: Tx, moment: datetime) -> tuple[int, str] | None:
    """Number and hash of the last event before the first one that is younger than a moment."""
    first_kept = tx.execute(select(func.min(events.c.seq)).where(events.c.at >= moment)).scalar_one_or_none()
    query = select(events.c.seq, events.c.hash).order_by(events.c.seq.desc()).limit(1)
    if first_kept is not None:
        query = query.where(events.c.seq < first_kept)
    row = tx.execute(query).one_or_none()
    return None if row is None else (row.seq, row.hash)


def purge_events(tx: Tx, seq: int, digest: str) -> int:
    """Forget all events up to this one, whose hash the rest of the chain follows; how many that were."""
    gone = tx.execute(delete(events).where(events.c.seq <= seq))
    tx.execute(update(chain).where(chain.c.id == 1).values(purged_seq=seq, purged_hash=digest))
    return gone.rowcount


# -- how far the audit files reach --------------------------------------------------------------------------


def exported(tx: Tx, folder: str, seq: int) -> None:
    """Note that the audit files of a folder hold every event up to this one."""
    changed = tx.execute(update(exports).where(exports.c.folder == folder).values(seq=seq))
    if changed.rowcount == 0:
        tx.execute(insert(exports).values(folder=folder, seq=seq))


def exported_up_to(tx: Tx, folder: str) -> int:
    """Up to which event the files of a folder reach; of files that were copied here, the least of all."""
    found = {row.folder: int(row.seq) for row in tx.execute(select(exports.c.folder, exports.c.seq))}
    return found.get(folder, min(found.values(), default=0))
