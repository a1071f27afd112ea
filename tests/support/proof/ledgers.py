"""Ledgers for the kills: a fresh one for each, as a copy of one that knows the tenant's reference data."""

from __future__ import annotations

import pwd
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Files:
    """SQLite files in a folder."""

    directory: Path

    def template(self) -> str:
        """Where the first ledger is to be made."""
        return f"sqlite:///{self.directory / 'template.db'}"

    def fresh(self) -> str:
        """A copy of the first ledger."""
        for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
            (self.directory / name).unlink(missing_ok=True)
        with closing(sqlite3.connect(self.directory / "template.db")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(self.directory / "template.db", self.directory / "ledger.db")
        return f"sqlite:///{self.directory / 'ledger.db'}"

    def rows(self, query: str) -> list[Any]:
        """What stands in the copy."""
        with closing(sqlite3.connect(self.directory / "ledger.db")) as connection:
            return connection.execute(query).fetchall()


@dataclass(slots=True)
class Databases:
    """Databases of a PostgreSQL cluster."""

    socket: str
    _count: int = 0
    _engine: Any = field(default=None)

    def template(self) -> str:
        """Where the first ledger is to be made."""
        self._administer("CREATE DATABASE template_ledger")
        return self._url("template_ledger")

    def fresh(self) -> str:
        """A copy of the first ledger; the one before is dropped."""
        self._administer(f"DROP DATABASE IF EXISTS ledger_{self._count} WITH (FORCE)")
        self._count += 1
        self._administer(f"CREATE DATABASE ledger_{self._count} TEMPLATE template_ledger")
        return self._url(f"ledger_{self._count}")

    def rows(self, query: str) -> list[Any]:
        """What stands in the copy."""
        engine = sa.create_engine(self._url(f"ledger_{self._count}"))
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.exec_driver_sql(query)]
        engine.dispose()
        return found

    def _url(self, name: str) -> str:
        return f"postgresql+psycopg://ledger@/{name}?host={self.socket}"

    def _administer(self, command: str) -> None:
        engine = sa.create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(command)
        engine.dispose()


@contextmanager
def postgresql() -> Iterator[Databases]:
    """A cluster of our own, without a port; PostgreSQL does not run as root, so it runs as its own user."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    programs = found[-1].parent if found else Path(str(shutil.which("initdb"))).parent
    prefix: list[str] = []
    folder = Path(tempfile.mkdtemp(prefix="proof-pg-"))
    if pwd.getpwuid(folder.stat().st_uid).pw_uid == 0:
        prefix = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")
    data = str(folder / "data")

    def run(*command: str) -> None:
        subprocess.run(
            [*prefix, *command], check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    try:
        run(str(programs / "initdb"), "-D", data, "-A", "trust", "-U", "ledger", "-E", "UTF8", "--no-sync")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run(str(programs / "pg_ctl"), "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            yield Databases(str(folder))
        finally:
            run(str(programs / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
