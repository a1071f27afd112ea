"""The audit files: one JSON line an event, a file a day (UTC), exported from the ledger's chain.

The ledger is the origin. A crash between its commit and the export only delays the export: the next one looks at what
the files end with and goes on from there.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_infor_cloudsuite.ledger import events
from target_infor_cloudsuite.ledger.events import GENESIS, Event
from target_infor_cloudsuite.ledger.types import canonical_json, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import TextIOWrapper
    from pathlib import Path

    from target_infor_cloudsuite.ledger import Ledger

_DAY = 10  # the length of 2026-11-22


class AuditError(Exception):
    """The audit files cannot be written, or are not what the ledger says."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of an audit file; ``where`` is file and line, ``content`` the event, None where it is no JSON."""

    where: str
    text: str
    content: dict[str, Any] | None


def export(ledger: Ledger, output_dir: Path) -> int:
    """Write what the files lack; how many events that were.

    Raises:
        AuditError: The folder cannot be written. The events stay in the ledger.
    """
    folder = output_dir / "audit"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        last = _repair_tail(folder)
        written = 0
        with _Files(folder) as files, ledger.read() as tx:
            for event in events.since(tx, last):
                files.write(event)
                written += 1
    except OSError as fault:
        raise AuditError(
            f"The audit files in {folder} cannot be written: {fault}. The events are safe in the ledger and will be "
            "exported by the next run; give the folder room and the right to write."
        ) from fault
    return written


def line_of(event: Event) -> str:
    """An event as its line in the file."""
    return canonical_json(event.content() | {"hash": event.hash})


def lines(output_dir: Path) -> Iterator[AuditLine]:
    """Every line of the audit files, oldest file first."""
    for path in sorted((output_dir / "audit").glob("*.jsonl")):
        with path.open(encoding="utf-8", errors="replace") as file:
            for number, text in enumerate(file, start=1):
                try:
                    content = json.loads(text)
                except ValueError:
                    content = None
                where = f"{path.name}:{number}"
                yield AuditLine(where, text.rstrip("\n"), content if isinstance(content, dict) else None)


def _repair_tail(folder: Path) -> int:
    """The number of the last whole event in the files; a line that a crash cut is taken off."""
    for path in sorted(folder.glob("*.jsonl"), reverse=True):
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            path.write_bytes(whole)
        if whole:
            last = json.loads(whole.splitlines()[-1])
            return int(last["seq"])
    return 0


class _Files:
    """The files of the days that are written to; durable when the block ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._day = ""
        self._file: TextIOWrapper | None = None

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._finish()

    def write(self, event: Event) -> None:
        """Append one event to its day's file; the file in which it stands never runs backwards."""
        day = max(utc_text(event.at)[:_DAY], self._day, self._newest())
        if day != self._day:
            self._finish()
            self._day = day
            self._file = (self._folder / f"{day}.jsonl").open("a", encoding="utf-8", newline="\n")
        if self._file is not None:
            self._file.write(line_of(event) + "\n")

    def _newest(self) -> str:
        """A clock that was set back must not put a later event into an earlier file."""
        if self._day:
            return self._day
        return max((path.stem for path in self._folder.glob("*.jsonl")), default="")

    def _finish(self) -> None:
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None


def verify(ledger: Ledger, output_dir: Path) -> list[str]:
    """Compare ledger and files, event by event; what is wrong, in words. An empty list: nothing is.

    Finds events that were changed, removed, inserted, reordered or cut off, in the files or in the ledger.
    """
    problems: list[str] = []
    previous, expected_seq = GENESIS, 1
    in_files = lines(output_dir)
    with ledger.read() as tx:
        for event in events.since(tx, 0):
            if event.seq != expected_seq:
                problems.append(f"Ledger: event {expected_seq} is missing (the next is {event.seq}).")
            if event.previous_hash != previous:
                problems.append(f"Ledger: event {event.seq} does not follow the event before it.")
            if event.expected_hash() != event.hash:
                problems.append(f"Ledger: event {event.seq} was changed after it was written.")
            previous, expected_seq = event.hash, event.seq + 1
            problems += _compare(event, next(in_files, None))
        end = events.end_of_chain(tx)
    if end != (expected_seq - 1, previous):
        problems.append(f"Ledger: the chain ends at event {expected_seq - 1}, but should end at event {end[0]}.")
    problems += [f"{extra.where}: a line that the ledger does not have." for extra in in_files]
    return problems


def _compare(event: Event, line: AuditLine | None) -> list[str]:
    if line is None:
        return [f"Files: event {event.seq} is missing; run `cloudsuite-ap audit export`, or it was cut off."]
    if line.text == line_of(event):
        return []
    if line.content is None:
        return [f"{line.where}: no JSON; event {event.seq} should stand here."]
    seq = line.content.get("seq")
    what = "was changed" if seq == event.seq else f"is event {seq}, but event {event.seq} should stand here"
    return [f"{line.where}: {what}."]
