"""What is wrong in the audit files, held against the ledger's events one by one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_infor_cloudsuite.audit.chain import range_
from target_infor_cloudsuite.audit.files import day_of, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from target_infor_cloudsuite.ledger.events import Event


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


class Lines:
    """The lines of the audit files, oldest first.

    Args:
        sizes: Each file and how much of it is looked at: what a run appends meanwhile is not.
        reached: Up to which event the files were exported; what lacks at their end beyond that was not yet.
    """

    def __init__(self, sizes: Mapping[Path, int], *, reached: int) -> None:
        self._lines = _lines(sizes)
        self._reached = reached
        self._last = 0
        self._next = next(self._lines, None)
        self._day = ""
        self._missing: list[int] = []
        self._problems: list[str] = []

    def check(self, event: Event) -> None:
        """Take the next event of the ledger."""
        expected = line_of(event).encode() + b"\n"
        self._day = max(self._day, day_of(event))
        while (line := self._next) is not None and not (line.seq is not None and line.seq > event.seq):
            self._advance()
            if event.seq > self._reached and self._next is None and _is_cut(line.content, expected):
                break
            self._last = event.seq
            if line.content == expected:
                if line.file != f"{self._day}.jsonl":
                    self._problems.append(f"{line.where}: event {event.seq} belongs into {self._day}.jsonl.")
                return
            if line.seq == event.seq:
                self._problems.append(f"{line.where}: event {event.seq} was changed.")
                return
            if line.seq is None:
                self._problems.append(f"{line.where}: is no event; event {event.seq} should stand here.")
                return
            self._problems.append(f"{line.where}: event {line.seq} stands here out of its place.")
        self._missing.append(event.seq)

    def problems(self) -> list[str]:
        """All that was found, after the last event of the ledger."""
        while self._next is not None:
            self._problems.append(f"{self._next.where}: a line that the ledger does not have.")
            self._advance()
        removed = [seq for seq in self._missing if seq <= max(self._reached, self._last)]
        self._problems += [
            f"Files: missing: {range_(first, last)}. Somebody removed what had been exported."
            for first, last in _runs(removed)
        ]
        return self._problems

    def _advance(self) -> None:
        self._next = next(self._lines, None)


def _is_cut(content: bytes, expected: bytes) -> bool:
    """Whether a crash left a part of the line; the next export takes it off and writes it whole."""
    return content != expected and expected.startswith(content)


def _lines(sizes: Mapping[Path, int]) -> Iterator[_Line]:
    for path, size in sizes.items():
        left = size
        with path.open("rb") as file:
            for number, content in enumerate(file, start=1):
                if left <= 0:
                    break
                yield _Line(path.name, number, content[:left], _seq(content[:left]))
                left -= len(content)


def _seq(content: bytes) -> int | None:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
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
