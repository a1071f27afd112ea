"""What a run works with, gathered once and handed down."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.hints import NO_HINTS

from target_infor_cloudsuite.ledger import claims, events
from target_infor_cloudsuite.ledger.documents import Hand, Worker

if TYPE_CHECKING:
    from collections.abc import Collection

    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.hints import Hints
    from stampli_infor_transforms.reference import Reference, Supplier

    from target_infor_cloudsuite.clock import Clock
    from target_infor_cloudsuite.ion.gateway import Gateway
    from target_infor_cloudsuite.ledger import Ledger, Tx
    from target_infor_cloudsuite.m3.catalog import Catalog
    from target_infor_cloudsuite.programs.invoice_batch import InvoiceBatchProgram
    from target_infor_cloudsuite.programs.payment_road import PaymentRoad
    from target_infor_cloudsuite.settings import Settings


@dataclass(frozen=True, slots=True)
class CompanySetup:
    """What one M3 company's tenant offers: its AP program, and whether payments can be taken."""

    cono: int
    catalog: Catalog
    program: InvoiceBatchProgram
    road: PaymentRoad
    payments_off: str = ""  # why payments cannot be taken; '' where they can


@dataclass(slots=True, kw_only=True)
class Context:
    """One run. ``reference`` grows as supplier details are read; everything else stays."""

    settings: Settings
    ledger: Ledger
    gateway: Gateway
    crosswalks: Crosswalks
    reference: Reference
    companies: dict[int, CompanySetup]
    clock: Clock
    run_id: str
    worker_name: str
    hints: Hints = NO_HINTS
    approved_mappings: frozenset[str] | None = None  # versions of the crosswalks; None: none needs approval
    detailed: set[tuple[int, str]] = field(default_factory=set)

    @property
    def hand(self) -> Hand:
        """This run as the one that changes something now."""
        return Hand(actor=f"target {self.worker_name}", at=self.clock.now(), run_id=self.run_id)

    @property
    def worker(self) -> Worker:
        """This process with a lease that begins now."""
        lease = timedelta(seconds=int(self.settings["claim_lease_seconds"]))
        return Worker(self.worker_name, self.clock.now() + lease)

    @property
    def settle(self) -> timedelta:
        """How long M3 may still work on a write whose answer was lost."""
        return timedelta(seconds=float(self.settings["in_doubt_settle_seconds"]))

    def event(self, tx: Tx, action: str, details: dict[str, Any], *, document_id: int | None = None) -> None:
        """Write an event of this run."""
        hand = self.hand
        events.record(
            tx,
            action,
            at=hand.at,
            actor=hand.actor,
            run_id=self.run_id,
            document_id=document_id,
            details=details,
        )

    def renew_claims(self) -> None:
        """Keep what this worker holds for another lease."""
        with self.ledger.write() as tx:
            claims.renew(tx, self.worker)

    def use_suppliers(self, cono: int, rows: Collection[Supplier]) -> None:
        """Take supplier details into the reference."""
        changed = self.reference.companies[cono].with_suppliers(rows)
        self.reference = self.reference.with_company(changed)
        self.detailed.update((cono, row.suno) for row in rows)
