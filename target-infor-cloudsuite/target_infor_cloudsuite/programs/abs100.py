"""ABS100MI: payments as lines of a bank statement, the API road that settles invoices paid elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_infor_cloudsuite.ion.answers import Transaction
from target_infor_cloudsuite.m3.values import mi_amount, mi_date

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stampli_infor_transforms.documents import AccountingPayment

    from target_infor_cloudsuite.ledger.payments import Statement
    from target_infor_cloudsuite.m3.catalog import Catalog
    from target_infor_cloudsuite.programs.payment_road import Detail, Placed

PROGRAM = "ABS100MI"
REQUIRED = ("AddStatmtHead", "AddStatmtLine", "AddStatmtDetail", "GetBankIdent", "ValidateStatmt")
#: Money out is negative on a bank statement. Assumed: no public source settles it, so it is turned here only.
_MONEY_OUT = -1
_STATEMENT_KEY = ("JBNO", "JBDT", "JBTM")


def usable(catalog: Catalog) -> bool:
    """Whether the tenant exposes all that a statement needs, its validation included."""
    return catalog.exposes(PROGRAM, *REQUIRED)


def bank(*, cono: int, divi: str, bsid: str) -> Transaction:
    """GetBankIdent: how a bank identity is set up; answers BSTY, the statement type."""
    return Transaction("GetBankIdent", {"CONO": str(cono), "DIVI": divi, "BSID": bsid})


@dataclass(frozen=True, slots=True)
class Abs100:
    """The statement road: see `PaymentRoad`."""

    name: str = PROGRAM
    settles: bool = True

    def shown(self, statement: Statement) -> str:
        """Its number, and where."""
        return f"Bank statement {statement.number} (ABS100)"

    def bank(self, *, cono: int, divi: str, bsid: str) -> Transaction:
        """GetBankIdent."""
        return bank(cono=cono, divi=divi, bsid=bsid)

    def lacks(self, bsid: str) -> str:
        """Nothing: M3 knows the bank, or does not."""
        del bsid
        return ""

    def head(self, statement: Statement, *, statement_type: str) -> Transaction:
        """AddStatmtHead: opens a statement; answers its key."""
        return Transaction(
            "AddStatmtHead",
            {
                "CONO": str(statement.cono),
                "DIVI": statement.divi,
                "BSTY": statement_type or "1",
                "STMN": statement.number,
                "BSID": statement.bank,
                "CUCD": statement.currency,
            },
            _STATEMENT_KEY,
        )

    def key_of(self, record: dict[str, str]) -> dict[str, str]:
        """The statement's key as AddStatmtHead answered it."""
        return {name: record[name] for name in _STATEMENT_KEY}

    def lines(self, statement: Statement, payment: AccountingPayment, *, number: int) -> list[Placed]:
        """AddStatmtLine: one payment. ``number`` (BLSN) is ours, so a repeat answers XRE0104."""
        reference = {"ABNO": payment.reference[:27]} if payment.reference else {}
        fields = {
            "BLSN": str(number),
            "BLLF": mi_amount(_MONEY_OUT * payment.amount),
            "CUCD": payment.currency,
            "CURD": mi_date(payment.payment_date),
            "SPYN": payment.payee,
        }
        return [(Transaction("AddStatmtLine", _of(statement) | fields | reference), 0)]

    def details(
        self, statement: Statement, payment: AccountingPayment, details: Sequence[Detail]
    ) -> list[Placed]:
        """AddStatmtDetail: each invoice that a payment settles; their numbers (BLSS) are ours, too."""
        return [(_detail(statement, payment, each), each.number) for each in details]

    def check(self, statement: Statement) -> None:
        """ValidateStatmt checks by itself."""

    def close(self, statement: Statement) -> Transaction:
        """ValidateStatmt: only now does anything book."""
        return Transaction("ValidateStatmt", _of(statement))


def _detail(statement: Statement, payment: AccountingPayment, settled: Detail) -> Transaction:
    reference = {"IRNO": payment.reference[:40]} if payment.reference else {}
    elsewhere = {"ODIV": settled.divi} if settled.divi != statement.divi else {}
    fields = {
        "BLSN": str(settled.line),
        "BLSS": str(settled.number),
        "BLNF": mi_amount(_MONEY_OUT * settled.amount),
        "SINO": settled.invoice,
        "INYR": settled.year,
    }
    return Transaction("AddStatmtDetail", _of(statement) | fields | elsewhere | reference)


def _of(statement: Statement) -> dict[str, str]:
    return {"CONO": str(statement.cono), "DIVI": statement.divi} | statement.statement_key
