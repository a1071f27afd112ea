"""The streams between mapper and target: ``ap_invoices`` and ``ap_payments``."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.identity import IdentityError, content_hash, source_key

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingABC

    from stampli_infor_transforms.documents import Mapping

_TEXT = {"type": ["string", "null"]}
_DATE = {"type": ["string", "null"], "format": "date"}
_AMOUNT = {"type": ["number", "null"]}
_NUMBER = {"type": ["integer", "null"]}
_OBJECTS = {"type": ["array", "null"], "items": {"type": "object"}}
_AMOUNTS = ("total", "tax_total", "amount", "tax")

_COMMON: dict[str, Any] = {
    "source_key": {"type": "string", "description": "The document's identity, known before any mapping."},
    "content_hash": _TEXT,
    "company": _TEXT,
    "cono": _NUMBER | {"description": "M3 company; null where the document could not be mapped."},
    "divi": _TEXT,
    "supplier": _TEXT,
    "payee": _TEXT,
    "currency": _TEXT,
    "reasons": _OBJECTS | {"description": "Why the document is held for review; empty: it may be posted."},
    "notes": {"type": "array", "items": {"type": "string"}},
    "crosswalk_version": {"type": "string"},
    "source": {"type": "object", "description": "The record as the tap sent it."},
    "_sdc_source_file": _TEXT,
    "_sdc_source_line": _NUMBER,
    "_sdc_source_mtime": _TEXT,
    "_sdc_source_sha256": _TEXT,
}
SCHEMAS: dict[str, dict[str, Any]] = {
    "ap_invoices": {
        "type": "object",
        "properties": _COMMON
        | {
            "number": _TEXT,
            "kind": _TEXT,
            "total": _AMOUNT,
            "tax_total": _AMOUNT,
            "invoice_date": _DATE,
            "due_date": _DATE,
            "accounting_date": _DATE,
            "terms": _TEXT,
            "payment_method": _TEXT,
            "po_number": _TEXT,
            "lines": _OBJECTS,
        },
    },
    "ap_payments": {
        "type": "object",
        "properties": _COMMON
        | {
            "bank": _TEXT,
            "amount": _AMOUNT,
            "payment_date": _DATE,
            "method": _TEXT,
            "reference": _TEXT,
            "payment_id": _TEXT,
            "applications": _OBJECTS,
        },
    },
}


def ap_record(
    stream: str, record: MappingABC[str, Any], mapping: Mapping, *, crosswalk_version: str
) -> dict[str, Any]:
    """A mapped document as a record; amounts are exact numbers.

    A record without any identity keeps a blank ``source_key``: the target rejects it, as it would unmapped.
    """
    fields = _numbers(mapping.document.to_json()) if mapping.document is not None else {}
    try:
        key = source_key(stream, record)
    except IdentityError:
        key = ""
    blank = dict.fromkeys(SCHEMAS[f"ap_{stream}"]["properties"])
    origin = {name: record.get(name) for name in blank if name.startswith("_sdc_")}
    return {
        **blank,
        **fields,
        **origin,
        "company": record.get("company"),
        "source_key": key,
        "content_hash": content_hash(stream, record),
        "reasons": [each.to_json() for each in mapping.reasons],
        "notes": list(mapping.notes),
        "crosswalk_version": crosswalk_version,
        "source": dict(record),
    }


def _numbers(value: Any) -> Any:
    """Amounts as Decimal, which Singer messages carry as exact numbers."""
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    if isinstance(value, dict):
        return {
            name: Decimal(item) if name in _AMOUNTS and isinstance(item, str) else _numbers(item)
            for name, item in value.items()
        }
    return value
