"""What a named person decides: replay, release, dismiss, confirm a match, revoke that. Each is an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_infor_cloudsuite.ledger import documents, events, mappings
from target_infor_cloudsuite.ledger.mappings import Confirmation
from target_infor_cloudsuite.ledger.states import NEXT, DecisionError, Status, Step
from target_infor_cloudsuite.posting.resolve import acceptance
from target_infor_cloudsuite.posting.revisions import confirmation_of, newer_revision

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Document, Hand

__all__ = ["DecisionError", "confirm", "dismiss", "release", "replay", "require", "revoke", "waiting"]


def waiting(tx: Tx, statuses: Sequence[Status]) -> list[Document]:
    """Documents in these statuses, status by status in the order given."""
    order = {status: place for place, status in enumerate(statuses)}
    found = documents.find(tx, statuses=[each.value for each in statuses])
    return sorted(found, key=lambda each: (order[each.status], each.id))


def require(tx: Tx, document_id: int) -> Document:
    """One document.

    Raises:
        DecisionError: There is none of this number.
    """
    document = documents.get(tx, document_id)
    if document is None:
        raise DecisionError(
            f"The ledger has no document {document_id}; `cloudsuite-ap review list` shows the numbers."
        )
    return document


def replay(tx: Tx, document_ids: Collection[int], *, hand: Hand, why: str) -> list[int]:
    """Send documents back to the start; without ids all that failed or are in review, never what is posted.

    Raises:
        DecisionError: One of the ids names a document that cannot be replayed.
    """
    if document_ids:
        chosen = [require(tx, each) for each in sorted(set(document_ids))]
    else:
        chosen = documents.find(tx, statuses=[Status.FAILED.value, Status.REVIEW.value])
    done = []
    for document in chosen:
        if document.status is Status.POSTED:
            continue
        if document.status is Status.REVIEW:
            # It is resolved anew by every run; what waited for a person's look has had it now.
            documents.set_values(tx, document.id, reasons=[])
            events.record(
                tx,
                "document.replayed",
                at=hand.at,
                actor=hand.actor,
                document_id=document.id,
                details={"why": why},
            )
        elif Status.RECEIVED in NEXT.get(document.status, frozenset()):
            _refuse_outdated(tx, document)
            documents.move(
                tx,
                document,
                Status.RECEIVED,
                hand=hand,
                why=why,
                reasons=[],
                step=Step.NONE.value,
                resolved_run="",
            )
        else:
            raise DecisionError(
                f"{document.label} is {document.status}; "
                "only what failed, is in review or was dismissed is replayed."
            )
        done.append(document.id)
    return done


def _refuse_outdated(tx: Tx, document: Document) -> None:
    newer = newer_revision(tx, document) if document.status is Status.DISMISSED else None
    if newer is not None:
        raise DecisionError(
            f"{document.label} is outdated: document {newer.id} ({newer.status}) is a newer revision of it. "
            "Decide about that one."
        )


def release(tx: Tx, document_id: int, code: str, *, hand: Hand, why: str) -> None:
    """Accept one reason of a document in review, for exactly its present content.

    Raises:
        DecisionError: It is not in review, is not held for this reason, or the reason cannot be released.
    """
    document = require(tx, document_id)
    if document.status is not Status.REVIEW:
        raise DecisionError(
            f"{document.label} is {document.status}, not in review: there is nothing to release."
        )
    held = {each["code"]: each for each in document.reasons}
    if code not in held:
        raise DecisionError(
            f"{document.label} is not held for '{code}' but for {', '.join(held) or 'nothing'}."
        )
    if not held[code]["releasable"]:
        raise DecisionError(f"'{code}' cannot be released: {held[code]['text']}")
    accepted = [
        *document.accepted,
        {"code": code, "fingerprint": acceptance(code, document.mapped), "actor": hand.actor},
    ]
    documents.set_values(tx, document.id, accepted=accepted)
    details = {"why": why, "accepted": code}
    events.record(
        tx, "document.released", at=hand.at, actor=hand.actor, document_id=document.id, details=details
    )


def dismiss(tx: Tx, document_id: int, *, hand: Hand, why: str) -> None:
    """Decide that a document will not be posted.

    Raises:
        DecisionError: It is posted, on its way, or final already.
    """
    document = require(tx, document_id)
    if Status.DISMISSED not in NEXT.get(document.status, frozenset()):
        raise DecisionError(f"{document.label} is {document.status} and cannot be dismissed.")
    documents.move(tx, document, Status.DISMISSED, hand=hand, why=why)


def confirm(tx: Tx, document_id: int, *, hand: Hand, why: str) -> None:
    """Confirm for good that the supplier found by name is the vendor of this document.

    Raises:
        DecisionError: It is not held for a match by name that nobody confirmed.
    """
    document = require(tx, document_id)
    held = {each["code"] for each in document.reasons}
    supplier = (document.mapped or {}).get("supplier")
    if document.status is not Status.REVIEW or "name_match_unconfirmed" not in held or not supplier:
        raise DecisionError(
            f"{document.label} ({document.status}) is not held for 'name_match_unconfirmed' with a supplier "
            f"found, but for {', '.join(sorted(held)) or 'nothing'}."
        )
    confirmation = Confirmation(
        cono=int(document.mapped["cono"]) if document.mapped else 0,
        vendor_key=confirmation_of(document),
        supplier=supplier,
        vendor=document.vendor,
        confirmed_by=hand.actor,
        confirmed_at=hand.at,
        document_id=document.id,
    )
    mappings.confirm(tx, confirmation)
    _tell(tx, "mapping.confirmed", confirmation, hand=hand, why=why)


def revoke(tx: Tx, document_id: int, *, hand: Hand, why: str) -> None:
    """Take back what was confirmed on this document; what is posted by then stays in M3.

    Raises:
        DecisionError: Nothing was confirmed on it, or that was taken back already.
    """
    document = require(tx, document_id)
    kept = [each for each in mappings.confirmations_kept(tx) if each.document_id == document.id]
    if not kept:
        raise DecisionError(
            f"No match by name stands confirmed on {document.label}; `cloudsuite-ap mapping confirmed` lists "
            "what is, and on which document."
        )
    for confirmation in kept:
        mappings.take_back(tx, confirmation)
        _tell(tx, "mapping.revoked", confirmation, hand=hand, why=why)


def _tell(tx: Tx, action: str, confirmation: Confirmation, *, hand: Hand, why: str) -> None:
    events.record(
        tx,
        action,
        at=hand.at,
        actor=hand.actor,
        document_id=confirmation.document_id,
        details={
            "why": why,
            "cono": confirmation.cono,
            "vendor": confirmation.vendor,
            "supplier": confirmation.supplier,
        },
    )
