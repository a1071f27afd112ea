"""GLS840MI: payments as GL journals, by explicit setting only. They book, and settle no invoice.

A batch is named by us (KEY1) and its lines numbered by us (LINE), so a repeat answers XRE0104. CtrlBatch
checks, UpdBatch books. No transaction reads a batch back: when UpdBatch's answer is lost, only a person can
say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_infor_cloudsuite.ion.answers import Transaction
from target_infor_cloudsuite.m3.values import mi_amount, mi_date

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stampli_infor_transforms.documents import AccountingPayment

    from target_infor_cloudsuite.ledger.payments import Statement
    from target_infor_cloudsuite.m3.catalog import Catalog
    from target_infor_cloudsuite.programs.payment_road import Detail, Placed

PROGRAM = "GLS840MI"
REQUIRED = ("AddBatchHead", "AddBatchLineFld", "CtrlBatch", "UpdBatch")
#: Under this name journal_accounts holds what is debited; under a BSID what is credited.
PAYABLES = "payables"
#: INRI, which record of the interface a line is. Assumed: a tenant's interface may name it otherwise.
_LINE_RECORD = "I1"
_LINES_A_PAYMENT = 2


def usable(catalog: Catalog) -> bool:
    """Whether the tenant exposes all that a journal needs."""
    return catalog.exposes(PROGRAM, *REQUIRED)


@dataclass(frozen=True, slots=True)
class Gls840:
    """The journal road of one configuration: see `PaymentRoad`.

    Attributes:
        interface: INTN, the interface that M3 takes our batches by.
        accounts: ``payables`` and each BSID -> AIT1, or AIT1 to AIT7 parted by ``/``.
    """

    interface: str
    accounts: Mapping[str, str]
    name: str = PROGRAM
    settles: bool = False

    def shown(self, statement: Statement) -> str:
        """Its key, and where."""
        return f"Journal batch {_key(statement)} (GLS840)"

    def bank(self, *, cono: int, divi: str, bsid: str) -> None:
        """M3 is not asked for the bank: the journal names an account."""

    def lacks(self, bsid: str) -> str:
        """An account that journal_accounts lacks."""
        missing = [name for name in (PAYABLES, bsid) if not self.accounts.get(name)]
        return f"the setting journal_accounts names no account for {' and '.join(missing)}" if missing else ""

    def head(self, statement: Statement, *, statement_type: str) -> Transaction:
        """AddBatchHead."""
        del statement_type
        fields = _of(statement) | {"INTN": self.interface, "DESC": f"Stampli payments {statement.bank}"[:40]}
        return Transaction("AddBatchHead", {"CONO": str(statement.cono), **fields})

    def key_of(self, record: dict[str, str]) -> dict[str, str]:
        """The key is our own number."""
        del record
        return {}

    def lines(self, statement: Statement, payment: AccountingPayment, *, number: int) -> list[Placed]:
        """AddBatchLineFld twice: payables debited, the bank credited; the reverse for money that came."""
        first = (number - 1) * _LINES_A_PAYMENT
        sides = ("D", "C") if payment.amount >= 0 else ("C", "D")
        accounts = (self.accounts.get(PAYABLES, ""), self.accounts.get(statement.bank, ""))
        return [
            (self._line(statement, payment, number=first + place, side=side, account=account), place)
            for place, (side, account) in enumerate(zip(sides, accounts, strict=True), start=1)
        ]

    def _line(
        self, statement: Statement, payment: AccountingPayment, *, number: int, side: str, account: str
    ) -> Transaction:
        coding = {f"AIT{place}": value for place, value in enumerate(account.split("/"), start=1) if value}
        text = f"{payment.payee} {payment.reference}".strip()[:40]
        fields = {
            "LINE": str(number),
            "INRI": _LINE_RECORD,
            "DBCR": side,
            "CUCD": payment.currency,
            "CUAM": mi_amount(abs(payment.amount)),
            "ACDT": mi_date(payment.payment_date),
            "VTXT": text,
        }
        return Transaction("AddBatchLineFld", _of(statement) | fields | coding)

    def details(
        self, statement: Statement, payment: AccountingPayment, details: Sequence[Detail]
    ) -> list[Placed]:
        """A journal names no invoices."""
        del statement, payment, details
        return []

    def check(self, statement: Statement) -> Transaction:
        """CtrlBatch."""
        return Transaction("CtrlBatch", {"CONO": str(statement.cono), **_of(statement)})

    def close(self, statement: Statement) -> Transaction:
        """UpdBatch."""
        return Transaction("UpdBatch", {"CONO": str(statement.cono), **_of(statement)})


def _of(statement: Statement) -> dict[str, str]:
    return {"KEY1": _key(statement), "DIVI": statement.divi}


def _key(statement: Statement) -> str:
    """A key that no other ledger gives to a batch of the same M3: KEY1 has 15 characters."""
    return f"S{statement.run_id[:6].upper()}{statement.id:08d}"
