"""Opening the ledger, on both databases: its tables, its transactions, and what can be wrong with it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from target_infor_cloudsuite.ledger import Ledger, LedgerError, documents, events, mappings, reference
from target_infor_cloudsuite.ledger.tables import documents as documents_table
from target_infor_cloudsuite.ledger.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from target_infor_cloudsuite.ledger.documents import Hand


def note(ledger: Ledger, hand: Hand, action: str = "noted") -> None:
    with ledger.write() as tx:
        events.record(tx, action, at=hand.at, actor=hand.actor)


def count(ledger: Ledger) -> int:
    with ledger.read() as tx:
        return len(list(events.since(tx, 0)))


def test_the_migrations_make_exactly_the_tables(ledger: Ledger) -> None:
    with ledger.read() as tx:
        differences = compare_metadata(MigrationContext.configure(tx), metadata)
    assert differences == []


def a_row_in_each(tables: sa.MetaData) -> dict[str, dict[str, Any]]:
    """One row a table, each referring to the others' wherever it can."""
    filler: dict[type, Any] = {int: 1, str: "x", bool: False}
    return {
        table.name: {
            column.name: None
            if any(key.column.table is table for key in column.foreign_keys)
            else filler[column.type.python_type]
            for column in table.columns
        }
        for table in tables.sorted_tables
        if table.name != "alembic_version"
    }


def test_a_ledger_of_an_earlier_version_keeps_every_row(
    url: str, open_ledger: Callable[[str], Ledger], hand: Hand
) -> None:
    earlier = Ledger(url)
    earlier.migrate("0001")
    before = sa.MetaData()
    with earlier.write() as tx:
        before.reflect(tx)
        rows = a_row_in_each(before)
        for name, values in rows.items():
            tx.execute(before.tables[name].insert().values(**values))
    earlier.close()

    ledger = open_ledger(url)
    after = sa.MetaData()
    with ledger.read() as tx:
        after.reflect(tx)
        for name, values in rows.items():
            (row,) = tx.execute(sa.select(after.tables[name])).mappings()
            assert {column: row[column] for column in values} == values, name
    with pytest.raises(LedgerError, match=r"(?i)foreign key"), ledger.write() as tx:
        tx.exec_driver_sql("DELETE FROM documents")
    assert len(rows) > 8
    note(ledger, hand)


def test_what_was_confirmed_in_an_earlier_version_finds_its_document(
    url: str, open_ledger: Callable[[str], Ledger], hand: Hand
) -> None:
    earlier, both = Ledger(url), replace(hand, at=hand.at + timedelta(minutes=1))
    earlier.migrate("0007")
    with earlier.write() as tx:
        for place, by in enumerate((hand, both, both)):
            events.record(tx, "mapping.confirmed", at=by.at, actor=by.actor, document_id=place + 7)
            tx.execute(
                sa.text(
                    "INSERT INTO confirmations "
                    "(cono, vendor_key, supplier, vendor, confirmed_by, confirmed_at) "
                    "SELECT :cono, 'k', 's', 'v', actor, at FROM events WHERE seq = :seq"
                ),
                {"cono": place, "seq": place + 1},
            )
    earlier.close()
    with open_ledger(url).read() as tx:
        kept = {each.cono: each.document_id for each in mappings.confirmations_kept(tx)}
    assert kept == {0: 7, 1: None, 2: None}, "one command confirmed two: which on which is not known"


def test_a_copy_is_whole_and_of_its_own(ledger: Ledger, hand: Hand, tmp_path: Path) -> None:
    with ledger.write() as tx:
        for number in ("1", "2"):
            values = {
                "kind": "invoice",
                "status": "review",
                "delivery": number,
                "raw": {"amount": Decimal("1.10")},
            }
            documents.add(tx, hand=hand, values=values)
        # As a newer revision and the older one that gave way do, they name each other.
        tx.execute(sa.update(documents_table).values(other_id=3 - documents_table.c.id))
        reference.keep(tx, "company:1", {"a": [1]}, read_at=hand.at)
    note(ledger, hand)
    with closing(ledger.copied_to(f"{tmp_path / 'copy.db'}")) as copy:
        with ledger.read() as tx, copy.read() as own:
            for table in metadata.sorted_tables:
                assert own.execute(sa.select(table)).all() == tx.execute(sa.select(table)).all()
            assert len(documents.find(own)) == 2
        before = count(ledger)
        note(copy, hand)
        assert (count(copy), count(ledger)) == (before + 1, before)


def test_opening_again_changes_nothing(ledger: Ledger, url: str, hand: Hand) -> None:
    note(ledger, hand)
    again = Ledger(url)
    again.open()
    assert count(again) == 1
    again.close()


def test_a_ledger_of_a_newer_version_is_refused(ledger: Ledger, url: str) -> None:
    with ledger.write() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    again = Ledger(url)
    with pytest.raises(LedgerError, match=r"newer version \(its schema is 9999\).*nothing was changed"):
        again.open()
    again.close()


def test_many_that_open_an_empty_database_at_once_make_one_ledger(
    url: str, open_ledger: Callable[[str], Ledger], hand: Hand
) -> None:
    with ThreadPoolExecutor(6) as pool:
        ledgers = list(pool.map(open_ledger, [url] * 6))
    for ledger in ledgers:
        note(ledger, hand)
    assert count(ledgers[0]) == 6


@pytest.mark.parametrize("opening", [Ledger.open, Ledger.request_budget], ids=["ledger", "budget"])
def test_a_new_file_that_another_process_is_making_is_waited_for(
    opening: Callable[[Ledger], object], tmp_path: Path
) -> None:
    path, opened = tmp_path / "ledger.db", threading.Event()

    def open_too() -> None:
        with closing(Ledger(f"sqlite:///{path}")) as ledger:
            opening(ledger)
        opened.set()

    with ExitStack() as others, ThreadPoolExecutor(1) as pool:
        for name in ("ledger.db", "ledger.db-pace"):
            other = others.enter_context(closing(sqlite3.connect(tmp_path / name, isolation_level=None)))
            other.execute("BEGIN IMMEDIATE")  # not in WAL mode yet, and about to write
            others.callback(other.execute, "COMMIT")
        waiting = pool.submit(open_too)
        assert not opened.wait(0.3)
        others.close()
        waiting.result(30)
    assert opened.is_set()


def test_what_is_undone_leaves_nothing(ledger: Ledger, hand: Hand) -> None:
    def fail() -> None:
        with ledger.write() as tx:
            events.record(tx, "noted", at=hand.at, actor="x")
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        fail()
    assert count(ledger) == 0


def test_a_reader_sees_one_moment(
    ledger: Ledger, url: str, open_ledger: Callable[[str], Ledger], hand: Hand
) -> None:
    note(ledger, hand)
    with open_ledger(url).read() as tx:
        before = len(list(events.since(tx, 0)))
        note(ledger, hand)
        assert len(list(events.since(tx, 0))) == before == events.end_of_chain(tx).seq == 1
    assert count(ledger) == 2


def test_writers_take_turns(
    ledger: Ledger, url: str, open_ledger: Callable[[str], Ledger], hand: Hand
) -> None:
    other, entered = open_ledger(url), threading.Event()

    def write_too() -> None:
        with other.write() as tx:
            entered.set()
            events.record(tx, "second", at=hand.at, actor="x")

    with ledger.write() as tx:
        thread = threading.Thread(target=write_too)
        thread.start()
        events.record(tx, "first", at=hand.at, actor="x")
        assert not entered.wait(0.3)
    thread.join(30)
    with ledger.read() as tx:
        assert [each.action for each in events.since(tx, 0)] == ["first", "second"]


def test_sqlite_survives_a_power_cut_by_its_settings(
    tmp_path: Path, open_ledger: Callable[[str], Ledger]
) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    with ledger.read() as tx:
        found = [
            tx.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("journal_mode", "synchronous")
        ]
    assert found == ["wal", 2]


def test_looking_leaves_no_trace(tmp_path: Path, open_ledger: Callable[[str], Ledger], hand: Hand) -> None:
    path = tmp_path / "ledger.db"
    missing = Ledger(f"sqlite:///{path}", look_only=True)
    assert not missing.exists()
    missing.close()
    assert list(tmp_path.iterdir()) == []
    working = open_ledger(f"sqlite:///{path}")
    note(working, hand)
    with working.read():  # somebody is working with it
        while_used = Ledger(f"sqlite:///{path}", look_only=True)
        assert while_used.exists()
        while_used.close()
    working.close()
    before = {each.name: each.stat().st_mtime_ns for each in tmp_path.iterdir()}
    looking = Ledger(f"sqlite:///{path}", look_only=True)
    assert looking.exists()
    looking.close()
    assert {each.name: each.stat().st_mtime_ns for each in tmp_path.iterdir()} == before


def corrupt(folder: Path) -> str:
    (folder / "ledger.db").write_bytes(b"no database " * 500)
    return f"sqlite:///{folder / 'ledger.db'}"


def damaged_inside(folder: Path) -> str:
    path = folder / "ledger.db"
    whole = Ledger(f"sqlite:///{path}")
    whole.open()
    whole.close()
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * (path.stat().st_size - 100))
    return f"sqlite:///{path}"


def folder_in_the_way(folder: Path) -> str:
    (folder / "ledger.db").mkdir()
    return f"sqlite:///{folder / 'ledger.db'}"


def no_folder_can_be_made(folder: Path) -> str:
    (folder / "file").write_text("x")
    return f"sqlite:///{folder / 'file' / 'ledger.db'}"


def nowhere_to_write(_folder: Path) -> str:
    return "sqlite:////proc/ledger.db"


def no_server(_folder: Path) -> str:
    return "postgresql+psycopg://ledger:geheim-42@127.0.0.1:1/books"


def no_such_driver(_folder: Path) -> str:
    return "postgresql+nonsense://ledger:geheim-42@127.0.0.1/books"


def another_database(_folder: Path) -> str:
    return "mssql+pyodbc://ledger:geheim-42@127.0.0.1/books"


def no_url(_folder: Path) -> str:
    return "ledger:geheim-42"


def open_and_close(url: str) -> None:
    with closing(Ledger(url)) as ledger:
        ledger.open()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (corrupt, ("not a database", "backup")),
        (damaged_inside, ("malformed", "backup")),
        (folder_in_the_way, ("ledger.db", "unable to open", "right to write")),
        (no_folder_can_be_made, ("cannot be made", "ledger_url")),
        (nowhere_to_write, ("unable to open", "right to write")),
        (no_server, ("127.0.0.1", "ledger_url", "***")),
        (no_such_driver, ("not installed", "postgresql+psycopg")),
        (another_database, ("SQLite", "PostgreSQL")),
        (no_url, ("sqlite:///", "postgresql+psycopg")),
    ],
)
def test_a_ledger_that_cannot_be_used_says_so_in_one_line(
    spoil: Callable[[Path], str], words: tuple[str, ...], tmp_path: Path
) -> None:
    url = spoil(tmp_path)
    with pytest.raises(LedgerError) as told:
        open_and_close(url)
    text = str(told.value)
    assert all(word in text for word in words), text
    assert "geheim" not in text
    assert "\n" not in text


def test_a_folder_that_is_read_only(tmp_path: Path, open_ledger: Callable[[str], Ledger]) -> None:
    """Root may write everywhere, so that an ordinary user tries."""
    path = tmp_path / "ledger.db"
    open_ledger(f"sqlite:///{path}").close()
    uid = 65534 if os.geteuid() == 0 else os.geteuid()
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    if os.geteuid() == 0:
        for folder in tmp_path.parents:
            if folder.name.startswith(("pytest-", "popen-")):  # pytest's own, whichever worker it is
                folder.chmod(0o755)
    code = (
        "import sys, os, target_infor_cloudsuite.ledger.store as store\n"
        "import target_infor_cloudsuite.ledger.tables, sqlalchemy.dialects.sqlite, alembic.ddl.sqlite\n"
        "ledger = store.Ledger(sys.argv[1])\n"
        "os.setuid(int(sys.argv[2]))\n"
        "try:\n    ledger.open()\n    with ledger.write() as tx: tx.exec_driver_sql('DELETE FROM chain')\n"
        "except store.LedgerError as fault: print(fault); sys.exit(1)\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, f"sqlite:///{path}", str(uid)],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        tmp_path.chmod(0o755)
    assert done.returncode == 1, done.stderr
    assert "readonly" in done.stdout or "unable to open" in done.stdout
    assert "right to write" in done.stdout


def test_a_full_disk_loses_nothing_that_was_finished(
    tmp_path: Path, open_ledger: Callable[[str], Ledger], hand: Hand
) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    code = (
        "import resource, signal, sys\n"
        "from datetime import UTC, datetime\n"
        "from target_infor_cloudsuite.ledger import Ledger, LedgerError, events\n"
        "ledger = Ledger(sys.argv[1])\n"
        "ledger.open()\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))\n"
        "written = 0\n"
        "try:\n"
        "    while True:\n"
        "        with ledger.write() as tx:\n"
        "            events.record(tx, 'x', at=datetime.now(UTC), actor='x', details={'text': 'x' * 5000})\n"
        "        written += 1\n"
        "except LedgerError as fault:\n"
        "    print(written); print(fault)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=True)
    written, told = done.stdout.splitlines()
    assert int(written) > 10
    assert "Make room" in told
    ledger = open_ledger(url)
    assert count(ledger) == int(written)
    note(ledger, hand)
    assert count(ledger) == int(written) + 1


def test_the_password_of_the_url_is_never_shown() -> None:
    ledger = Ledger("postgresql+psycopg://me:geheim-42@db.example/books")
    assert ledger.shown_url == "postgresql+psycopg://me:***@db.example/books"
    assert "geheim" not in repr(ledger)
    ledger.close()


def test_what_was_read_of_m3_is_kept_and_replaced(ledger: Ledger, hand: Hand) -> None:
    for content in ({"a": 1}, {"a": 2}):
        with ledger.write() as tx:
            reference.keep(tx, "company:100", content, read_at=hand.at)
    with ledger.read() as tx:
        assert reference.kept(tx, "company:100") == ({"a": 2}, hand.at)
        assert reference.kept(tx, "company:200") is None


def test_a_lost_ledger_is_known_by_what_never_came(ledger: Ledger, hand: Hand) -> None:
    with ledger.read() as tx:
        assert reference.never_received(tx)
    counts = {"_sdc_source_file": "/a.csv", "_sdc_source_sha256": "1" * 64, "stream": "invoices"}
    with ledger.write() as tx:
        assert reference.keep_file(tx, counts, at=hand.at)
        assert not reference.keep_file(tx, counts, at=hand.at)
        assert not reference.keep_file(tx, {"stream": "invoices"}, at=hand.at)
    with ledger.read() as tx:
        assert not reference.never_received(tx)
        assert reference.files_seen(tx) == {"/a.csv"}
