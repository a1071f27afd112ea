"""The same document again: a copy, a newer revision, a late older one, or a change that comes too late."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.hints import confirmation_key
from stampli_infor_transforms.reasons import reason
from stampli_infor_transforms.values import text_of

from target_infor_cloudsuite.ledger import documents, events, identities
from target_infor_cloudsuite.ledger.retention import PURGED
from target_infor_cloudsuite.ledger.states import HELD_BY_M3, OUT_OF_THE_WAY, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stampli_infor_transforms.reasons import Reason

    from target_infor_cloudsuite.ledger.documents import Document, Hand
    from target_infor_cloudsuite.ledger.store import Tx

#: A newer revision takes the place of what waits in one of these.
_WAITING = frozenset({Status.RECEIVED, Status.REVIEW, Status.READY, Status.FAILED})
#: What makes no other document of one; see `identity.content_hash`.
_NO_DIFFERENCE = frozenset({"status", "approved_at", "extra"})
_UNTOLD = datetime.min.replace(tzinfo=UTC)


def is_undecided(document: Document) -> bool:
    """Whether a write of it may have happened that M3 could not be asked about: a person has to decide."""
    return document.status is Status.REVIEW and any(
        each["code"] == "in_doubt_unresolved" for each in document.reasons
    )


def binds_its_key(document: Document) -> bool:
    """Whether M3 holds the document, or may: a changed revision cannot simply take its place."""
    return document.status in HELD_BY_M3 or document.status is Status.DUPLICATE or is_undecided(document)


def binds(tx: Tx, document: Document) -> bool:
    """As `binds_its_key`, of a document or of any part of it: what M3 holds a part of is changed by hand."""
    return binds_its_key(document) or any(binds_its_key(part) for part in documents.parts(tx, document.id))


def source_record(document: Document) -> Mapping[str, Any]:
    """The record as the tap sent it, also of a document that came through the mapper."""
    record: Mapping[str, Any] = document.raw["source"] if document.arrived_mapped else document.raw
    return record


def confirmation_of(document: Document) -> str:
    """What a confirmed match by name is kept under: the vendor as the document names it."""
    record = source_record(document)
    return confirmation_key(
        vendor_id=text_of(record.get("vendor_id")) or "", vendor_name=text_of(record.get("vendor_name")) or ""
    )


def is_older(document: Document, other: Document) -> bool:
    """Whether a revision was exported before another one."""
    return _moment(document) < _moment(other)


def newer_revision(tx: Tx, document: Document) -> Document | None:
    """The newest later revision of a document that still counts."""
    later = [
        other
        for other in documents.same_source(tx, document.source_key or "")
        if other.id != document.id and is_older(document, other) and other.status not in OUT_OF_THE_WAY
    ]
    return max(later, key=_moment, default=None)


def dismissed_before(tx: Tx, document: Document) -> list[Reason]:
    """Why a revision is held whose earlier one a person dismissed: that decision is not undone by a file."""
    if not documents.any_dismissed(tx, document.source_key or ""):  # as nearly always, and quickly told
        return []
    earlier = [
        other
        for other in documents.same_source(tx, document.source_key or "")
        if other.id != document.id
        and not is_older(document, other)
        and other.status is not Status.DUPLICATE  # a copy says nothing about what it is a copy of
    ]
    newest = max(earlier, key=_moment, default=None)
    if newest is None or newest.status is not Status.DISMISSED:
        return []
    by, why = events.last_reason(tx, newest.id, f"document.{Status.DISMISSED}")
    text = (
        f"Document {newest.id} of the same {newest.kind} was dismissed by {by} ({why}), and this revision "
        f"differs: {_difference(newest, document)}. Release it to post it after all, or dismiss it too."
    )
    return [reason("dismissed_before", "", text)]


def inherits(tx: Tx, document: Document, holder: Document) -> bool:
    """Whether a document takes the place of the one that holds its source key and never got to M3."""
    return not binds(tx, holder) and not (holder.status in _WAITING and is_older(document, holder))


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
            if _is_copy(new, other) and (other.id in {held.id, newest.id} or binds(tx, other))
        ),
        None,
    )
    if copy_of is not None:
        why = f"The same document with the same content came before (document {copy_of.id})."
        documents.move(tx, new, Status.DUPLICATE, hand=hand, why=why, other_id=copy_of.id)
        if binds(tx, copy_of) and _moment(new) > _moment(newest):
            _supersede(tx, relatives, by=new, but=copy_of, hand=hand)  # the change was taken back
    elif _moment(new) < _moment(newest):
        why = f"An older revision that came late; document {newest.id} is newer."
        documents.move(tx, new, Status.SUPERSEDED, hand=hand, why=why, other_id=newest.id)
    else:
        _supersede(tx, relatives, by=new, but=new, hand=hand)
        if binds(tx, held):
            _hold_as_amended(tx, new, held, hand=hand)
        else:
            identities.hand_over(tx, f"source:{new.source_key}", heir=new.id)


def settle_part(tx: Tx, part_id: int, first: Document, *, hand: Hand) -> None:
    """A further part of an invoice that came divided: a copy, outdated, held or new, as the first is."""
    part = documents.get(tx, part_id)
    if part is None:
        raise LookupError(f"Document {part_id} is not in the ledger that just took it.")
    why = f"Its first part is document {first.id} ({first.status})."
    if first.status in {Status.DUPLICATE, Status.SUPERSEDED}:
        documents.move(tx, part, first.status, hand=hand, why=why, other_id=first.other_id)
        return
    amended = [each for each in first.reasons if each["code"] == "amended_after_posting"]
    if amended:
        documents.move(tx, part, Status.REVIEW, hand=hand, why=why, other_id=first.other_id, reasons=amended)
        return
    identity = f"source:{part.source_key}"
    if identities.take(tx, identity, part.id) != part.id:
        identities.hand_over(tx, identity, heir=part.id)  # an earlier revision's, which has given way


def _supersede(tx: Tx, relatives: Sequence[Document], *, by: Document, but: Document, hand: Hand) -> None:
    """Older revisions that wait give way; what M3 may hold does not."""
    for other in relatives:
        if other.id != but.id:
            for each in (other, *documents.parts(tx, other.id)):
                give_way(tx, each, by=by, hand=hand)


def give_way(tx: Tx, document: Document, *, by: Document, hand: Hand) -> None:
    """A newer revision takes a document's place, unless M3 may hold it."""
    if document.status in _WAITING and not is_undecided(document):
        why = f"Document {by.id} is a newer revision."
        documents.move(tx, document, Status.SUPERSEDED, hand=hand, why=why, other_id=by.id)


def _hold_as_amended(tx: Tx, new: Document, held: Document, *, hand: Hand) -> None:
    """A change of what M3 holds, or may hold, is for a person."""
    amended = reason(
        "amended_after_posting",
        "invoice_number",
        f"{_standing_in_m3(tx, held)} already, and this revision differs: "
        f"{_difference(held, new)}. Correct it in M3 by hand, then dismiss this revision.",
    )
    reasons = [amended.to_json()]
    documents.move(tx, new, Status.REVIEW, hand=hand, why=amended.text, other_id=held.id, reasons=reasons)


def _standing_in_m3(tx: Tx, held: Document) -> str:
    """The document that M3 holds, or the part of it that it does."""
    if binds_its_key(held):
        return f"Document {held.id} of the same {held.kind} is {held.status}"
    part = next(each for each in documents.parts(tx, held.id) if binds_its_key(each))
    return f"Document {part.id}, the part of company {part.company} of the same {held.kind}, is {part.status}"


def _is_copy(new: Document, other: Document) -> bool:
    """Same content; and where it still waits, the same approval and mapping: it may wait for those."""
    if new.content_hash != other.content_hash:
        return False
    return other.status not in _WAITING or _standing(new) == _standing(other)


def _standing(document: Document) -> tuple[Any, Any]:
    """Stampli's status, and of a document that came mapped the crosswalks it was mapped by."""
    return source_record(document).get("status"), document.raw.get("crosswalk_version")


def _moment(document: Document) -> tuple[datetime, str, int]:
    """When a revision was exported: by its file's time, whatever zone that is told in."""
    try:
        told = datetime.fromisoformat(document.source_mtime)
    except ValueError:
        told = _UNTOLD
    moment = told if told.tzinfo else told.replace(tzinfo=UTC)
    return (moment, document.source_file, document.source_line)


def _difference(held: Document, new: Document) -> str:
    if new.content_hash == held.content_hash:
        return "in nothing, but another revision in between has set aside what M3 does not hold of it"
    if held.raw == PURGED:
        return "in what, nobody can say any more, as its raw record was purged"
    before = source_record(held)
    names = [
        name
        for name, value in sorted(source_record(new).items())
        if not name.startswith("_sdc_") and name not in _NO_DIFFERENCE and value != before.get(name)
    ]
    return ", ".join(names) or "the order of its lines"
