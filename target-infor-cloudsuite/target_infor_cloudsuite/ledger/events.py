"""The chain of events: who, what, when, why. Each event's hash covers the one before it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, insert, select, type_coerce, update

from target_infor_cloudsuite.ledger.seal import AuditKeys
from target_infor_cloudsuite.ledger.store import LedgerError
from target_infor_cloudsuite.ledger.tables import chain, events
from target_infor_cloudsuite.ledger.types import canonical_json, utc_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sqlalchemy import Select

    from target_infor_cloudsuite.ledger.store import Tx

#: What the first event names as the one before it.
GENESIS = "0" * 64
_PAGE = 1000
_BEFORE_ALL = -(2**31)
_END = select(chain.c.seq, chain.c.hash, chain.c.key_id, chain.c.purged_seq, chain.c.purged_hash).where(
    chain.c.id == 1
)
# Made once: putting a statement together costs more than running it.
_LOCKED_END = _END.with_for_update()
_INSERT = insert(events)
_ADVANCE = update(chain).where(chain.c.id == 1)


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
    key_id: str = ""

    def content(self) -> dict[str, Any]:
        """Everything the hash covers; an event without a key looks as it did before there were keys."""
        content = {
            "seq": self.seq,
            "at": utc_text(self.at),
            "actor": self.actor,
            "action": self.action,
            "document_id": self.document_id,
            "run_id": self.run_id,
            "details": self.details,
            "previous_hash": self.previous_hash,
        }
        return content | {"key_id": self.key_id} if self.key_id else content

    def expected_hash(self, keys: AuditKeys) -> str | None:
        """The hash this content must have: the seal of its canonical JSON; None where its key is unknown."""
        return keys.seal(canonical_json(self.content()), self.key_id)


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """Where the chain ends, under which key, and where what a purge left of it begins."""

    seq: int = 0
    hash: str = GENESIS
    key_id: str = ""
    purged_seq: int = 0
    purged_hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A row of the chain; ``event`` is None where its time or details are not as they were written."""

    seq: int
    event: Event | None
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What one event tells, apart from who, when, and in which run."""

    action: str
    details: Mapping[str, Any] = field(default_factory=dict)
    document_id: int | None = None


def record(  # noqa: PLR0913 - an event's row, column by column
    tx: Tx,
    action: str,
    *,
    at: datetime,
    actor: str,
    run_id: str = "",
    document_id: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Append one event to the chain, within the caller's transaction. Raises as `record_all`."""
    record_all(tx, [Entry(action, details or {}, document_id)], at=at, actor=actor, run_id=run_id)


def record_all(tx: Tx, entries: Sequence[Entry], *, at: datetime, actor: str, run_id: str = "") -> None:
    """Append events to the chain in their order, within the caller's transaction.

    Raises:
        LedgerError: The chain is under a key that was not given; nothing is written without it.
    """
    if not entries:
        return
    keys = audit_keys(tx)
    row = tx.execute(_LOCKED_END).one_or_none()
    end = ChainEnd() if row is None else ChainEnd(*row)
    if row is None:
        tx.execute(insert(chain).values(id=1, seq=0, hash=GENESIS))
    if end.key_id and end.key_id not in keys.by_id:
        raise LedgerError(
            f"The ledger's events are sealed with the key {end.key_id}, which the setting audit_key lacks. "
            "Give that key (behind a newer one, if it is being replaced); or, if it is lost, accept that by "
            "`cloudsuite-ap audit rekey`. Nothing was written."
        )
    rows: list[dict[str, Any]] = []
    last, key_id = end.hash, keys.current
    for seq, entry in enumerate(entries, start=end.seq + 1):
        event = Event(
            seq=seq,
            at=at,
            actor=actor,
            action=entry.action,
            document_id=entry.document_id,
            run_id=run_id,
            details=dict(entry.details),
            previous_hash=last,
            hash="",
            key_id=key_id,
        )
        last = event.expected_hash(keys) or ""
        rows.append({name: getattr(event, name) for name in Event.__slots__} | {"hash": last})
    tx.execute(_INSERT, rows)
    tx.execute(_ADVANCE, {"seq": rows[-1]["seq"], "hash": last, "key_id": key_id})


def audit_keys(tx: Tx) -> AuditKeys:
    """The keys that the ledger was opened with."""
    found: AuditKeys = tx.get_execution_options().get("audit_keys") or AuditKeys()
    return found


def forget_key(tx: Tx) -> str:
    """Let the chain go on without the key that sealed it so far; that key's id, blank where there is none."""
    lost = end_of_chain(tx).key_id
    tx.execute(update(chain).where(chain.c.id == 1).values(key_id=""))
    return lost


def stored(tx: Tx) -> Iterator[StoredEvent]:
    """Every row of the chain as the database holds it, in order, also one that we could not have written."""
    columns = [
        type_coerce(column, Text) if column.name in {"at", "details"} else column for column in events.c
    ]
    seq = _BEFORE_ALL
    while True:
        query = select(*columns).where(events.c.seq > seq).order_by(events.c.seq).limit(_PAGE)
        rows = tx.execute(query).all()
        for row in rows:
            yield StoredEvent(row.seq, _readable(dict(row._mapping)), row.previous_hash, row.hash)  # noqa: SLF001
        if len(rows) < _PAGE:
            return
        seq = rows[-1].seq


def _readable(row: dict[str, Any]) -> Event | None:
    """The row as an event; None unless time and details stand there letter by letter as we write them."""
    try:
        read = {"at": datetime.fromisoformat(row["at"]), "details": json.loads(row["details"])}
        as_written = utc_text(read["at"]) == row["at"] and canonical_json(read["details"]) == row["details"]
    except (TypeError, ValueError, AttributeError):
        return None
    return Event(**row | read) if as_written else None


def at_number(tx: Tx, seq: int) -> Event | None:
    """One event by its number."""
    row = tx.execute(select(events).where(events.c.seq == seq)).one_or_none()
    return None if row is None else Event(**row._mapping)  # noqa: SLF001


def since(tx: Tx, seq: int) -> Iterator[Event]:
    """Every event after this number, in order, read a page at a time."""
    yield from _paged(tx, select(events), seq)


def chosen(tx: Tx, document_ids: Collection[int]) -> Iterator[Event]:
    """The events of some documents in order; without ids all of them."""
    query = select(events)
    yield from _paged(tx, query.where(events.c.document_id.in_(document_ids)) if document_ids else query, 0)


def _paged(tx: Tx, query: Select[Any], seq: int) -> Iterator[Event]:
    while True:
        rows = tx.execute(query.where(events.c.seq > seq).order_by(events.c.seq).limit(_PAGE)).all()
        for row in rows:
            yield Event(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
        if len(rows) < _PAGE:
            return
        seq = rows[-1].seq


def of_document(tx: Tx, document_id: int) -> list[Event]:
    """What happened to one document, in order."""
    rows = tx.execute(select(events).where(events.c.document_id == document_id).order_by(events.c.seq)).all()
    return [Event(**row._mapping) for row in rows]  # noqa: SLF001


def last_but(tx: Tx, actions: Collection[str]) -> datetime | None:
    """When the last event happened that is none of these; None where there is none."""
    query = select(events.c.at).where(events.c.action.not_in(actions)).order_by(events.c.seq.desc()).limit(1)
    found: datetime | None = tx.execute(query).scalar_one_or_none()
    return found


def last_reason(tx: Tx, document_id: int, action: str) -> tuple[str, str]:
    """Who did this to a document last, and why; what is not told is shown as a dash."""
    found = [each for each in of_document(tx, document_id) if each.action == action]
    return (found[-1].actor, str(found[-1].details.get("why") or "-")) if found else ("-", "-")


def last_of(tx: Tx, actions: Collection[str]) -> str:
    """Which of some actions was the last one; '' for none of them."""
    newest = select(events.c.action).where(events.c.action.in_(actions)).order_by(events.c.seq.desc())
    return str(tx.execute(newest.limit(1)).scalar_one_or_none() or "")


def end_of_chain(tx: Tx) -> ChainEnd:
    """Where the chain ends; a new ledger's is empty."""
    row = tx.execute(_END).one_or_none()
    return ChainEnd() if row is None else ChainEnd(*row)
