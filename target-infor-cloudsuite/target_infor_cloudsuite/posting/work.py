"""A claimed document on its way into M3, and the one way in which its row changes."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.documents import AccountingInvoice, AccountingPayment

from target_infor_cloudsuite.ledger import documents
from target_infor_cloudsuite.ledger.documents import ClaimLost
from target_infor_cloudsuite.ledger.states import Status, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stampli_infor_transforms.reasons import Reason

    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.ledger.states import Doubt
    from target_infor_cloudsuite.posting.context import CompanySetup, Context

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Work:
    """A claimed document. ``document`` is replaced whenever its row changes.

    Attributes:
        document: The row as it stands.
        mapped: What is to stand in M3.
        company: The M3 company it goes to, with the AP program that it has begun with.
        lost: Another worker holds it now; nothing may be written or sent for it any more.
        stalled: M3 did not run a transaction of it; the next run goes on.
        lines_in: The positions of the lines that M3 has confirmed, counted from 1.
    """

    document: Document
    mapped: AccountingInvoice | AccountingPayment
    company: CompanySetup
    lost: bool = False
    stalled: bool = False
    lines_in: set[int] = field(default_factory=set)

    @property
    def invoice(self) -> AccountingInvoice:
        """The invoice, where it is one."""
        if not isinstance(self.mapped, AccountingInvoice):
            raise TypeError(f"{self.document.label} is no invoice.")
        return self.mapped

    @property
    def payment(self) -> AccountingPayment:
        """The payment, where it is one."""
        if not isinstance(self.mapped, AccountingPayment):
            raise TypeError(f"{self.document.label} is no payment.")
        return self.mapped

    def is_at(self, step: Step) -> bool:
        """Whether it is on its way, at this step, and still ours."""
        return not self.lost and self.document.status is Status.POSTING and self.document.step is step

    @contextmanager
    def change(self, context: Context) -> Iterator[Tx]:
        """A transaction that changes this document alone.

        When another worker holds the document by now, nothing is written: what that one decides stands.
        """
        with context.ledger.write() as tx, self.part_of(tx):
            yield tx

    @contextmanager
    def part_of(self, tx: Tx) -> Iterator[None]:
        """The part of a transaction that changes this document; as `change`, the other parts stand."""
        before = self.document
        try:
            with tx.begin_nested():
                yield
        except ClaimLost:
            self.lost = True
            self.document = before
            _log.warning("%s was taken over by another worker.", before.label)

    def move(
        self,
        context: Context,
        tx: Tx,
        to: Status,
        *,
        why: str = "",
        doubt: Doubt | None = None,
        **changes: Any,
    ) -> None:
        """Change the document's status, here and in the ledger; ``doubt`` says how one in doubt was decided.

        Raises:
            ClaimLost: Another worker holds it.
        """
        shown = ("step", "inbn", "cori", "voucher")
        decided = {} if doubt is None else {"doubt": doubt.value}
        documents.move(
            tx,
            self.document,
            to,
            hand=context.hand,
            worker=context.worker,
            why=why,
            details={name: str(changes[name]) for name in shown if changes.get(name)} | decided,
            **changes,
        )
        self._take(changes | {"status": to})

    def hold(self, context: Context, tx: Tx, held_for: Reason, *, doubt: Doubt | None = None) -> None:
        """Leave the document to a person, for one reason, whose text is the evidence.

        Raises:
            ClaimLost: Another worker holds it.
        """
        self.move(
            context,
            tx,
            Status.REVIEW,
            why=held_for.text,
            doubt=doubt,
            reasons=[held_for.to_json()],
            step=Step.NONE.value,
        )

    def progress(self, context: Context, tx: Tx, **changes: Any) -> None:
        """Change columns while the status stays.

        Raises:
            ClaimLost: Another worker holds it.
        """
        documents.note_progress(tx, self.document, hand=context.hand, worker=context.worker, **changes)
        self._take(changes)

    def _take(self, changes: dict[str, Any]) -> None:
        known = {name: value for name, value in changes.items() if name in type(self.document).__slots__}
        if "step" in known:
            known["step"] = Step(known["step"])
        self.document = replace(self.document, **known)
