"""Opening the ledger: the engine, its transactions, its migrations."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import URL, Engine

#: A transaction on the ledger; the functions of this package take one.
Tx = Connection

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_SECONDS = 60
# Alembic tells at INFO which database it found, at every start: noise in a night's log.
logging.getLogger("alembic").setLevel(logging.WARNING)


class LedgerError(Exception):
    """The ledger cannot be used. The text says which one, why, and what to do."""


class Ledger:
    """The open ledger.

    Args:
        url: A SQLAlchemy URL: ``sqlite:///path`` or ``postgresql+psycopg://..``.
    """

    def __init__(self, url: str) -> None:
        self._url = _parse(url)
        self._engine = _engine(self._url)
        # SQLite knows one writer at a time; taking turns here spares the threads of one process its busy wait.
        self._turn = threading.RLock()

    @property
    def shown_url(self) -> str:
        """The URL without its password, for messages."""
        return self._url.render_as_string(hide_password=True)

    def open(self) -> None:
        """Bring the tables to this version. An empty database is filled, an older one migrated.

        Raises:
            LedgerError: It cannot be reached, is damaged, or belongs to a newer version.
        """
        with self._faults():
            if self._engine.dialect.name == "sqlite" and self._url.database not in (None, ":memory:"):
                Path(str(self._url.database)).parent.mkdir(parents=True, exist_ok=True)
            current = self.revision() or None
            script = ScriptDirectory(str(_MIGRATIONS))
            known = {revision.revision for revision in script.walk_revisions()}
            if current is not None and current not in known:
                raise LedgerError(
                    f"The ledger {self.shown_url} was written by a newer version (its schema is {current}). "
                    "Install that version or a later one of target-infor-cloudsuite; nothing was changed."
                )
            if current != script.get_current_head():
                with self.write() as tx:
                    config = Config()
                    config.set_main_option("script_location", str(_MIGRATIONS))
                    config.attributes["connection"] = tx
                    command.upgrade(config, "head")

    def exists(self) -> bool:
        """Whether there is a ledger already (a SQLite file that was never written is none)."""
        if self._engine.dialect.name == "sqlite":
            return Path(str(self._url.database)).exists()
        return bool(self.revision())

    def revision(self) -> str:
        """Which schema the ledger has; blank for an empty database."""
        with self._faults(), self._engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision() or ""

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A transaction that only reads."""
        with self._faults(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that writes; durable when the block ends, undone when it raises."""
        with self._turn, self._faults(), self._engine.connect() as connection, connection.begin():
            if self._engine.dialect.name == "sqlite":
                # Taking the write lock at once: a read that turns into a write later could not wait for its turn.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as fault:
            raise LedgerError(
                f"The ledger {self.shown_url} failed: {fault.orig}. Nothing that was not finished was kept. "
                "Check that it can be reached, is not locked by another program, and that its disk has room."
            ) from fault
        except OSError as fault:
            raise LedgerError(
                f"The ledger {self.shown_url} cannot be opened: {fault}. Check the setting ledger_url."
            ) from fault


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as fault:
        # The text itself may hold a password, so it is not repeated.
        raise LedgerError(
            "The setting ledger_url is no database URL, such as sqlite:///ledger/ledger.db or "
            "postgresql+psycopg://user:password@host/database."
        ) from fault


def _engine(url: URL) -> Engine:
    try:
        if url.get_backend_name() != "sqlite":
            return create_engine(url, pool_pre_ping=True)
        engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})
    except (NoSuchModuleError, ModuleNotFoundError) as fault:
        raise LedgerError(
            f"The setting ledger_url asks for {url.drivername}, which is not installed ({fault}). "
            "For PostgreSQL install target-infor-cloudsuite[postgres] and write postgresql+psycopg://.."
        ) from fault

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # sqlite3 must not begin transactions by itself
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # an attempt must survive a power cut once its request has left
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine
