"""The parts of accounting documents, and how keys and amounts are written as text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingABC

LineKind = Literal["expense", "tax"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountingLine:
    """One accounting line of an invoice.

    Attributes:
        kind: ``expense``, or ``tax`` for tax that only the header names.
        amount: net, signed; 0 for kind ``tax``.
        tax: signed.
        tax_code: M3's VTCD, '' for none.
        ait: the values of AIT1 to AIT7, '' for none.
        text: at most 40 characters (VTXT).
        source_line: the line number as in the file, else its position from 1; '' for kind ``tax``.
        trace: which rule gave which value, e.g. ``ait1=6100 gl_accounts.csv:4``.
        po_number: the line's own purchase order, '' for none or the header's.
        po_line: its line, '' for none.
    """

    kind: LineKind
    amount: Decimal
    tax: Decimal
    tax_code: str = ""
    ait: tuple[str, ...] = ("", "", "", "", "", "", "")
    text: str = ""
    source_line: str = ""
    trace: tuple[str, ...] = ()
    po_number: str = ""
    po_line: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the line as a JSON object."""
        return {
            "kind": self.kind,
            "amount": plain(self.amount),
            "tax": plain(self.tax),
            "tax_code": self.tax_code,
            "ait": list(self.ait),
            "text": self.text,
            "source_line": self.source_line,
            "trace": list(self.trace),
            "po_number": self.po_number,
            "po_line": self.po_line,
        }

    @classmethod
    def from_json(cls, value: MappingABC[str, Any]) -> AccountingLine:
        """Read what `to_json` wrote."""
        return cls(
            kind=value["kind"],
            amount=Decimal(value["amount"]),
            tax=Decimal(value["tax"]),
            tax_code=value["tax_code"],
            ait=tuple(value["ait"]),
            text=value["text"],
            source_line=value["source_line"],
            trace=tuple(value["trace"]),
            po_number=value.get("po_number", ""),
            po_line=value.get("po_line", ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedInvoice:
    """One invoice that a payment pays.

    Attributes:
        number: the supplier's invoice number as sent.
        source_key: the invoice's source key, '' where the payment names no invoice id.
        amount: what is paid of it, in the payment's currency; negative for a credit taken.
    """

    number: str
    source_key: str
    amount: Decimal

    def to_json(self) -> dict[str, Any]:
        """Return the application as a JSON object."""
        return {"number": self.number, "source_key": self.source_key, "amount": plain(self.amount)}

    @classmethod
    def from_json(cls, value: MappingABC[str, Any]) -> AppliedInvoice:
        """Read what `to_json` wrote."""
        return cls(number=value["number"], source_key=value["source_key"], amount=Decimal(value["amount"]))


def key_text(*parts: str) -> str:
    """Return a text that no other sequence of parts has; ASCII, so that any database can hold it."""
    return json.dumps(parts, separators=(",", ":"))


def plain(amount: Decimal) -> str:
    """Return an amount as a plain decimal text, never in scientific notation."""
    return format(amount, "f")
