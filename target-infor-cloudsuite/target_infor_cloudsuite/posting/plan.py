"""What is to become of a document, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stampli_infor_transforms.documents import AccountingInvoice, AccountingPayment
    from stampli_infor_transforms.reasons import Reason


@dataclass(frozen=True, slots=True)
class SettledInvoice:
    """One invoice as M3 holds it, and what is taken of it. Amounts are signed, in its currency."""

    key: str
    divi: str
    number: str
    year: str
    amount: Decimal
    open: Decimal
    paid: Decimal

    def to_json(self) -> dict[str, str]:
        """As it is kept on the document."""
        return {
            "key": self.key,
            "divi": self.divi,
            "number": self.number,
            "year": self.year,
            "amount": str(self.amount),
            "open": str(self.open),
            "paid": str(self.paid),
        }


@dataclass(frozen=True, slots=True)
class Settlement:
    """All that one payment settles, in the order of its details."""

    invoices: tuple[SettledInvoice, ...]

    def to_json(self) -> list[dict[str, str]]:
        """As it is kept on the document."""
        return [each.to_json() for each in self.invoices]

    @classmethod
    def from_json(cls, value: Sequence[Mapping[str, str]]) -> Settlement:
        """What was kept on the document."""
        return cls(
            tuple(
                SettledInvoice(
                    each["key"],
                    each["divi"],
                    each["number"],
                    each["year"],
                    Decimal(each["amount"]),
                    Decimal(each["open"]),
                    Decimal(each["paid"]),
                )
                for each in value
            )
        )

    def applied(self) -> list[tuple[str, Decimal]]:
        """Pairs of invoice key and amount."""
        return [(each.key, each.amount) for each in self.invoices]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to become of a document: its mapping, why it is held, and what a reader should know."""

    mapped: AccountingInvoice | AccountingPayment | None
    reasons: tuple[Reason, ...]
    notes: tuple[str, ...]
    duplicate_of: str = ""  # evidence that M3 or the ledger has it already
    own_batch: dict[str, str] | None = None  # GetHead's record of the batch by which it stands in M3 already
    settlement: Settlement | None = None
    record: Mapping[str, Any] | None = None  # what was mapped: of a divided invoice its own part
    others: tuple[Mapping[str, Any], ...] = ()  # the further parts, each to be a document of its own

    def held_for(self, *more: Reason) -> Plan:
        """The same plan with more reasons."""
        return replace(self, reasons=(*self.reasons, *more))
