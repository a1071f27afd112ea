"""The audit files: exported from the ledger, caught up after a crash, never mixed with another ledger's."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from target_infor_cloudsuite.audit.files import AuditError, export, files_of
from target_infor_cloudsuite.audit.verify import verify
from target_infor_cloudsuite.ledger import Ledger, events

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BEGIN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def numbers(output: Path) -> list[int]:
    return [json.loads(line)["seq"] for path in files_of(output) for line in path.read_bytes().splitlines()]


def test_each_day_has_its_file(ledger: Ledger, happen: Callable[..., None], tmp_path: Path) -> None:
    happen(10)
    assert export(ledger, tmp_path) == 10
    assert [path.name for path in files_of(tmp_path)] == [
        "2026-11-20.jsonl",
        "2026-11-21.jsonl",
        "2026-11-22.jsonl",
    ]
    assert numbers(tmp_path) == list(range(1, 11))
    assert export(ledger, tmp_path) == 0
    happen(3, hours=60)
    assert export(ledger, tmp_path) == 3
    assert verify(ledger, tmp_path) == []
    line = json.loads(files_of(tmp_path)[0].read_text("utf-8").splitlines()[0])
    assert line["details"] == {"amount": "1.50", "list": [1, None, True], "text": "größer 0"}
    assert line["at"] == "2026-11-20T09:00:00.000000+00:00"


def test_what_a_crash_left_out_is_caught_up(
    ledger: Ledger, happen: Callable[..., None], tmp_path: Path
) -> None:
    happen(10)
    export(ledger, tmp_path)
    whole = {path.name: path.read_bytes() for path in files_of(tmp_path)}
    everything = b"".join(whole.values())
    for cut in range(0, len(everything), 37):
        left = cut
        for path in files_of(tmp_path):
            size = min(left, len(whole[path.name]))
            path.write_bytes(whole[path.name][:size])
            left -= size
        export(ledger, tmp_path)
        assert {path.name: path.read_bytes() for path in files_of(tmp_path)} == whole, cut
    assert verify(ledger, tmp_path) == []


def test_a_clock_that_was_set_back_does_not_mix_the_days(
    ledger: Ledger, happen: Callable[..., None], tmp_path: Path
) -> None:
    happen(1, hours=30)
    export(ledger, tmp_path)
    happen(2, hours=-24)
    export(ledger, tmp_path)
    happen(1, hours=31)
    export(ledger, tmp_path)
    assert [path.name for path in files_of(tmp_path)] == ["2026-11-21.jsonl"]
    assert numbers(tmp_path) == [1, 2, 3, 4]
    assert verify(ledger, tmp_path) == []


def test_other_files_in_the_folder_are_left_alone(
    ledger: Ledger, happen: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "notes.jsonl").write_text("mine", "utf-8")
    happen(2)
    export(ledger, tmp_path)
    assert (tmp_path / "audit" / "notes.jsonl").read_text("utf-8") == "mine"
    assert verify(ledger, tmp_path) == []


def test_lines_longer_than_a_block_are_found_from_the_end(ledger: Ledger, tmp_path: Path) -> None:
    for size in (10, 200_000, 65_536, 65_400):
        with ledger.write() as tx:
            events.record(tx, "noted", at=BEGIN, actor="x", details={"text": "x" * size})
        assert export(ledger, tmp_path) == 1
    assert numbers(tmp_path) == [1, 2, 3, 4]


def test_runs_that_end_at_once_write_each_event_once(
    ledger: Ledger, happen: Callable[..., None], tmp_path: Path
) -> None:
    happen(200)
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: export(ledger, tmp_path), range(4))) == 200
    assert numbers(tmp_path) == list(range(1, 201))


def test_files_of_another_ledger_are_not_continued(
    ledger: Ledger, happen: Callable[..., None], tmp_path: Path
) -> None:
    happen(5)
    export(ledger, tmp_path)
    before = [path.read_bytes() for path in files_of(tmp_path)]
    other = Ledger(f"sqlite:///{tmp_path / 'other.db'}")
    other.open()
    for how_many in (0, 3, 5):
        with other.write() as tx:
            for _ in range(how_many):
                events.record(tx, "noted", at=BEGIN, actor="x")
        with pytest.raises(AuditError, match=r"event 5.*another ledger"):
            export(other, tmp_path)
    other.close()
    assert [path.read_bytes() for path in files_of(tmp_path)] == before


@pytest.mark.parametrize("line", [b"no json\n", b"{}\n", b"[1]\n", b'{"seq": "x"}\n', b"\n", b"\xff\xfe\n"])
def test_a_last_line_that_is_no_event_is_not_continued(
    line: bytes, ledger: Ledger, happen: Callable[..., None], tmp_path: Path
) -> None:
    happen(2)
    export(ledger, tmp_path)
    last = files_of(tmp_path)[-1]
    last.write_bytes(last.read_bytes() + line)
    with pytest.raises(AuditError, match=r"2026-11-20.jsonl is no event.*audit verify"):
        export(ledger, tmp_path)
    assert verify(ledger, tmp_path) != []


def test_a_folder_that_cannot_be_written_says_so(
    ledger: Ledger, happen: Callable[..., None], tmp_path: Path
) -> None:
    happen(2)
    (tmp_path / "output").write_text("a file in the way", "utf-8")
    with pytest.raises(AuditError, match=r"cannot be written.*safe in the ledger"):
        export(ledger, tmp_path / "output")
    os.remove(tmp_path / "output")  # noqa: PTH107 - what a person does
    assert export(ledger, tmp_path / "output") == 2
