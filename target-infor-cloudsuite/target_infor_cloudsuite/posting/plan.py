"""What is to become of a document, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stampli_infor_transforms.documents import AccountingInvoice, AccountingPayment
    from stampli_infor_transforms.reasons import Reason

    from target_infor_cloudsuite.posting.settlement import Settlement


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to become of a document: its mapping, why it is held, and what a reader should know."""

    mapped: AccountingInvoice | AccountingPayment | None
    reasons: tuple[Reason, ...]
    notes: tuple[str, ...]
    duplicate_of: str = ""  # evidence that M3 or the ledger has it already
    own_batch: dict[str, str] | None = None  # GetHead's record of the batch by which it stands in M3 already
    settlement: Settlement | None = None

    def held_for(self, *more: Reason) -> Plan:
        """The same plan with more reasons."""
        return replace(self, reasons=(*self.reasons, *more))
