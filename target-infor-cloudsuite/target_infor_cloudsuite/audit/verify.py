"""The proof that nobody touched the record: the ledger's chain in itself, and the files against it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_infor_cloudsuite.audit.files import AuditError, day_of, files_of, line_of
from target_infor_cloudsuite.ledger import events
from target_infor_cloudsuite.ledger.events import GENESIS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_infor_cloudsuite.ledger import Ledger
    from target_infor_cloudsuite.ledger.events import Event, StoredEvent


def verify(ledger: Ledger, output_dir: Path) -> list[str]:
    """Compare ledger and files, event by event; what is wrong, in words. An empty list: nothing is.

    Finds events that were changed, removed, inserted, reordered or cut off, in the files or in the ledger.

    Raises:
        AuditError: A file cannot be read.
    """
    chain, files = _Chain(), _Lines(_lines(output_dir))
    try:
        with ledger.read() as tx:
            for row in events.stored(tx):
                chain.check(row)
                if row.event is not None:
                    files.check(row.event)
            chain.check_end(events.end_of_chain(tx))
        return chain.problems + files.rest()
    except OSError as fault:
        raise AuditError(
            f"The audit files cannot be read: {fault}. Give this account the right to."
        ) from fault


class _Chain:
    """What is wrong inside the ledger."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._seq, self._hash = 0, GENESIS

    def check(self, row: StoredEvent) -> None:
        """Take the next row of the ledger."""
        if row.seq != self._seq + 1:
            missing = _range(self._seq + 1, row.seq - 1) if row.seq > self._seq + 1 else "none"
            self.problems.append(f"Ledger: event {row.seq} follows event {self._seq}; missing: {missing}.")
        if row.previous_hash != self._hash:
            self.problems.append(f"Ledger: event {row.seq} does not follow the event before it.")
        if row.event is None or row.event.expected_hash() != row.hash:
            self.problems.append(f"Ledger: event {row.seq} was changed after it was written.")
        self._seq, self._hash = row.seq, row.hash

    def check_end(self, end: tuple[int, str]) -> None:
        """Take what the ledger says its chain ends with."""
        if end != (self._seq, self._hash):
            self.problems.append(
                f"Ledger: the chain ends at event {self._seq}, but should end at event {end[0]}: events at "
                "its end were removed, added or changed."
            )


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a file; ``seq`` is the number it gives itself, None where it is no event."""

    file: str
    number: int
    content: bytes
    seq: int | None

    @property
    def where(self) -> str:
        return f"{self.file}, line {self.number}"


class _Lines:
    """What is wrong in the files, event by event."""

    def __init__(self, lines: Iterator[_Line]) -> None:
        self._lines = lines
        self._next = next(lines, None)
        self._day = ""
        self._missing: list[int] = []
        self.problems: list[str] = []

    def check(self, event: Event) -> None:
        """Take the next event of the ledger."""
        expected = line_of(event).encode() + b"\n"
        self._day = max(self._day, day_of(event))
        while (line := self._next) is not None and not (line.seq is not None and line.seq > event.seq):
            self._advance()
            if line.content == expected:
                if line.file != f"{self._day}.jsonl":
                    self.problems.append(f"{line.where}: event {event.seq} belongs into {self._day}.jsonl.")
                return
            if line.seq == event.seq:
                self.problems.append(f"{line.where}: event {event.seq} was changed.")
                return
            if line.seq is None:
                self.problems.append(f"{line.where}: is no event; event {event.seq} should stand here.")
                return
            self.problems.append(f"{line.where}: event {line.seq} stands here out of its place.")
        self._missing.append(event.seq)

    def rest(self) -> list[str]:
        """All that was found, after the last event of the ledger."""
        while self._next is not None:
            self.problems.append(f"{self._next.where}: a line that the ledger does not have.")
            self._advance()
        for first, last in _runs(self._missing):
            self.problems.append(
                f"Files: missing: {_range(first, last)}. `cloudsuite-ap audit export` adds what a crash left "
                "out at the end; anything else was removed."
            )
        return self.problems

    def _advance(self) -> None:
        self._next = next(self._lines, None)


def _lines(output_dir: Path) -> Iterator[_Line]:
    for path in files_of(output_dir):
        with path.open("rb") as file:
            for number, content in enumerate(file, start=1):
                yield _Line(path.name, number, content, _seq(content))


def _seq(content: bytes) -> int | None:
    try:
        found = json.loads(content)
    except ValueError:
        return None
    seq = found.get("seq") if isinstance(found, dict) else None
    return seq if isinstance(seq, int) else None


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Consecutive numbers as first and last."""
    first = previous = None
    for number in numbers:
        if first is None or previous is None or number != previous + 1:
            if first is not None and previous is not None:
                yield first, previous
            first = number
        previous = number
    if first is not None and previous is not None:
        yield first, previous


def _range(first: int, last: int) -> str:
    return f"event {first}" if first == last else f"events {first} to {last}"
