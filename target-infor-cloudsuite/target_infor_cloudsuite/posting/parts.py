"""An invoice whose lines belong to several companies: one document for each.

The row that came is the whole as Stampli has it: its source key, content hash and raw record stay, so that
copies and revisions are told as for any other document. It takes the part of its own company; each other
part is a row of its own (``part_of``). The division follows the crosswalks until M3 holds one of the parts,
or may; from then on it stands.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.companies import place_of
from stampli_infor_transforms.distributions import names_other_companies, split_by_company
from stampli_infor_transforms.identity import content_hash, source_key
from stampli_infor_transforms.numbering import normalise_number
from stampli_infor_transforms.values import text_of

from target_infor_cloudsuite.ledger import documents, identities
from target_infor_cloudsuite.ledger.documents import ClaimLost
from target_infor_cloudsuite.ledger.states import OUT_OF_THE_WAY, Status
from target_infor_cloudsuite.ledger.types import canonical_json
from target_infor_cloudsuite.posting.intake import document_values
from target_infor_cloudsuite.posting.revisions import binds_its_key

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.policy import Policy

    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.posting.context import Context

    Record = Mapping[str, Any]


def divided(record: Record, *, crosswalks: Crosswalks, policy: Policy) -> tuple[Record, ...]:
    """An invoice's record as one record for each M3 company and division, as the crosswalks have it."""

    def place(company: str) -> Hashable | None:
        found = place_of(company, crosswalks=crosswalks, policy=policy)
        return None if found is None else (found.cono, found.divi)

    if policy.line_companies != "split" or not names_other_companies(record):
        return (record,)
    return split_by_company(record, place_of=place)


def parts_of(context: Context, document: Document) -> tuple[Record, ...]:
    """The records that a document is to be mapped as: its own first, then those of further rows."""
    if document.kind != "invoice" or document.part_of is not None or not names_other_companies(document.raw):
        return (document.raw,)
    with context.ledger.read() as tx:
        kept = documents.parts(tx, document.id)
    if any(binds_its_key(each) for each in kept):
        return _as_it_stands(document.raw, kept)
    return divided(document.raw, crosswalks=context.crosswalks, policy=context.settings.policy)


def _as_it_stands(record: Record, kept: Sequence[Document]) -> tuple[Record, ...]:
    """The division that was made before, whatever the crosswalks say by now."""
    taken = {
        normalise_number(text_of(line.get("company")) or ""): each.source_key
        for each in kept
        if each.status not in {Status.SUPERSEDED, Status.DUPLICATE} or binds_its_key(each)
        for line in each.raw["lines"]
    }
    return split_by_company(record, place_of=lambda name: taken.get(normalise_number(name), "own"))


def keep_parts(context: Context, tx: Tx, document: Document, others: Sequence[Record]) -> None:
    """Have a row for each further part, and none for what is no part any more.

    Raises:
        ClaimLost: A part has got on its way meanwhile, so that another division cannot be made now.
    """
    kept = documents.parts(tx, document.id)
    if not kept and not others:
        return
    wanted = {source_key("invoices", each): each for each in others}
    standing = {each.source_key or "": each for each in kept if each.status not in OUT_OF_THE_WAY}
    at_rest = (Status.DISMISSED, Status.DUPLICATE)
    settled = {(each.source_key, each.content_hash) for each in kept if each.status in at_rest}
    shares: list[dict[str, Any]] = []
    for key, each in standing.items():
        if key in wanted and each.content_hash == content_hash("invoices", wanted[key]):
            continue
        if binds_its_key(each):
            raise ClaimLost(f"{each.label} is on its way.")
        why = f"Document {document.id} is divided anew."
        documents.move(tx, each, Status.SUPERSEDED, hand=context.hand, why=why, other_id=document.id)
        shares.append({"document": each.id, "withdrawn": True})
    for key, record in wanted.items():
        digest = content_hash("invoices", record)
        held = standing.get(key)
        if (held is not None and held.content_hash == digest) or (key, digest) in settled:
            continue
        nth = sum(each.source_key == key for each in kept)
        shares.append(_add(context, tx, document, record, nth))
    if shares:
        context.event(tx, "document.divided", {"parts": shares}, document_id=document.id)


def _add(context: Context, tx: Tx, document: Document, record: Record, nth: int) -> dict[str, Any]:
    """A part as a row of its own, worked off by this very run."""
    values = document_values("invoices", record)
    place = [document.id, values["source_key"], values["content_hash"], nth]
    values |= {
        "part_of": document.id,
        "delivery": hashlib.sha256(canonical_json(["part", *place]).encode()).hexdigest(),
    }
    added = documents.add(tx, hand=context.hand, values=values)
    if added is None:
        raise LookupError(f"Part {values['source_key']} of {document.label} stands in the ledger already.")
    identity = f"source:{values['source_key']}"
    if identities.take(tx, identity, added) != added:
        identities.hand_over(tx, identity, heir=added)  # an earlier revision's, which has given way
    return {"document": added, "company": values["company"], "amount": values["amount"]}
