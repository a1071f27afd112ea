"""Documents that are nearly the same as one: earlier, live invoices by number, amount or supplier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from target_infor_cloudsuite.ledger.document import COLUMNS, of_row
from target_infor_cloudsuite.ledger.states import OUT_OF_THE_WAY, Status
from target_infor_cloudsuite.ledger.tables import documents
from target_infor_cloudsuite.ledger.types import Money

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from sqlalchemy import Row

    from target_infor_cloudsuite.ledger.document import Document
    from target_infor_cloudsuite.ledger.store import Tx

_LIVE = [status.value for status in Status if status not in OUT_OF_THE_WAY]


_NEIGHBOURS = (
    select(*COLUMNS)
    .where(
        documents.c.id < bindparam("its_id"),
        documents.c.kind == "invoice",
        documents.c.status.in_(_LIVE),
    )
    .order_by(documents.c.id)
    .limit(5)
)
_NEAR_BY_NUMBER = _NEIGHBOURS.where(documents.c.folded_key == bindparam("folded"))
_SAME_AMOUNT = _NEIGHBOURS.where(
    documents.c.cono == bindparam("company"), documents.c.amount == bindparam("total", type_=Money)
)
_NEAR_BY_AMOUNT = _SAME_AMOUNT.where(documents.c.supplier == bindparam("whose"))
_NEAR_BY_OTHER_SUPPLIER = _SAME_AMOUNT.where(
    documents.c.number == bindparam("same_number"), documents.c.supplier != bindparam("whose")
)


def near_by_number(tx: Tx, document_id: int, folded_key: str) -> list[Document]:
    """Earlier live documents of the same supplier whose number folds to the same text."""
    return _found(tx.execute(_NEAR_BY_NUMBER, {"its_id": document_id, "folded": folded_key}))


def near_by_amount(
    tx: Tx, document: Document, *, cono: int, supplier: str, amount: Decimal
) -> list[Document]:
    """Live documents of the same supplier over the same amount."""
    wanted = {"its_id": document.id, "company": cono, "whose": supplier, "total": amount}
    return _found(tx.execute(_NEAR_BY_AMOUNT, wanted))


def near_by_other_supplier(
    tx: Tx, document: Document, *, cono: int, supplier: str, amount: Decimal
) -> list[Document]:
    """Live documents of another supplier with the same number and amount."""
    wanted = {
        "its_id": document.id,
        "company": cono,
        "whose": supplier,
        "total": amount,
        "same_number": document.number,
    }
    return _found(tx.execute(_NEAR_BY_OTHER_SUPPLIER, wanted))


def _found(rows: Iterable[Row[Any]]) -> list[Document]:
    return [of_row(row) for row in rows]
