"""Who a document is, before any mapping: its source key and the hash of what would be posted.

A source key rests on the file alone, so a changed crosswalk can't make a posted document look new.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final, Literal

from stampli_infor_transforms.document_parts import key_text
from stampli_infor_transforms.numbering import fold_number, normalise_number
from stampli_infor_transforms.reasons import reason
from stampli_infor_transforms.values import amount_of, canonical_amount, date_of, text_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from stampli_infor_transforms.reasons import Reason

__all__ = [
    "IdentityError",
    "content_hash",
    "fold_number",
    "is_approved",
    "is_paid",
    "kind_of",
    "normalise_number",
    "source_key",
]

_TEXTS: Final = {
    "invoices": (
        "company",
        "invoice_id",
        "invoice_number",
        "invoice_type",
        "vendor_id",
        "vendor_external_id",
        "vendor_name",
        "invoice_date",
        "due_date",
        "posting_date",
        "currency",
        "po_number",
        "payment_terms",
        "memo",
    ),
    "payments": (
        "company",
        "payment_id",
        "payment_date",
        "payment_method",
        "reference",
        "vendor_id",
        "vendor_external_id",
        "vendor_name",
        "currency",
        "bank_account",
    ),
}
_AMOUNTS: Final = {"invoices": ("total_amount", "tax_amount"), "payments": ("payment_amount",)}
_PARTS: Final = {"invoices": "lines", "payments": "applications"}
_PART_TEXTS: Final = {
    "invoices": (
        "line_number",
        "tax_code",
        "description",
        "gl_account",
        "department",
        "cost_center",
        "location",
        "project",
        "company",
        "allocation",
        "po_number",
        "po_line",
    ),
    "payments": ("invoice_id", "invoice_number"),
}
_PART_AMOUNTS: Final = {"invoices": ("amount", "tax_amount"), "payments": ("amount",)}


class IdentityError(ValueError):
    """A record that names nothing to know it by; `reason` says what is missing."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.text)
        self.reason = reason


def source_key(stream: str, record: Mapping[str, Any]) -> str:
    """Return the key of a record of `invoices` or `payments`: unambiguous ASCII text, the same for ever.

    Raises:
        IdentityError: there is neither an id nor what stands in for one.
        ValueError: the stream is another one.
    """
    if stream == "invoices":
        return _invoice_key(record)
    if stream == "payments":
        return _payment_key(record)
    raise ValueError(f"Stream '{stream}' has no documents; 'invoices' and 'payments' have.")


def content_hash(stream: str, record: Mapping[str, Any]) -> str:
    """Return SHA-256 (hex) of the posting-relevant fields, however amounts and blanks are written."""
    texts, amounts = _TEXTS[stream], _AMOUNTS[stream]
    content: dict[str, Any] = _canonical(record, texts, amounts)
    parts = record.get(_PARTS[stream])
    content[_PARTS[stream]] = [
        _canonical(part, _PART_TEXTS[stream], _PART_AMOUNTS[stream]) if isinstance(part, dict) else _any(part)
        for part in (parts if isinstance(parts, (list, tuple)) else [])
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def is_approved(record: Mapping[str, Any], statuses: Collection[str]) -> bool:
    """Whether an invoice's status is blank or one of `statuses`, whatever the case."""
    return _status_in(record, statuses)


def is_paid(record: Mapping[str, Any], statuses: Collection[str]) -> bool:
    """Whether a payment's status is blank or one of `statuses`, whatever the case."""
    return _status_in(record, statuses)


def kind_of(record: Mapping[str, Any]) -> Literal["INVOICE", "CREDIT_MEMO"]:
    """Return the kind: a negative total is a credit whatever the type says."""
    total = amount_of(record.get("total_amount"))
    stated = normalise_number(text_of(record.get("invoice_type")) or "")
    return "CREDIT_MEMO" if stated == "CREDIT_MEMO" or (total is not None and total < 0) else "INVOICE"


def _status_in(record: Mapping[str, Any], statuses: Collection[str]) -> bool:
    status = text_of(record.get("status"))
    return status is not None and (not status or status.casefold() in {each.casefold() for each in statuses})


def _invoice_key(record: Mapping[str, Any]) -> str:
    company = normalise_number(text_of(record.get("company")) or "")
    whole = record.get("split_from")
    if isinstance(whole, dict) and text_of(whole.get("source_key")):
        # The first part stands for the whole; another one is known by the whole and its own company.
        key = text_of(whole["source_key"]) or ""
        return key if whole.get("part") == 1 else key_text("invoice", "part", key, company)
    invoice_id = text_of(record.get("invoice_id"))
    if invoice_id:
        return key_text("invoice", company, "id", invoice_id)
    number = normalise_number(text_of(record.get("invoice_number")) or "")
    if not number:
        raise IdentityError(
            reason(
                "number_missing",
                "invoice_number",
                "The invoice has neither an invoice id nor an invoice number. Enter the number in Stampli "
                "and export again.",
            )
        )
    return key_text("invoice", company, *_vendor(record), number, kind_of(record))


def _payment_key(record: Mapping[str, Any]) -> str:
    company = normalise_number(text_of(record.get("company")) or "")
    payment_id = text_of(record.get("payment_id"))
    if payment_id:
        return key_text("payment", company, "id", payment_id)
    reference = normalise_number(text_of(record.get("reference")) or "")
    if not reference:
        raise IdentityError(
            reason(
                "number_missing",
                "reference",
                "The payment has neither a payment id nor a reference. Let Stampli export one of them.",
            )
        )
    # Banks use a reference such as ACH again and again: the date tells those payments apart.
    paid = date_of(record.get("payment_date"))
    return key_text("payment", company, *_vendor(record), reference, paid.isoformat() if paid else "")


def _vendor(record: Mapping[str, Any]) -> tuple[str, str]:
    for field in ("vendor_id", "vendor_external_id", "vendor_name"):
        vendor = text_of(record.get(field))
        if vendor:
            # An id is taken to the letter; a name is written in more ways than one.
            return field, normalise_number(vendor) if field == "vendor_name" else vendor
    raise IdentityError(
        reason(
            "vendor_missing",
            "supplier",
            "The document has no id of its own and names no vendor. Choose the vendor in Stampli and "
            "export again.",
        )
    )


def _canonical(record: Mapping[str, Any], texts: tuple[str, ...], amounts: tuple[str, ...]) -> dict[str, str]:
    content = {field: _any(record.get(field)) for field in texts}
    for field in amounts:
        value = record.get(field)
        content[field] = "" if text_of(value) == "" else canonical_amount(value)
    return {field: text for field, text in content.items() if text}


def _any(value: Any) -> str:
    text = text_of(value)
    if text is not None:
        return text
    return json.dumps(value, sort_keys=True, default=str, skipkeys=True)
