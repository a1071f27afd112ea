"""What documents would become by another version of the crosswalks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.changes import Change, diff_mappings
from stampli_infor_transforms.documents import Mapping as MappedDocument
from stampli_infor_transforms.identity import source_key
from stampli_infor_transforms.mapping import map_invoice, map_payment

from target_infor_cloudsuite.ledger import documents
from target_infor_cloudsuite.ledger.retention import PURGED
from target_infor_cloudsuite.ledger.states import HELD_BY_M3
from target_infor_cloudsuite.posting.parts import divided

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.hints import Hints
    from stampli_infor_transforms.policy import Policy
    from stampli_infor_transforms.reference import Reference

    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Document

_PAGE = 500
_LEFT_OUT = frozenset({"superseded", "duplicate", "rejected"})


@dataclass(frozen=True, slots=True)
class Difference:
    """What would change on one document; it is ``past`` where M3 holds it, or may."""

    document: Document
    past: bool
    changes: tuple[Change, ...]

    def to_json(self) -> dict[str, Any]:
        """The difference as a JSON object."""
        return {
            "id": self.document.id,
            "kind": self.document.kind,
            "number": self.document.number,
            "company": self.document.company,
            "status": self.document.status.value,
            "past": self.past,
            "changes": [each.to_json() for each in self.changes],
        }


def differences(  # noqa: PLR0913 - what mapping is made of
    tx: Tx, old: Crosswalks, new: Crosswalks, *, reference: Reference, policy: Policy, hints: Hints
) -> Iterator[Difference | None]:
    """Each document as both versions map it: what differs, None where nothing does.

    What came mapped is left out, as are documents that something else has taken the place of and those whose
    record was purged. A part of an invoice over several companies is compared with the invoice.
    """
    after = 0
    while page := documents.find(tx, kinds=("invoice", "payment"), after=after, limit=_PAGE):
        after = page[-1].id
        for document in page:
            if document.part_of is not None or document.status in _LEFT_OUT:
                continue
            if document.arrived_mapped or document.raw == PURGED:
                continue
            before, then = (
                _mapped(document, crosswalks, reference=reference, policy=policy, hints=hints)
                for crosswalks in (old, new)
            )
            changes = _compared(before, then)
            past = any(each.status in HELD_BY_M3 for each in (document, *documents.parts(tx, document.id)))
            yield Difference(document, past, changes) if changes else None


def _mapped(
    document: Document, crosswalks: Crosswalks, *, reference: Reference, policy: Policy, hints: Hints
) -> dict[str, MappedDocument]:
    """The mapping of each document that a record becomes, by source key."""
    is_invoice = document.kind == "invoice"
    map_record = map_invoice if is_invoice else map_payment
    records = divided(document.raw, crosswalks=crosswalks, policy=policy) if is_invoice else (document.raw,)
    return {
        source_key(f"{document.kind}s", record): map_record(
            record,
            crosswalks=crosswalks,
            reference=reference,
            policy=policy,
            today=document.received_at.date(),
            hints=hints,
        )
        for record in records
    }


def _compared(before: dict[str, MappedDocument], after: dict[str, MappedDocument]) -> tuple[Change, ...]:
    if len(before) == len(after) == 1:
        return diff_mappings(*before.values(), *after.values())
    nothing = MappedDocument(None)
    return tuple(
        Change(f"company {at}: {each.field}", each.old, each.new)
        for at, key in enumerate(dict.fromkeys([*before, *after]), 1)
        for each in diff_mappings(before.get(key, nothing), after.get(key, nothing))
    )
