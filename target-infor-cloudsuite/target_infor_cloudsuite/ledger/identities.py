"""The identities of documents, unique for ever: the key at Stampli, and the key in M3 while one holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from target_infor_cloudsuite.ledger.tables import identities

if TYPE_CHECKING:
    from target_infor_cloudsuite.ledger.store import Tx

# Made once: putting a statement together costs more than running it.
_HOLDER = select(identities.c.document_id).where(identities.c.identity == bindparam("wanted"))
_TAKE = insert(identities)
_RELEASE_M3 = delete(identities).where(
    identities.c.document_id == bindparam("its_id"), identities.c.identity.startswith("m3:", autoescape=True)
)


def holder(tx: Tx, identity: str) -> int | None:
    """The document that holds this identity."""
    return tx.execute(_HOLDER, {"wanted": identity}).scalar_one_or_none()


def take(tx: Tx, identity: str, document_id: int) -> int:
    """Take an identity, unless it is held; the id of whoever holds it now."""
    while (held := holder(tx, identity)) is None:
        try:
            with tx.begin_nested():
                tx.execute(_TAKE, {"identity": identity, "document_id": document_id})
        except IntegrityError:
            continue  # another writer was faster; the database's own uniqueness tells, so look again
        return document_id
    return held


def hand_over(tx: Tx, identity: str, *, heir: int) -> None:
    """Give an identity from whoever holds it to a newer revision."""
    tx.execute(update(identities).where(identities.c.identity == identity).values(document_id=heir))


def release_m3(tx: Tx, document_id: int) -> None:
    """Let go of a document's key in M3; its source key stays with it, so that a copy is known as one."""
    tx.execute(_RELEASE_M3, {"its_id": document_id})
