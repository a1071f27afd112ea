"""M3's durable state: one SQLite file in the sandbox's home.

``synchronous=OFF``: a commit reaches the operating system, not the disk. The tests kill processes, they do
not cut the power, and what a killed process has committed is all there. A commit costs microseconds so.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS master (kind TEXT, key TEXT, data TEXT, PRIMARY KEY (kind, key));
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS request_count (name TEXT PRIMARY KEY, n INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS batch (
  inbn INTEGER PRIMARY KEY, program TEXT, cono INTEGER, divi TEXT, spyn TEXT, suno TEXT, sino TEXT,
  supa INTEGER, ibhe INTEGER DEFAULT 0, ible INTEGER DEFAULT 0, error TEXT DEFAULT '', validate_at REAL,
  vser TEXT DEFAULT '', vono INTEGER DEFAULT 0, yea4 INTEGER DEFAULT 0, rgdt TEXT, head TEXT);
CREATE INDEX IF NOT EXISTS batch_by_number ON batch (cono, spyn, suno, sino);
CREATE TABLE IF NOT EXISTS batch_line (
  inbn INTEGER, trno INTEGER, rdtp INTEGER, ible INTEGER DEFAULT 0, error TEXT DEFAULT '', rgdt TEXT,
  fields TEXT, PRIMARY KEY (inbn, trno)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS invoice (
  cono INTEGER, divi TEXT, spyn TEXT, suno TEXT, sino TEXT, inyr INTEGER, cucd TEXT, cuam TEXT, vtam TEXT,
  pcua TEXT, ivdt TEXT, dudt TEXT, acdt TEXT, tepy TEXT, pyme TEXT, vser TEXT, vono INTEGER, yea4 INTEGER,
  jrno INTEGER, rgdt TEXT, inbn INTEGER, cori TEXT,
  PRIMARY KEY (cono, divi, spyn, sino, inyr, suno)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS invoice_by_voucher ON invoice (cono, divi, yea4, vono);
CREATE TABLE IF NOT EXISTS statement (
  cono INTEGER, divi TEXT, jbno INTEGER, jbdt TEXT, jbtm TEXT, bsty TEXT, stmn TEXT, bsid TEXT, cucd TEXT,
  validated INTEGER DEFAULT 0, PRIMARY KEY (cono, divi, jbno, jbdt, jbtm)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS statement_line (
  cono INTEGER, divi TEXT, jbno INTEGER, blsn INTEGER, spyn TEXT, bllf TEXT, abno TEXT, curd TEXT,
  PRIMARY KEY (cono, divi, jbno, blsn)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS statement_detail (
  cono INTEGER, divi TEXT, jbno INTEGER, blsn INTEGER, blss INTEGER, odiv TEXT, sino TEXT, inyr INTEGER,
  blnf TEXT, irno TEXT, PRIMARY KEY (cono, divi, jbno, blsn, blss)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journal (
  cono INTEGER, divi TEXT, key1 TEXT, intn TEXT, text TEXT, status INTEGER DEFAULT 10,
  PRIMARY KEY (cono, divi, key1)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journal_line (
  cono INTEGER, divi TEXT, key1 TEXT, line INTEGER, fields TEXT,
  PRIMARY KEY (cono, divi, key1, line)) WITHOUT ROWID;
"""


def open_database(path: Path) -> sqlite3.Connection:
    """Open M3's database for the one process that serves it; tables are made where missing."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
    connection.executescript(_SCHEMA)
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open M3's database beside the process that serves it."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    return connection


@contextmanager
def unit_of_work(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, committed on the way out."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def next_number(connection: sqlite3.Connection, name: str, start: int) -> int:
    """The next number of a series; never given twice."""
    row = connection.execute(
        "INSERT INTO counter (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
        (name, start),
    ).fetchone()
    return int(row[0])
