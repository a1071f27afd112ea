"""Opening the ledger: the engine, its transactions, its migrations."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, delete, insert, inspect, select
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from target_infor_cloudsuite.ledger.pace import SharedBudget, beside
from target_infor_cloudsuite.ledger.seal import AuditKeys
from target_infor_cloudsuite.ledger.sqlite_file import BUSY_SECONDS, file_engine, looking_engine
from target_infor_cloudsuite.ledger.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import URL, Engine

#: A transaction on the ledger; the functions of this package take one.
Tx = Connection

_MIGRATIONS = Path(__file__).parent / "migrations"
_COPIED_AT_ONCE = 1000
#: PostgreSQL's advisory lock that stands for "I write to this ledger" (the letters STMP).
_WRITERS_TURN = 0x53544D50
# Alembic tells at INFO which database it found, at every start: noise in a night's log.
logging.getLogger("alembic").setLevel(logging.WARNING)


class LedgerError(Exception):
    """The ledger cannot be used. The text says which one, why, and what to do."""


class Ledger:
    """The open ledger.

    Writers take turns, on both databases: a transaction that begins while another one writes waits for it.
    Whoever reads sees the ledger as it was when the transaction began.

    Args:
        url: A SQLAlchemy URL: ``sqlite:///path`` or ``postgresql+psycopg://..``.
        look_only: Only look at it: nothing is written, not even the side files of SQLite.
        audit_keys: What seals the events written here, and checks those that stand there.
    """

    def __init__(self, url: str, *, look_only: bool = False, audit_keys: AuditKeys | None = None) -> None:
        self._url = _parse(url)
        self._keys = audit_keys or AuditKeys()
        self._engine = _engine(self._url, look_only=look_only).execution_options(audit_keys=self._keys)
        # SQLite knows one writer at a time; taking turns here spares threads of one process its busy wait.
        self._turn = threading.RLock()
        self._beside: Engine | None = None

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
            if self._engine.dialect.name == "sqlite":
                self._make_folder()
            self.refuse_newer()
            if not self.is_up_to_date():
                self.migrate("head")

    def migrate(self, revision: str) -> None:
        """Bring the tables to a later revision, whole or not at all.

        Raises:
            LedgerError: It cannot be done; nothing was changed.
        """
        # Only a changed schema needs it, and it takes as long to import as all else that a run needs.
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        with self._turn, self._faults(), self._engine.connect() as connection:
            sqlite = self._engine.dialect.name == "sqlite"
            if sqlite:
                # SQLite changes a table by making it anew, which rows that refer to the old one forbid.
                # Inside a transaction the switch has no effect.
                connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
                connection.rollback()
            try:
                with self._writing(connection):
                    config.attributes["connection"] = connection
                    command.upgrade(config, revision)
                    if sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                        raise LedgerError(
                            f"The ledger {self.shown_url} has rows that refer to rows which are not there, "
                            "so it was not brought to this version. Something else changed it: restore the "
                            "last backup."
                        )
            finally:
                if sqlite:
                    connection.exec_driver_sql("PRAGMA foreign_keys=ON")

    @property
    def path(self) -> Path | None:
        """The file of a SQLite ledger; None on a server."""
        on_disk = self._engine.dialect.name == "sqlite" and self._url.database
        return Path(str(self._url.database)) if on_disk else None

    def is_up_to_date(self) -> bool:
        """Whether the tables are those of this version."""
        return self.revision() == _revisions()[-1]

    def refuse_newer(self) -> None:
        """Make sure that this version knows the ledger's tables.

        Raises:
            LedgerError: It belongs to a newer version.
        """
        current = self.revision()
        if current and current not in _revisions():
            raise LedgerError(
                f"The ledger {self.shown_url} was written by a newer version (its schema is {current}). "
                "Install that version or a later one of target-infor-cloudsuite; nothing was changed."
            )

    def exists(self) -> bool:
        """Whether there is a ledger already; an empty database, or an empty file, is none."""
        if self._engine.dialect.name == "sqlite" and not _has_content(Path(str(self._url.database))):
            return False
        return bool(self.revision())

    def revision(self) -> str:
        """Which schema the ledger has; blank for an empty database."""
        with self._faults(), self._engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return ""
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            return str(found or "")

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A transaction that only reads; all its statements see the same moment."""
        with self._faults(), self._engine.connect() as connection:
            if self._engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")
            else:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")  # noqa: PLW2901
            yield connection

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that writes; durable when the block ends, undone when it raises."""
        with self._turn, self._faults(), self._engine.connect() as connection, self._writing(connection):
            yield connection

    @contextmanager
    def _writing(self, connection: Tx) -> Iterator[None]:
        with connection.begin():
            if self._engine.dialect.name == "sqlite":
                # The write lock at once: a read that turns into a write later could not wait for its turn.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                # Two writers that wait for a row of each other would be a deadlock, and the end of one run.
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS:.0f}s'")
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_TURN})")
            yield

    def copied_to(self, path: str) -> Ledger:
        """A ledger of its own, in a SQLite file, with all that stands in this one now; open."""
        copy = Ledger(f"sqlite:///{path}", audit_keys=self._keys)
        copy.open()
        with self.read() as tx, copy.write() as own:
            own.exec_driver_sql("PRAGMA defer_foreign_keys=ON")  # rows refer to others of their own table
            for table in reversed(metadata.sorted_tables):
                own.execute(delete(table))
            for table in metadata.sorted_tables:
                rows = tx.execute(select(table).execution_options(yield_per=_COPIED_AT_ONCE))
                for part in rows.mappings().partitions():
                    own.execute(insert(table), [dict(row) for row in part])
        return copy

    def give_room_back(self) -> None:
        """Make what was deleted unreadable in SQLite's files, too; PostgreSQL does so in its own time."""
        if self._engine.dialect.name == "sqlite":
            with self._turn, self._faults(), self._engine.connect() as connection:
                connection.exec_driver_sql("VACUUM")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def _make_folder(self) -> None:
        try:
            Path(str(self._url.database)).parent.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise LedgerError(
                f"The folder of the ledger {self.shown_url} cannot be made: {fault.strerror or fault}. Check "
                "the setting ledger_url, and the right to write there."
            ) from fault

    def request_budget(self) -> SharedBudget:
        """The request budget that all workers on this ledger share.

        Raises:
            LedgerError: It cannot be used.
        """
        if self._engine.dialect.name != "sqlite":
            return SharedBudget(self._engine, faults=self._faults)
        with self._faults():
            self._beside = self._beside or beside(str(self._url.database))
        return SharedBudget(self._beside, faults=self._faults)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()
        if self._beside is not None:
            self._beside.dispose()

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as fault:
            raise LedgerError(
                f"The ledger {self.shown_url} cannot be used: {_one_line(fault.orig)}. {_what_to_do(fault)} "
                "What was finished before is kept; nothing else was."
            ) from fault


def _revisions() -> list[str]:
    """The schema's revisions, oldest first: each migration's file begins with its own."""
    return sorted(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


def _one_line(fault: BaseException | None) -> str:
    return "; ".join(line.strip() for line in str(fault).splitlines() if line.strip()).rstrip(".")


def _what_to_do(fault: DBAPIError) -> str:
    text = str(fault.orig).lower()
    if "locked" in text or "lock timeout" in text:
        return "Another program has been writing to it for a minute: end that one, or wait for it."
    if "not a database" in text or "malformed" in text:
        return "Restore it from a backup, with the STATE of the same moment; or correct ledger_url."
    if "full" in text or "disk i/o" in text or "no space" in text:
        return "Make room on its disk, then run again."
    if "readonly" in text or "read-only" in text or "unable to open" in text or "permission" in text:
        return "Check ledger_url, and the right to write to that file and its folder."
    return "Check ledger_url, and that the database can be reached and is as this program left it."


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:  # opening it will say why
        return False


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as fault:
        # The text itself may hold a password, so it is not repeated.
        raise LedgerError(
            "The setting ledger_url is no database URL, such as sqlite:///ledger/ledger.db or "
            "postgresql+psycopg://user:password@host/database."
        ) from fault


def _engine(url: URL, *, look_only: bool) -> Engine:
    try:
        if url.get_backend_name() == "postgresql":
            return create_engine(url, pool_pre_ping=True)
        if url.get_backend_name() != "sqlite":
            raise LedgerError(
                f"The setting ledger_url asks for {url.drivername}; the ledger is kept in SQLite "
                "(sqlite:///..) or PostgreSQL (postgresql+psycopg://..)."
            )
        return looking_engine(url) if look_only else file_engine(url, synchronous="FULL")
    except (NoSuchModuleError, ModuleNotFoundError) as fault:
        raise LedgerError(
            f"The setting ledger_url asks for {url.drivername}, which is not installed ({fault}). "
            "For PostgreSQL install target-infor-cloudsuite[postgres] and write postgresql+psycopg://.."
        ) from fault
