"""A SQLite file that several processes write to: how it is opened, so that each waits for the others."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import create_engine, event
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine

#: How long a process waits for another one that writes.
BUSY_SECONDS = 60.0


def file_engine(url: URL | str, *, synchronous: Literal["FULL", "OFF"]) -> Engine:
    """The engine of a file in WAL mode, made if need be; transactions begin when told to.

    Args:
        url: of the file.
        synchronous: FULL: what is committed survives a power cut; OFF: it need not.
    """
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # sqlite3 must not begin transactions by itself
        _write_ahead(connection)
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


def looking_engine(url: URL) -> Engine:
    """The engine of a file that is only looked at: nothing is written, no side file is made beside it."""
    path = Path(str(url.database)).absolute()
    # While somebody works with it the side files are there; else the file alone is the whole ledger.
    mode = {"mode": "ro"} if path.with_name(f"{path.name}-wal").exists() else {"immutable": "1"}
    looking = url.set(database=path.as_uri()).update_query_dict({**mode, "uri": "true"})
    engine = create_engine(looking, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # as above: a reader begins its transactions itself

    return engine


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Bring the file into WAL mode, where readers and the writer do not stop each other.

    It is the one statement that does not wait for others by SQLite's own timeout, and it meets them: the
    mapper and the target of one pipeline open a new ledger in the same moment.
    """
    for attempt in Retrying(
        retry=retry_if_exception(_is_busy),
        wait=wait_random(0.005, 0.05),
        stop=stop_after_delay(BUSY_SECONDS),
        reraise=True,
    ):
        with attempt:
            connection.execute("PRAGMA journal_mode=WAL")


def _is_busy(fault: BaseException) -> bool:
    if not isinstance(fault, sqlite3.OperationalError):
        return False
    return fault.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # what stands above says which lock it was
