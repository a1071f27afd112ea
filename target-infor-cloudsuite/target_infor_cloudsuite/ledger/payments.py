"""Bank statements that carry payments, and what each payment settles."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from target_infor_cloudsuite.ledger.states import Status
from target_infor_cloudsuite.ledger.tables import applications, documents, statements

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Row

    from target_infor_cloudsuite.ledger.documents import Hand
    from target_infor_cloudsuite.ledger.store import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A bank statement opened by us: ``number`` is our STMN, ``statement_key`` M3's JBNO, JBDT and JBTM."""

    id: int
    cono: int
    divi: str
    bank: str
    currency: str
    number: str
    status: str
    statement_key: dict[str, str]
    run_id: str


_COLUMNS = [statements.c[name] for name in Statement.__slots__]


def _statement(row: Row[Any]) -> Statement:
    return Statement(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping


def open_statement(  # noqa: PLR0913 - a statement's row, column by column
    tx: Tx, *, hand: Hand, cono: int, divi: str, bank: str, currency: str
) -> Statement:
    """Write a new statement; its number comes from its row, so no two have the same."""
    result = tx.execute(
        insert(statements).values(
            cono=cono,
            divi=divi,
            bank=bank,
            currency=currency,
            status="open",
            run_id=hand.run_id,
            created_at=hand.at,
            updated_at=hand.at,
        )
    )
    key = result.inserted_primary_key
    if key is None:
        raise LookupError("The database gave no id for the new statement.")
    statement_id = int(key[0])
    change_statement(tx, statement_id, hand=hand, number=f"STAMPLI{statement_id:08d}")
    return get_statement(tx, statement_id)


def change_statement(tx: Tx, statement_id: int, *, hand: Hand, **changes: Any) -> None:
    """Change a statement's columns."""
    tx.execute(
        update(statements).where(statements.c.id == statement_id).values(updated_at=hand.at, **changes)
    )


def get_statement(tx: Tx, statement_id: int) -> Statement:
    """One statement."""
    return _statement(tx.execute(select(*_COLUMNS).where(statements.c.id == statement_id)).one())


def payments_on(tx: Tx, statement_id: int) -> list[int]:
    """The documents that stand on a statement, in the order of their lines."""
    return list(
        tx.execute(
            select(documents.c.id)
            .where(documents.c.statement_id == statement_id)
            .order_by(documents.c.statement_line)
        ).scalars()
    )


def unused(tx: Tx, *, but_run: str) -> list[tuple[Statement, datetime]]:
    """Open statements of other runs on which no payment stands, each with when it last changed."""
    stands_on = select(documents.c.id).where(documents.c.statement_id == statements.c.id)
    rows = tx.execute(
        select(*_COLUMNS, statements.c.updated_at)
        .where(statements.c.status == "open", statements.c.run_id != but_run, ~stands_on.exists())
        .order_by(statements.c.id)
    )
    return [
        (Statement(**{name: row._mapping[name] for name in Statement.__slots__}), row.updated_at)  # noqa: SLF001
        for row in rows
    ]


def set_applications(tx: Tx, document_id: int, applied: Iterable[tuple[str, Decimal]]) -> None:
    """What a payment settles: pairs of invoice key and amount, in the order of its details."""
    tx.execute(delete(applications).where(applications.c.document_id == document_id))
    for position, (invoice_key, amount) in enumerate(applied, start=1):
        tx.execute(
            insert(applications).values(
                document_id=document_id, position=position, invoice_key=invoice_key, amount=amount
            )
        )


def promised(tx: Tx, invoice_key: str, *, but: int) -> Decimal:
    """What other payments are about to take from an invoice and M3 does not show yet."""
    on_the_way = [s.value for s in (Status.READY, Status.POSTING, Status.IN_DOUBT, Status.POSTED)]
    total = tx.execute(
        select(func.sum(applications.c.amount))
        .join(documents, documents.c.id == applications.c.document_id)
        .where(
            applications.c.invoice_key == invoice_key,
            applications.c.document_id != but,
            documents.c.status.in_(on_the_way),
            documents.c.settled.is_(False),
        )
    ).scalar_one()
    return Decimal(0) if total is None else total


def unsettled(tx: Tx, *, program: str) -> list[int]:
    """Posted payments of a program that settles, of which M3 did not show that they have yet."""
    return list(
        tx.execute(
            select(documents.c.id)
            .where(
                documents.c.kind == "payment",
                documents.c.status == Status.POSTED.value,
                documents.c.program == program,
                documents.c.settled.is_(False),
            )
            .order_by(documents.c.id)
        ).scalars()
    )
