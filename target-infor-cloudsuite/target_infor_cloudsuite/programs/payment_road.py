"""What the roads by which a payment gets into M3 have in common: a sheet that is opened, filled, and closed.

Nothing books before the sheet is closed. Sheets, lines and details carry numbers of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from stampli_infor_transforms.documents import AccountingPayment

    from target_infor_cloudsuite.ion.answers import Transaction
    from target_infor_cloudsuite.ledger.payments import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One invoice that a payment settles.

    Attributes:
        line: The number of the payment's line.
        number: Counted by us from 1.
        divi: The invoice's division.
        invoice: SINO.
        year: INYR as M3 holds it.
        amount: What is taken of it, signed as the invoice.
    """

    line: int
    number: int
    divi: str
    invoice: str
    year: str
    amount: Decimal


#: A transaction of a payment with its position among those of its kind; 0 where there is one only.
Placed = tuple["Transaction", int]


class PaymentRoad(Protocol):
    """A road by which payments get into M3."""

    @property
    def name(self) -> str:
        """The MI program."""

    @property
    def settles(self) -> bool:
        """Whether M3 shows the invoices as paid afterwards, by which a lost answer can be decided."""

    def shown(self, statement: Statement) -> str:
        """What a person looks at in M3, to begin a sentence with."""

    def bank(self, *, cono: int, divi: str, bsid: str) -> Transaction | None:
        """The question how a bank is set up; None where M3 is not asked."""

    def lacks(self, bsid: str) -> str:
        """What is missing in the settings for this bank; '' for nothing."""

    def head(self, statement: Statement, *, statement_type: str) -> Transaction:
        """Opens a sheet."""

    def key_of(self, record: dict[str, str]) -> dict[str, str]:
        """M3's key of the sheet, out of its answer to `head`."""

    def lines(self, statement: Statement, payment: AccountingPayment, *, number: int) -> list[Placed]:
        """One payment; ``number`` is its place on the sheet, from 1."""

    def details(
        self, statement: Statement, payment: AccountingPayment, details: Sequence[Detail]
    ) -> list[Placed]:
        """What goes behind the lines, once those are in."""

    def check(self, statement: Statement) -> Transaction | None:
        """What has to find the sheet sound before it can be closed; it books nothing and may be repeated."""

    def close(self, statement: Statement) -> Transaction:
        """The one transaction that books."""
