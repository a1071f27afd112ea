"""Taking records into the ledger, each delivery once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.identity import IdentityError, content_hash, source_key
from stampli_infor_transforms.reasons import reason
from stampli_infor_transforms.values import amount_of, text_of

from target_infor_cloudsuite.ledger import documents, events, identities, reference
from target_infor_cloudsuite.ledger.states import Status
from target_infor_cloudsuite.ledger.types import canonical_json
from target_infor_cloudsuite.posting.revisions import settle_part, settle_revision

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from target_infor_cloudsuite.ledger.documents import Hand
    from target_infor_cloudsuite.ledger.store import Tx

#: Streams of documents, and what kind each carries. ``ap_*`` come from the mapper, the raw record inside.
DOCUMENT_STREAMS = {
    "invoices": "invoice",
    "payments": "payment",
    "ap_invoices": "invoice",
    "ap_payments": "payment",
}
#: Streams of Stampli's own lists, and what each of their records is known by.
REFERENCE_STREAMS = {"vendors": ("company", "vendor_id"), "gl_accounts": ("company", "gl_account")}
_REJECTED_KINDS = {
    "invoices": "invoice",
    "payments": "payment",
    "vendors": "vendor",
    "gl_accounts": "gl_account",
}
#: Streams the target accepts. ``meltano_test_stream`` is what `meltano config test` sends; it is dropped.
ACCEPTED_STREAMS = (
    *DOCUMENT_STREAMS,
    *REFERENCE_STREAMS,
    "rejected_rows",
    "source_files",
    "meltano_test_stream",
)
_LARGEST_LINE = 2**31
_LARGEST_AMOUNT = 10**14
_DECIMALS = -4


def receive(tx: Tx, stream: str, records: Sequence[Mapping[str, Any]], *, hand: Hand) -> None:
    """Take a batch of one stream's records into the ledger, within the caller's transaction."""
    if stream in DOCUMENT_STREAMS:
        for record in records:
            _receive_document(tx, stream, record, hand=hand)
    elif stream in REFERENCE_STREAMS:
        _receive_reference(tx, stream, records, hand=hand)
    elif stream == "rejected_rows":
        for record in records:
            _receive_rejected(tx, record, hand=hand)
    elif stream == "source_files":
        for record in records:
            _receive_file(tx, record, hand=hand)


def _receive_document(tx: Tx, stream: str, record: Mapping[str, Any], *, hand: Hand) -> None:
    try:
        values = document_values(stream, record)
    except IdentityError as fault:
        kind = DOCUMENT_STREAMS[stream]
        source = _source(stream, record)
        _add_rejected(tx, _values(kind, source), raw=record, fault=fault.reason.to_json(), hand=hand)
        return
    if number_of_part(record) > 1:
        _receive_part(tx, record, values, hand=hand)
        return
    document_id = documents.add(tx, hand=hand, values=values)
    if document_id is None:
        return
    held_by = identities.take(tx, f"source:{values['source_key']}", document_id)
    if held_by != document_id:
        settle_revision(tx, new_id=document_id, held_by=held_by, hand=hand)


def document_values(stream: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """A record of a document stream as the values of its row.

    Raises:
        IdentityError: It names nothing to know it by.
    """
    kind = DOCUMENT_STREAMS[stream]
    arrived_mapped = stream.startswith("ap_")
    source = _source(stream, record)
    digest = content_hash(f"{kind}s", source)
    if number_of_part(record) == 1:
        digest = str(source["split_from"].get("content_hash"))  # it stands for the whole
    return _values(kind, source) | {
        "status": Status.RECEIVED.value,
        "source_key": source_key(f"{kind}s", source),
        "content_hash": digest,
        "delivery": _delivery(f"{kind}s", source, f"{digest}{record.get('crosswalk_version') or ''}"),
        "raw": dict(record),
        "arrived_mapped": arrived_mapped,
    }


def number_of_part(record: Mapping[str, Any]) -> int:
    """Which part of a divided invoice a mapped record is, from 1; 0 where it is a whole document."""
    source = record.get("source")
    whole = source.get("split_from") if isinstance(source, dict) else None
    part = whole.get("part") if isinstance(whole, dict) else None
    return part if isinstance(part, int) else 0


def _receive_part(tx: Tx, record: Mapping[str, Any], values: dict[str, Any], *, hand: Hand) -> None:
    """Take a further part of an invoice that the mapper divided: it shares the fate of the first."""
    whole = record["source"]["split_from"]
    first = documents.first_part(
        tx, str(whole.get("source_key")), str(whole.get("content_hash")), values=values
    )
    if first is None:
        text = (
            f"This is part {whole['part']} of {whole.get('parts')} of an invoice whose first part did not "
            "come. Let nothing between mapper and target leave records out or change their order."
        )
        fault = reason("malformed_document", "", text).to_json()
        _add_rejected(tx, _values("invoice", record["source"]), raw=record, fault=fault, hand=hand)
        return
    part_id = documents.add(tx, hand=hand, values=values | {"part_of": first.id})
    if part_id is not None:
        settle_part(tx, part_id, first, hand=hand)


def _receive_rejected(tx: Tx, record: Mapping[str, Any], *, hand: Hand) -> None:
    kind = _REJECTED_KINDS.get(str(record.get("stream")), "invoice")
    fault: dict[str, Any] = {
        "code": _words(record.get("reason")) or "rejected",
        "field": "",
        "text": _words(record.get("message")),
        "suggestions": [],
        "releasable": False,
    }
    _add_rejected(tx, {"kind": kind, **_origin(record)}, raw=record, fault=fault, hand=hand)


def _words(value: Any) -> str:
    """What a foreign tap gave as reason or message, as text: it may be of any shape."""
    return value if isinstance(value, str) else "" if value is None else canonical_json(value)


def _add_rejected(
    tx: Tx, values: dict[str, Any], *, raw: Mapping[str, Any], fault: Mapping[str, Any], hand: Hand
) -> None:
    documents.add(
        tx,
        hand=hand,
        values=values
        | {
            "status": Status.REJECTED.value,
            # What names no place at all is known by its content alone.
            "delivery": _delivery("rejected", raw, canonical_json([fault, raw.get("source") or raw])),
            "raw": dict(raw),
            "reasons": [dict(fault)],
        },
    )


def _receive_file(tx: Tx, record: Mapping[str, Any], *, hand: Hand) -> None:
    if not reference.keep_file(tx, record, at=hand.at):
        return
    events.record(
        tx,
        "file.received",
        at=hand.at,
        actor=hand.actor,
        run_id=hand.run_id,
        details={"counts": dict(record)},
    )
    path, sha256 = text_of(record.get("_sdc_source_file")), record.get("_sdc_source_sha256")
    if not path or not sha256:
        return  # another tap's: nothing says what it replaces
    for rejected in documents.rejected_of_file(tx, path):
        if rejected.raw.get("_sdc_source_sha256") != sha256:
            why = "The file came again with other content."
            documents.move(tx, rejected, Status.SUPERSEDED, hand=hand, why=why)


def _receive_reference(tx: Tx, stream: str, records: Sequence[Mapping[str, Any]], *, hand: Hand) -> None:
    changed = []
    for record in records:
        key = canonical_json([record.get(name) for name in REFERENCE_STREAMS[stream]])
        if reference.keep_source_record(tx, stream, key, record, at=hand.at):
            changed.append(key)
    if changed:
        events.record(
            tx,
            "reference.received",
            at=hand.at,
            actor=hand.actor,
            run_id=hand.run_id,
            details={"stream": stream, "changed": changed},
        )


def _values(kind: str, source: Mapping[str, Any]) -> dict[str, Any]:
    amount = amount_of(source.get("total_amount" if kind == "invoice" else "payment_amount"))
    if amount is not None and source.get("invoice_type") == "CREDIT_MEMO":
        amount = -abs(amount)
    number = (
        source.get("invoice_number")
        if kind == "invoice"
        else source.get("payment_id") or source.get("reference")
    )
    dated = source.get("invoice_date" if kind == "invoice" else "payment_date")
    return {
        "kind": kind,
        "company": text_of(source.get("company")) or "",
        "number": text_of(number) or "",
        "vendor": text_of(
            source.get("vendor_name") or source.get("vendor_external_id") or source.get("vendor_id")
        )
        or "",
        "currency": (text_of(source.get("currency")) or "").upper()[:16],
        "amount": _holdable(amount),
        "document_date": (text_of(dated) or "")[:10],
        **_origin(source),
    }


def _source(stream: str, record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record as the tap sent it; nothing where a mapped one does not carry it."""
    source = record.get("source") if stream.startswith("ap_") else record
    return source if isinstance(source, dict) else {}


def _origin(record: Mapping[str, Any]) -> dict[str, Any]:
    line = record.get("_sdc_source_line")
    # A record of another tap may hold anything here, the ledger's columns not.
    return {
        "source_file": text_of(record.get("_sdc_source_file")) or "",
        "source_line": line if isinstance(line, int) and 0 <= line < _LARGEST_LINE else 0,
        "source_mtime": (text_of(record.get("_sdc_source_mtime")) or "")[:40],
        "source_sha256": (text_of(record.get("_sdc_source_sha256")) or "")[:64],
    }


def _holdable(amount: Decimal | None) -> Decimal | None:
    """The amount where the ledger can hold it; what it cannot, the mapping holds for review anyway."""
    if amount is None or not amount.is_finite() or abs(amount) >= _LARGEST_AMOUNT:
        return None
    exponent = amount.normalize().as_tuple().exponent
    return amount if isinstance(exponent, int) and exponent >= _DECIMALS else None


def _delivery(stream: str, record: Mapping[str, Any], content: str) -> str:
    """Where and what it was: the same row of a file, read again after a crash, is the same delivery."""
    place = [stream, *_origin(record).values(), content]
    return hashlib.sha256(canonical_json(place).encode()).hexdigest()
