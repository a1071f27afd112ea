"""The request budget of all workers on one ledger: one row, changed under a lock of its own.

A place in the budget is taken for every request, hundreds of times a minute. So it takes no turn among the
ledger's writers and waits for no disk: losing the row costs nothing but a moment's courtesy. pyrate-limiter's
buckets for SQLite and PostgreSQL were weighed: they keep a row a request, know neither a common pause nor a
limit that is learned, and bring tables of their own beside the migrations.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import insert, select, update

from target_infor_cloudsuite.ion.budget import Budget
from target_infor_cloudsuite.ledger.sqlite_file import file_engine
from target_infor_cloudsuite.ledger.tables import pace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine

T = TypeVar("T")

_ROW = 1


class SharedBudget:
    """A budget that is kept in a database; see `BudgetStore`.

    Args:
        engine: of the ledger on PostgreSQL, else of the file from `beside`.
        faults: turns the database's errors into the ledger's.
    """

    def __init__(self, engine: Engine, *, faults: Callable[[], AbstractContextManager[None]]) -> None:
        self._engine = engine
        self._faults = faults

    def change(self, step: Callable[[Budget, float], tuple[Budget, T]]) -> T:
        """Take one step of the budget, alone among all processes.

        Raises:
            LedgerError: The database cannot be used.
        """
        with self._faults(), self._alone() as tx:
            state = tx.execute(select(pace.c.state).where(pace.c.id == _ROW).with_for_update()).scalar_one()
            budget, answer = step(Budget.from_json(json.loads(state)), self._now(tx))
            tx.execute(update(pace).where(pace.c.id == _ROW).values(state=json.dumps(budget.to_json())))
        return answer

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        with self._engine.connect() as connection, connection.begin():
            if self._engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
            yield connection

    def _now(self, tx: Connection) -> float:
        """One clock for all: the database server's, or that of the one host that SQLite is used on."""
        if self._engine.dialect.name == "sqlite":
            return time.time()
        return float(tx.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())").scalar_one())


def beside(ledger_path: str) -> Engine:
    """The engine of the file beside a SQLite ledger. Nothing in it needs to survive a power cut."""
    engine = file_engine(f"sqlite:///{ledger_path}-pace", synchronous="OFF")
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        pace.create(connection, checkfirst=True)
        connection.execute(insert(pace).prefix_with("OR IGNORE").values(id=_ROW, state="{}"))
    return engine
