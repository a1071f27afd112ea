"""ABS100MI: payments as lines of a bank statement, the API road that settles invoices paid elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_infor_cloudsuite.ion.answers import Transaction
from target_infor_cloudsuite.m3.values import mi_amount, mi_date

if TYPE_CHECKING:
    from decimal import Decimal

    from stampli_infor_transforms.documents import AccountingPayment

    from target_infor_cloudsuite.ledger.payments import Statement
    from target_infor_cloudsuite.m3.catalog import Catalog

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


def head(statement: Statement, *, statement_type: str) -> Transaction:
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


def line(statement: Statement, payment: AccountingPayment, *, number: int) -> Transaction:
    """AddStatmtLine: one payment. ``number`` (BLSN) is ours, so a repeat answers XRE0104."""
    reference = {"ABNO": payment.reference[:27]} if payment.reference else {}
    return Transaction(
        "AddStatmtLine",
        _of(statement)
        | {
            "BLSN": str(number),
            "BLLF": mi_amount(_MONEY_OUT * payment.amount),
            "CUCD": payment.currency,
            "CURD": mi_date(payment.payment_date),
            "SPYN": payment.payee,
        }
        | reference,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One invoice that a payment settles.

    Attributes:
        line: BLSN of the payment's line.
        number: BLSS, counted by us from 1.
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


def detail(statement: Statement, payment: AccountingPayment, settled: Detail) -> Transaction:
    """AddStatmtDetail: one invoice that a payment settles."""
    reference = {"IRNO": payment.reference[:40]} if payment.reference else {}
    elsewhere = {"ODIV": settled.divi} if settled.divi != statement.divi else {}
    return Transaction(
        "AddStatmtDetail",
        _of(statement)
        | {
            "BLSN": str(settled.line),
            "BLSS": str(settled.number),
            "BLNF": mi_amount(_MONEY_OUT * settled.amount),
            "SINO": settled.invoice,
            "INYR": settled.year,
        }
        | elsewhere
        | reference,
    )


def validate(statement: Statement) -> Transaction:
    """ValidateStatmt: only now does anything book."""
    return Transaction("ValidateStatmt", _of(statement))


def key_of(record: dict[str, str]) -> dict[str, str]:
    """The statement's key as AddStatmtHead answered it."""
    return {name: record[name] for name in _STATEMENT_KEY}


def _of(statement: Statement) -> dict[str, str]:
    return {"CONO": str(statement.cono), "DIVI": statement.divi} | statement.statement_key
