"""The key and the second place: given, replaced, lost, unreachable; and verifying meanwhile."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from target_infor_cloudsuite.audit.anchor import Anchor
from target_infor_cloudsuite.audit.files import AuditError, export, files_of
from target_infor_cloudsuite.audit.verify import verify
from target_infor_cloudsuite.ledger import Ledger, LedgerError, documents, events
from target_infor_cloudsuite.ledger.documents import Hand
from target_infor_cloudsuite.ledger.seal import AuditKeys

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BEGIN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
OLD, NEW = "o" * 40, "n" * 40


def open_with(path: Path, keys: str) -> Ledger:
    ledger = Ledger(f"sqlite:///{path}", audit_keys=AuditKeys.parse(keys))
    ledger.open()
    return ledger


def test_a_key_is_replaced_and_both_parts_are_proven(happen: Callable[..., None], tmp_path: Path) -> None:
    path, output = tmp_path / "books.db", tmp_path
    for keys, key in (("", ""), (OLD, OLD), (f"{NEW},{OLD}", NEW)):
        with closing(open_with(path, keys)) as ledger:
            happen(3, into=ledger)
            export(ledger, output)
            assert verify(ledger, output) == []
            with ledger.read() as tx:
                assert events.end_of_chain(tx).key_id == AuditKeys.parse(key).current
    for keys, told in ((NEW, "events from 4 on"), ("", "events from 4 on"), (OLD, "events from 7 on")):
        with closing(open_with(path, keys)) as ledger:
            assert told in " ".join(verify(ledger, output))


def test_without_the_key_nothing_is_written(happen: Callable[..., None], tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    with closing(open_with(path, OLD)) as ledger:
        happen(2, into=ledger)
    for keys in ("", NEW):
        with closing(open_with(path, keys)) as ledger:
            with pytest.raises(LedgerError, match=r"audit_key lacks.*audit rekey") as told:
                happen(1, into=ledger)
            assert OLD not in str(told.value)
            with ledger.read() as tx:
                assert events.end_of_chain(tx).seq == 2


def test_a_key_that_seals_nothing_yet_is_told(happen: Callable[..., None], tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    with closing(open_with(path, "")) as ledger:
        happen(2, into=ledger)
        export(ledger, tmp_path)
    with closing(open_with(path, NEW)) as ledger:
        (told,) = verify(ledger, tmp_path)
        assert "newest event is not sealed" in told
        happen(1, into=ledger)
        assert verify(ledger, tmp_path) == []


@pytest.mark.parametrize("text", ["short", f"{OLD},short"])
def test_a_short_key_is_none_and_is_not_shown(text: str) -> None:
    with pytest.raises(ValueError, match="at least 32") as told:
        AuditKeys.parse(text)
    assert "short" not in str(told.value).replace("shorter", "")
    assert OLD not in repr(AuditKeys.parse(OLD))


def test_an_anchor_of_another_past_is_not_continued(
    ledger: Ledger, happen: Callable[..., None], tmp_path: Path
) -> None:
    anchor = Anchor(str(tmp_path / "second" / "place"))
    anchor.write(ledger, at=BEGIN)
    assert anchor.written() == set()  # nothing has happened yet
    happen(3)
    anchor.write(ledger, at=BEGIN)
    anchor.write(ledger, at=BEGIN)
    happen(1)
    anchor.write(ledger, at=BEGIN)
    assert sorted(seq for seq, _ in anchor.written()) == [3, 4]
    export(ledger, tmp_path)
    assert verify(ledger, tmp_path, anchor=anchor) == []
    with closing(open_with(tmp_path / "other.db", "")) as other:
        happen(9, into=other)
        with pytest.raises(AuditError, match=r"newest anchor .* event 4.*audit verify"):
            anchor.write(other, at=BEGIN)
        export(other, tmp_path / "other")
        assert any("Anchor: event 4" in each for each in verify(other, tmp_path / "other", anchor=anchor))
    for path in (tmp_path / "second" / "place").iterdir():
        path.unlink()
    (told,) = verify(ledger, tmp_path, anchor=anchor)
    assert "there is none in audit_anchor" in told


@pytest.mark.parametrize("url", ["nonsense://x/y", "/proc/none/anchor", "s3://bucket/folder"])
def test_a_place_that_cannot_be_reached_says_so(
    url: str, ledger: Ledger, happen: Callable[..., None]
) -> None:
    happen(1)
    with pytest.raises(AuditError, match=r"anchor in .* cannot be (read|written).*audit_anchor"):
        Anchor(url).write(ledger, at=BEGIN)


def test_a_document_changed_behind_the_events_back_is_found(ledger: Ledger, tmp_path: Path) -> None:
    values = {"kind": "invoice", "status": "received", "delivery": "1", "raw": {}}
    hand = Hand("tester", BEGIN)
    with ledger.write() as tx:
        documents.add(tx, hand=hand, values=values)
        documents.add(tx, hand=hand, values=values | {"delivery": "2"})
    export(ledger, tmp_path)
    assert verify(ledger, tmp_path) == []
    with ledger.write() as tx:
        tx.exec_driver_sql("UPDATE documents SET status = 'posted' WHERE id = 1")
        tx.exec_driver_sql("DELETE FROM documents WHERE id = 2")
    assert verify(ledger, tmp_path) == [
        "Ledger: document 1 is posted, but its events end with received.",
        "Ledger: document 2 is gone, but its events are there.",
    ]


def test_what_a_crash_cut_at_the_end_is_no_tampering(
    ledger: Ledger, happen: Callable[..., None], tmp_path: Path
) -> None:
    happen(4)
    export(ledger, tmp_path)
    happen(1, hours=19)
    with ledger.read() as tx:
        before = events.end_of_chain(tx)
    last = files_of(tmp_path)[-1]
    whole = last.read_bytes()
    export(ledger, tmp_path)
    grown = last.read_bytes()
    with ledger.write() as tx:  # the crash came before the export was noted
        tx.exec_driver_sql("UPDATE exports SET seq = 4")
    for size in range(len(whole), len(grown) + 1, 13):
        last.write_bytes(grown[:size])
        assert verify(ledger, tmp_path) == [], size
    last.write_bytes(grown[:-3].replace(b"target", b"nobody"))
    assert verify(ledger, tmp_path) != []
    assert before.seq == 5


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from target_infor_cloudsuite.audit.anchor import Anchor
from target_infor_cloudsuite.audit.files import export
from target_infor_cloudsuite.ledger import Ledger, events
ledger, output, anchor = Ledger(sys.argv[1]), Path(sys.argv[2]), Anchor(sys.argv[3])
print("begun", flush=True)
while not (output / "stop").exists():
    with ledger.write() as tx:
        for _ in range(5):
            events.record(tx, "noted", at=datetime.now(UTC), actor="x", details={"text": "x" * 500})
    export(ledger, output)
    anchor.write(ledger, at=datetime.now(UTC))
"""


def test_verifying_while_runs_write_raises_no_false_alarm(
    ledger: Ledger, happen: Callable[..., None], tmp_path: Path
) -> None:
    happen(1)
    export(ledger, tmp_path)
    anchor = Anchor(str(tmp_path / "anchor"))
    anchor.write(ledger, at=BEGIN)
    command = [sys.executable, "-c", WRITER, f"sqlite:///{tmp_path / 'ledger.db'}", str(tmp_path)]
    writers = [
        subprocess.Popen([*command, str(tmp_path / "anchor")], stdout=subprocess.PIPE) for _ in range(2)
    ]
    try:
        for each in writers:
            assert each.stdout is not None
            each.stdout.readline()
        for _ in range(25):
            assert verify(ledger, tmp_path, anchor=anchor) == []
    finally:
        (tmp_path / "stop").touch()
        ended = [each.wait(60) for each in writers]
        for each in writers:
            if each.stdout is not None:
                each.stdout.close()
    assert ended == [0, 0]
    assert verify(ledger, tmp_path, anchor=anchor) == []
