"""A purge forgets what is old, keeps the chain provable, and never who a document is."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from target_infor_cloudsuite.audit.anchor import Anchor
from target_infor_cloudsuite.audit.files import export, files_of
from target_infor_cloudsuite.audit.purge import purge
from target_infor_cloudsuite.audit.verify import verify
from target_infor_cloudsuite.ledger import Ledger, documents, retention
from target_infor_cloudsuite.ledger.documents import Hand
from target_infor_cloudsuite.ledger.states import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pipelines import Sandbox

    from tests.conftest import Message, Programs

BEGIN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SECRET = "DE02 1203 0000 0000 2020 51"
#: Long enough for pages of its own, which a deletion only marks as free.
RAW = {"memo": "x" * 20_000, "paid_from": SECRET}


def at(days: float) -> Hand:
    return Hand("Erika", BEGIN + timedelta(days=days))


@pytest.fixture
def old(ledger: Ledger, happen: Callable[..., None], tmp_path: Path) -> Ledger:
    """Events of 20, 21 and 22 November, exported, and a document in each status."""
    with ledger.write() as tx:
        for number, status in enumerate(Status):
            for kind in ("invoice", "payment"):
                values = {"status": status.value, "delivery": f"{number}{kind}", "raw": RAW}
                documents.add(tx, hand=at(0), values=values | {"kind": kind})
    happen(10)
    export(ledger, tmp_path)
    return ledger


def test_the_chain_that_is_left_proves_itself(
    old: Ledger, happen: Callable[..., None], tmp_path: Path
) -> None:
    anchor = Anchor(str(tmp_path / "anchor"))
    anchor.write(old, at=BEGIN)
    with old.write() as tx:
        first = purge(tx, days=30, hand=at(31), why="retention")
    assert first.before == "2026-11-21T00:00:00.000000+00:00"
    assert first.events == first.through == 2 * len(Status) + 3
    export(old, tmp_path)
    assert [path.stem for path in files_of(tmp_path)] == ["2026-11-21", "2026-11-22", "2026-12-21"]
    assert verify(old, tmp_path, anchor=anchor) == []
    with old.write() as tx:
        assert purge(tx, days=30, hand=at(31), why="again").events == 0
        assert purge(tx, days=30, hand=at(40), why="all of it").raw_records == 0
    export(old, tmp_path)
    happen(2, hours=24 * 41)
    export(old, tmp_path)
    anchor.write(old, at=BEGIN)
    assert verify(old, tmp_path, anchor=anchor) == []
    with old.write() as tx:
        tx.exec_driver_sql("DELETE FROM events WHERE seq = (SELECT min(seq) FROM events)")
    assert verify(old, tmp_path, anchor=anchor) != []


@pytest.mark.parametrize(
    "tampering",
    [
        "DELETE FROM events WHERE seq <= 5",
        (
            "DELETE FROM events WHERE seq <= 5; "
            "UPDATE chain SET purged_seq = 5, purged_hash = (SELECT previous_hash FROM events WHERE seq = 6)"
        ),
        "UPDATE chain SET purged_seq = 3",
    ],
)
def test_a_beginning_cut_off_otherwise_is_no_purge(tampering: str, old: Ledger, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as database, database:
        database.executescript(tampering)
    for path in files_of(tmp_path):
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(line for line in lines if json.loads(line)["seq"] > 5))
    assert verify(old, tmp_path) != []


def test_only_what_is_final_is_forgotten_and_the_file_does_not_hold_it_any_more(
    old: Ledger, tmp_path: Path
) -> None:
    with old.write() as tx:
        tx.exec_driver_sql("PRAGMA secure_delete=OFF")  # as SQLite is where a distribution did not change it
        assert purge(tx, days=30, hand=at(31), why="retention").raw_records == 5
    with old.read() as tx:
        left = {(each.kind, each.status) for each in documents.find(tx) if each.raw != retention.PURGED}
    kept = set(Status) - {Status.POSTED, Status.DUPLICATE, Status.SUPERSEDED}
    # A payment that M3 does not show as settled yet is still asked about.
    assert left == {(kind, each) for kind in ("invoice", "payment") for each in kept} | {
        ("payment", Status.POSTED)
    }
    with old.write() as tx:
        tx.exec_driver_sql("PRAGMA secure_delete=OFF")
        tx.exec_driver_sql("UPDATE documents SET status = 'duplicate'")
        assert purge(tx, days=30, hand=at(31), why="retention").raw_records == 2 * len(Status) - 5
    old.give_room_back()
    assert all(SECRET.encode() not in path.read_bytes() for path in tmp_path.glob("ledger.db*"))


def again(messages: Sequence[Message], change: Callable[[dict[str, Any]], None]) -> list[Message]:
    """The same documents in another file, later."""
    made: list[Message] = json.loads(json.dumps(messages))
    for message in made:
        if message["type"] == "RECORD":
            message["record"]["_sdc_source_file"] = "/outbound/again.csv"
            message["record"]["_sdc_source_mtime"] = "2027-01-01T00:00:00+00:00"
            message["record"]["_sdc_source_sha256"] = "9" * 64
            change(message["record"])
    return [message for message in made if message["type"] != "STATE"]


def test_what_was_purged_is_not_posted_again(
    start_sandbox: Callable[..., Sandbox], programs_for: Callable[..., Programs], few: tuple[Message, ...]
) -> None:
    sandbox = start_sandbox()
    programs = programs_for(sandbox)
    done = programs.target(few)
    assert done.returncode == 0, done.stderr
    posted = programs.counts()["invoice"]["posted"]
    assert posted
    books = sandbox.books()["invoices"]
    with closing(Ledger(programs.config["ledger_url"])) as ledger, ledger.write() as tx:
        hand = Hand("Erika", datetime.now(UTC) + timedelta(days=400))
        assert purge(tx, days=30, hand=hand, why="retention").raw_records >= posted
    programs.target(again(few, lambda _: None))
    assert programs.counts()["invoice"]["duplicate"] >= posted

    def change(record: dict[str, Any]) -> None:
        if record.get("invoice_id") == "SI-5001":
            record["memo"] = "changed"
            record["due_date"] = "2027-02-02"

    programs.target(again(few, change))
    assert sandbox.books()["invoices"] == books
    listed = programs.json("review", "list", "--reason", "amended_after_posting")
    assert "raw record was purged" in listed[0]["reasons"][0]["text"]
    assert programs.ap("audit", "verify").returncode == 0
