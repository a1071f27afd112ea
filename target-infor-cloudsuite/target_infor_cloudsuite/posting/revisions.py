"""The same document again: a copy, a newer revision, a late older one, or a change that comes too late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.reasons import reason

from target_infor_cloudsuite.ledger import documents
from target_infor_cloudsuite.ledger.retention import PURGED
from target_infor_cloudsuite.ledger.states import HELD_BY_M3, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_infor_cloudsuite.ledger.documents import Document, Hand
    from target_infor_cloudsuite.ledger.store import Tx

#: A newer revision takes the place of what waits in one of these.
_WAITING = frozenset({Status.RECEIVED, Status.REVIEW, Status.READY, Status.FAILED})


def is_undecided(document: Document) -> bool:
    """Whether a write of it may have happened that M3 could not be asked about: a person has to decide."""
    return document.status is Status.REVIEW and any(
        each["code"] == "in_doubt_unresolved" for each in document.reasons
    )


def binds_its_key(document: Document) -> bool:
    """Whether M3 holds the document, or may: a changed revision cannot simply take its place."""
    return document.status in HELD_BY_M3 or document.status is Status.DUPLICATE or is_undecided(document)


def source_record(document: Document) -> Mapping[str, Any]:
    """The record as the tap sent it, also of a document that came through the mapper."""
    record: Mapping[str, Any] = document.raw["source"] if document.arrived_mapped else document.raw
    return record


def settle_revision(tx: Tx, *, new_id: int, held_by: int, hand: Hand) -> None:
    """A document that is known already has come again: a copy, a newer revision, or a late older one."""
    new, held = documents.get(tx, new_id), documents.get(tx, held_by)
    if new is None or held is None or new.source_key is None:
        raise LookupError(f"Document {new_id} or {held_by} is not in the ledger that just named it.")
    relatives = [other for other in documents.same_source(tx, new.source_key) if other.id != new.id]
    newest = max(relatives, key=_moment, default=held)
    copy_of = next(
        (
            other
            for other in relatives
            if _is_copy(new, other) and (other.id in {held.id, newest.id} or binds_its_key(other))
        ),
        None,
    )
    if copy_of is not None:
        why = f"The same document with the same content came before (document {copy_of.id})."
        documents.move(tx, new, Status.DUPLICATE, hand=hand, why=why, other_id=copy_of.id)
        if binds_its_key(copy_of) and _moment(new) > _moment(newest):
            _supersede(tx, relatives, by=new, but=copy_of, hand=hand)  # the change was taken back
    elif _moment(new) < _moment(newest):
        why = f"An older revision that came late; document {newest.id} is newer."
        documents.move(tx, new, Status.SUPERSEDED, hand=hand, why=why, other_id=newest.id)
    else:
        _supersede(tx, relatives, by=new, but=new, hand=hand)
        if binds_its_key(held):
            _hold_as_amended(tx, new, held, hand=hand)
        else:
            documents.hand_over_identity(tx, f"source:{new.source_key}", heir=new.id)


def _supersede(tx: Tx, relatives: Sequence[Document], *, by: Document, but: Document, hand: Hand) -> None:
    """Older revisions that wait give way; what M3 may hold does not."""
    for other in relatives:
        if other.status in _WAITING and other.id != but.id and not is_undecided(other):
            why = f"Document {by.id} is a newer revision."
            documents.move(tx, other, Status.SUPERSEDED, hand=hand, why=why, other_id=by.id)


def _hold_as_amended(tx: Tx, new: Document, held: Document, *, hand: Hand) -> None:
    """A change of what M3 holds, or may hold, is for a person."""
    amended = reason(
        "amended_after_posting",
        "invoice_number",
        f"Document {held.id} of the same {held.kind} is {held.status} already, and this revision differs: "
        f"{_difference(held, new)}. Correct it in M3 by hand, then dismiss this revision.",
    )
    reasons = [amended.to_json()]
    documents.move(tx, new, Status.REVIEW, hand=hand, why=amended.text, other_id=held.id, reasons=reasons)


def _is_copy(new: Document, other: Document) -> bool:
    """Same content; and where it still waits, the same approval and mapping: it may wait for those."""
    if new.content_hash != other.content_hash:
        return False
    return other.status not in _WAITING or _standing(new) == _standing(other)


def _standing(document: Document) -> tuple[Any, Any]:
    """Stampli's status, and of a document that came mapped the crosswalks it was mapped by."""
    return source_record(document).get("status"), document.raw.get("crosswalk_version")


def _moment(document: Document) -> tuple[str, str, int]:
    return (document.source_mtime, document.source_file, document.source_line)


def _difference(held: Document, new: Document) -> str:
    if held.raw == PURGED:
        return "in what, nobody can say any more, as its raw record was purged"
    names = [
        name
        for name, value in sorted(source_record(new).items())
        if not name.startswith("_sdc_") and value != source_record(held).get(name)
    ]
    return ", ".join(names) or "the order of its lines"
