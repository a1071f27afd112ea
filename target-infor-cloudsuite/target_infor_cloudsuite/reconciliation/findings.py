"""What a reconciliation found: counts that can be compared, and each difference."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_infor_cloudsuite.ledger.runs import plain_amount
from target_infor_cloudsuite.ledger.types import utc_text

if TYPE_CHECKING:
    from datetime import datetime

#: What the tap and this comparison write where a document names no currency.
NO_CURRENCY = "XXX"


@dataclass(slots=True)
class Count:
    """How many, and over which amount: signed, in the one currency that the count is of."""

    count: int = 0
    amount: Decimal = field(default_factory=Decimal)

    def add(self, amount: Decimal | None) -> None:
        """Count one more."""
        self.count += 1
        self.amount += amount or 0

    def to_json(self, currency: str) -> dict[str, Any]:
        """Count and exact decimal text."""
        return {"count": self.count, "amount": plain_amount(self.amount, currency)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTotal:
    """What came of one kind in one currency: as the tap counted it in the files, and as the ledger holds it.

    ``unreadable`` is how far the ledger can't know: what rejected rows add to the tap's amounts.
    """

    kind: str
    currency: str
    counted: Decimal
    ledger: Decimal
    unreadable: Decimal

    def to_json(self) -> dict[str, str]:
        """Amounts as exact decimal text."""
        amounts = {name: getattr(self, name) for name in ("counted", "ledger", "unreadable")}
        return {"kind": self.kind, "currency": self.currency} | {
            name: plain_amount(amount, self.currency) for name, amount in amounts.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTotal:
    """What the ledger holds of one kind, company, currency and status, and what M3 shows of just that.

    ``m3`` is None where M3 holds nothing of such documents by design, so that it is not asked.
    """

    kind: str
    company: str
    cono: int | None
    divi: str
    currency: str
    status: str
    ledger: Count
    m3: Count | None

    def to_json(self) -> dict[str, Any]:
        """One row of the comparison."""
        return {
            "kind": self.kind,
            "company": self.company,
            "cono": self.cono,
            "divi": self.divi,
            "currency": self.currency,
            "status": self.status,
            "ledger": self.ledger.to_json(self.currency),
            "m3": None if self.m3 is None else self.m3.to_json(self.currency),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two counts that are not the same.

    ``code``: file_not_counted, documents_differ, amount_differs_from_file, not_in_m3, differs_in_m3,
    in_doubt, not_settled. ``text`` says what differs and what to do.
    """

    code: str
    text: str
    kind: str
    document_id: int | None = None
    file: str = ""
    company: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The three counts side by side, and every difference between them."""

    at: datetime
    since: datetime | None
    source: tuple[SourceTotal, ...]
    ledger: tuple[LedgerTotal, ...]
    differences: tuple[Difference, ...]

    def to_json(self) -> dict[str, Any]:
        """As `cloudsuite-ap reconcile --format json` shows it and the ledger keeps it."""
        return {
            "at": utc_text(self.at),
            "since": None if self.since is None else utc_text(self.since),
            "source": [each.to_json() for each in self.source],
            "ledger": [each.to_json() for each in self.ledger],
            "differences": [asdict(each) for each in self.differences],
        }
