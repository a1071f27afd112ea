"""Rows of a CSV file, each with its physical line and its raw text."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, NamedTuple

from tap_stampli_sftp.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OPEN_QUOTE = "open_quote"
MALFORMED = "malformed_row"


class Row(NamedTuple):
    """One row.

    Args:
        line: Physical line of its beginning, from 1.
        cells: Its cells; of a malformed row as far as they could be told.
        raw: Its text as it stands in the file.
        fault: Machine code, empty for a well-formed row.
    """

    line: int
    cells: list[str]
    raw: str
    fault: str


def csv_rows(lines: Iterable[str], *, delimiter: str, first_line: int, max_field: int) -> Iterator[Row]:
    """Split physical lines into rows by RFC 4180.

    Args:
        lines: Physical lines, ends included.
        delimiter: One character.
        first_line: The number of the first of them.
        max_field: Longest field in characters.

    Raises:
        FileRefused: A field is longer.
    """
    csv.field_size_limit(max_field)
    pending: list[str] = []

    def feed() -> Iterator[str]:
        for line in lines:
            pending.append(line)
            yield line

    reader = csv.reader(feed(), delimiter=delimiter, strict=True)
    while True:
        line = first_line + reader.line_num
        fault = ""
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "field larger" in str(error):
                raise FileRefused(
                    f"line {line} has a field of more than {max_field} characters (max_field_bytes)"
                ) from None
            fault = OPEN_QUOTE if "unexpected end" in str(error) else MALFORMED
            cells = _legible("".join(pending), delimiter=delimiter)
        raw = pending[0] if len(pending) == 1 else "".join(pending)
        pending.clear()
        yield Row(line, cells, raw, fault)


def _legible(raw: str, *, delimiter: str) -> list[str]:
    """A malformed row's cells, read leniently: enough to tell which document it belongs to."""
    return next(csv.reader(raw.splitlines(keepends=True), delimiter=delimiter), [])
