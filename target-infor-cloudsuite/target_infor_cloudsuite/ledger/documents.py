"""Documents in the ledger: reading them, claiming them, moving them from status to status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, or_, select, update

from target_infor_cloudsuite.ledger import events, identities
from target_infor_cloudsuite.ledger.document import (
    COLUMNS,
    ClaimLost,
    Document,
    Hand,
    Worker,
    of_row,
)
from target_infor_cloudsuite.ledger.states import OUT_OF_THE_WAY, Status, check_move
from target_infor_cloudsuite.ledger.tables import documents

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from target_infor_cloudsuite.ledger.store import Tx


__all__ = ["ClaimLost", "Document", "Hand", "Worker"]


# Made once: putting a statement together costs more than running it.
_ONE = select(*COLUMNS).where(documents.c.id == bindparam("its_id"))
_OF_DELIVERY = select(documents.c.id).where(documents.c.delivery == bindparam("known"))
_INSERT = insert(documents)
_CHANGE = update(documents).where(
    documents.c.id == bindparam("its_id"), documents.c.status == bindparam("its_status")
)
_CHANGE_CLAIMED = _CHANGE.where(
    documents.c.claimed_by == bindparam("its_holder"), documents.c.claim_token == bindparam("its_token")
)


def get(tx: Tx, document_id: int) -> Document | None:
    """One document, or None."""
    row = tx.execute(_ONE, {"its_id": document_id}).one_or_none()
    return None if row is None else of_row(row)


def having(tx: Tx, ids: Collection[int]) -> list[Document]:
    """The documents with these ids, in id order."""
    rows = tx.execute(select(*COLUMNS).where(documents.c.id.in_(ids)).order_by(documents.c.id))
    return [of_row(row) for row in rows]


def find(  # noqa: PLR0913 - each filter by its name
    tx: Tx,
    *,
    kinds: Collection[str] = (),
    statuses: Collection[str] = (),
    run_id: str = "",
    after: int = 0,
    limit: int | None = None,
) -> list[Document]:
    """Documents in id order; an empty filter lets everything through."""
    query = select(*COLUMNS).where(documents.c.id > after).order_by(documents.c.id)
    if kinds:
        query = query.where(documents.c.kind.in_(kinds))
    if statuses:
        query = query.where(documents.c.status.in_(statuses))
    if run_id:
        query = query.where(documents.c.run_id == run_id)
    if limit is not None:
        query = query.limit(limit)
    return [of_row(row) for row in tx.execute(query)]


def seen_by(tx: Tx, run_id: str) -> list[Document]:
    """Documents that a run changed or resolved, in id order."""
    query = select(*COLUMNS).where(or_(documents.c.run_id == run_id, documents.c.resolved_run == run_id))
    return [of_row(row) for row in tx.execute(query.order_by(documents.c.id))]


def any_in(tx: Tx, statuses: Collection[Status]) -> bool:
    """Whether any invoice or payment is in one of these statuses."""
    query = select(documents.c.id).where(
        documents.c.kind.in_(["invoice", "payment"]), documents.c.status.in_([s.value for s in statuses])
    )
    return tx.execute(query.limit(1)).first() is not None


def add(tx: Tx, *, hand: Hand, values: dict[str, Any]) -> int | None:
    """Write a new document; None when this very delivery is in the ledger already."""
    known = tx.execute(_OF_DELIVERY, {"known": values["delivery"]}).one_or_none()
    if known is not None:
        return None
    result = tx.execute(
        _INSERT, values | {"run_id": hand.run_id, "received_at": hand.at, "updated_at": hand.at}
    )
    key = result.inserted_primary_key
    if key is None:
        raise LookupError("The database gave no id for the new document.")
    document_id = int(key[0])
    events.record(
        tx,
        f"document.{values['status']}",
        at=hand.at,
        actor=hand.actor,
        run_id=hand.run_id,
        document_id=document_id,
        details={
            name: values.get(name)
            for name in (
                "kind",
                "number",
                "company",
                "currency",
                "amount",
                "source_file",
                "source_line",
                "source_sha256",
            )
            if values.get(name) is not None
        },
    )
    return document_id


def move(  # noqa: PLR0913 - the one place where a status changes
    tx: Tx,
    document: Document,
    to: Status,
    *,
    hand: Hand,
    worker: Worker | None = None,
    why: str = "",
    details: dict[str, Any] | None = None,
    **changes: Any,
) -> None:
    """Change a document's status, and with it any columns, and write the event.

    Raises:
        IllegalMove: The table of statuses does not allow it.
        ClaimLost: ``worker`` no longer holds the document, or it changed meanwhile.
    """
    check_move(document.status, to)
    wanted: dict[str, Any] = {"its_id": document.id, "its_status": document.status.value}
    if worker is not None:
        wanted |= {"its_holder": worker.name, "its_token": document.claim_token}
    if hand.run_id:
        changes["run_id"] = hand.run_id
    changed = tx.execute(
        _CHANGE if worker is None else _CHANGE_CLAIMED,
        wanted | changes | {"status": to.value, "updated_at": hand.at},
    )
    if changed.rowcount != 1:
        raise ClaimLost(f"{document.label} is no longer held by this worker.")
    events.record(
        tx,
        f"document.{to}",
        at=hand.at,
        actor=hand.actor,
        run_id=hand.run_id,
        document_id=document.id,
        details={"from": document.status.value, **({"why": why} if why else {}), **(details or {})},
    )
    if to in OUT_OF_THE_WAY:
        identities.release_m3(tx, document.id)


def note_progress(tx: Tx, document: Document, *, hand: Hand, worker: Worker, **changes: Any) -> None:
    """Change columns of a claimed document whose status stays (its step, its INBN, ..).

    Raises:
        ClaimLost: ``worker`` no longer holds the document, or its status changed meanwhile.
    """
    wanted = {
        "its_id": document.id,
        "its_status": document.status.value,
        "its_holder": worker.name,
        "its_token": document.claim_token,
    }
    changed = tx.execute(_CHANGE_CLAIMED, wanted | changes | {"updated_at": hand.at, "run_id": hand.run_id})
    if changed.rowcount != 1:
        raise ClaimLost(f"{document.label} is no longer held by this worker.")


def set_values(tx: Tx, document_id: int, **changes: Any) -> None:
    """Change columns that no worker competes for (an acceptance, a note)."""
    tx.execute(update(documents).where(documents.c.id == document_id).values(**changes))


# -- families ----------------------------------------------------------------------------------------------


def same_source(tx: Tx, source_key: str) -> list[Document]:
    """Every delivery of one document that is not out of the way, oldest first."""
    rows = tx.execute(
        select(*COLUMNS)
        .where(documents.c.source_key == source_key, documents.c.status != Status.SUPERSEDED.value)
        .order_by(documents.c.id)
    )
    return [of_row(row) for row in rows]


_DISMISSED = (
    select(documents.c.id)
    .where(documents.c.source_key == bindparam("wanted"), documents.c.status == Status.DISMISSED.value)
    .limit(1)
)


def any_dismissed(tx: Tx, source_key: str) -> bool:
    """Whether a person has dismissed any delivery of a document."""
    return tx.execute(_DISMISSED, {"wanted": source_key}).first() is not None


def parts(tx: Tx, document_id: int) -> list[Document]:
    """The documents that are parts of this one, whatever became of them, oldest first."""
    query = select(*COLUMNS).where(documents.c.part_of == document_id).order_by(documents.c.id)
    return [of_row(row) for row in tx.execute(query)]


def first_part(tx: Tx, source_key: str, content_hash: str, *, values: Mapping[str, Any]) -> Document | None:
    """The document that the first part of an invoice became, out of the same row of the same file."""
    same = [documents.c[name] == values[name] for name in ("source_file", "source_line", "source_mtime")]
    query = select(*COLUMNS).where(
        documents.c.source_key == source_key,
        documents.c.content_hash == content_hash,
        documents.c.part_of.is_(None),
        *same,
    )
    row = tx.execute(query.order_by(documents.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else of_row(row)


def family(tx: Tx, document_id: int) -> set[int]:
    """The documents that one invoice was divided into, this one among them."""
    own = select(func.coalesce(documents.c.part_of, documents.c.id)).where(documents.c.id == document_id)
    whole = tx.execute(own).scalar_one_or_none()
    query = select(documents.c.id).where(or_(documents.c.id == whole, documents.c.part_of == whole))
    return {document_id, *tx.execute(query).scalars()}


def by_source_key(tx: Tx, source_key: str) -> Document | None:
    """The document that holds this source key."""
    held = identities.holder(tx, f"source:{source_key}")
    return None if held is None else get(tx, held)


def by_cori(tx: Tx, cori: str) -> list[Document]:
    """The documents that ever used this correlation id as their present one."""
    return [of_row(row) for row in tx.execute(select(*COLUMNS).where(documents.c.cori == cori))]


def rejected_of_file(tx: Tx, path: str) -> list[Document]:
    """What the tap rejected of a file of this name."""
    rows = tx.execute(
        select(*COLUMNS).where(documents.c.source_file == path, documents.c.status == Status.REJECTED.value)
    )
    return [of_row(row) for row in rows]


def statuses(tx: Tx) -> Iterator[tuple[int, str]]:
    """Number and status of every document."""
    for row in tx.execute(select(documents.c.id, documents.c.status).order_by(documents.c.id)):
        yield row.id, row.status


def count(tx: Tx) -> int:
    """How many documents there are."""
    return int(tx.execute(select(func.count()).select_from(documents)).scalar_one())
