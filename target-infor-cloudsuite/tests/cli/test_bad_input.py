"""Commands that cannot do what they are told: one line, the right exit code, and nothing changed."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from target_infor_cloudsuite.ledger import Ledger, documents, sqlite_file
from target_infor_cloudsuite.ledger.documents import Hand

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Programs

WHO = ("--actor", "Erika Muster", "--reason", "checked")
CHANGES = (
    ("dismiss", "--id", "1", *WHO),
    ("replay", "--id", "1", *WHO),
    ("release", "--id", "1", "--accept", "near_duplicate", *WHO),
    ("purge", "--older-than", "1", *WHO),
    ("audit", "rekey", *WHO),
)


@pytest.fixture
def held(quiet: Programs) -> Programs:
    """Programs with a ledger in which one document may be released, and its audit files."""
    reasons = [{"code": "near_duplicate", "field": "", "text": "x", "suggestions": [], "releasable": True}]
    values = {"kind": "invoice", "status": "review", "delivery": "1", "raw": {}, "reasons": reasons}
    with closing(Ledger(quiet.config["ledger_url"])) as ledger:
        ledger.open()
        with ledger.write() as tx:
            documents.add(tx, hand=Hand("x", datetime(2026, 1, 1, tzinfo=UTC)), values=values)
    assert quiet.ap("audit", "export").returncode == 0
    return quiet


def content(programs: Programs) -> tuple[list[str], dict[str, str]]:
    with closing(sqlite3.connect(programs.directory / "ledger.db")) as database:
        rows = list(database.iterdump())
    files = (programs.directory / "output").rglob("*.jsonl")
    return rows, {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("arguments", CHANGES, ids=lambda each: " ".join(each[:2]))
def test_a_ledger_in_use(arguments: tuple[str, ...], held: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.2)
    before = content(held)
    with closing(sqlite3.connect(held.directory / "ledger.db", isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        done = held.ap(*arguments)
        another.execute("ROLLBACK")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "Another program has been writing" in line
    assert content(held) == before


@pytest.mark.parametrize("arguments", [CHANGES[3], ("audit", "export")], ids=["purge", "export"])
def test_an_output_that_cannot_be_written(arguments: tuple[str, ...], held: Programs, tmp_path: Path) -> None:
    before = content(held)
    in_the_way = tmp_path / "file"
    in_the_way.write_text("in the way", "utf-8")
    held.config["output_dir"] = str(in_the_way)
    done = held.ap(*arguments)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "cannot be written" in done.stderr
    assert content(held) == before


def test_a_decision_stands_although_its_audit_file_cannot_be_written(held: Programs, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    good, held.config["output_dir"] = held.config["output_dir"], str(tmp_path / "file")
    done = held.ap("dismiss", "--id", "1", *WHO)
    assert done.returncode == 0
    assert "Warning: " in done.stderr
    held.config["output_dir"] = good
    assert held.ap("audit", "verify").returncode == 0
    assert held.json("audit", "export")["written"] == 1


@pytest.mark.parametrize("arguments", CHANGES[:3], ids=lambda each: each[0])
def test_a_number_that_is_none(arguments: tuple[str, ...], held: Programs) -> None:
    before = content(held)
    done = held.ap(*(("99" if each == "1" else each) for each in arguments))
    assert (done.returncode, done.stdout) == (2, "")
    assert "no document 99" in done.stderr
    assert content(held) == before


def test_a_tampered_audit_file_stops_whoever_would_continue_it(held: Programs) -> None:
    (file,) = (held.directory / "output" / "audit").glob("*.jsonl")
    file.write_bytes(file.read_bytes() + b"not an event\n")
    before = content(held)
    for arguments in (("audit", "export"), ("audit", "verify"), CHANGES[3]):
        done = held.ap(*arguments)
        assert done.returncode == 1, arguments
        assert file.name in done.stderr
        assert content(held) == before


def test_an_empty_ledger_is_no_fault(quiet: Programs) -> None:
    with closing(Ledger(quiet.config["ledger_url"])) as ledger:
        ledger.open()
    for arguments in (("status",), ("review", "list"), ("audit", "export"), ("audit", "verify"), CHANGES[3]):
        done = quiet.ap(*arguments)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
    file = quiet.directory / "extract.csv"
    assert quiet.json("audit", "export", "--output", str(file)) == {"events": 0, "file": str(file)}


def test_a_second_place_that_is_away_is_told_after_the_decision(held: Programs) -> None:
    held.config["audit_anchor"] = "/proc/none/anchor"
    done = held.ap("dismiss", "--id", "1", *WHO)
    assert done.returncode == 0
    assert "anchor" in done.stderr
    assert held.ap("audit", "verify").returncode == 1
