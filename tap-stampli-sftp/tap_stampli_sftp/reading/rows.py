"""Rows: what every format is brought into before documents are made of it."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, NamedTuple

from tap_stampli_sftp.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_stampli_sftp.reading.header import Header

MALFORMED = "malformed_row"
TOO_FEW = "too_few_cells"
TOO_MANY = "too_many_cells"
CUT = "cut_row"
UNKNOWN_TYPE = "unknown_row_type"
UNKNOWN_ELEMENT = "unknown_element"
# The kind of a row whose cells are in no known places.
UNPLACED = "?"
ENDS = ("\n", "\r")


class Row(NamedTuple):
    """One row.

    Args:
        line: Physical line of its beginning, from 1.
        cells: Its cells; of a faulty row as far as they could be told.
        raw: Its text as it stands in the file.
        fault: Machine code, empty for a well-formed row.
        kind: Empty where every row holds document and line alike; ``head`` begins a document; ``line``,
            ``split`` and ``tax`` go on with it; ``?`` where that cannot be told.
    """

    line: int
    cells: list[str]
    raw: str
    fault: str = ""
    kind: str = ""


class Table(NamedTuple):
    """What a reader of one format gives.

    Args:
        header: Where the fields stand in the rows' cells.
        rows: Every row below the header.
        delimiter: Joins a row's cells where ``footer_pattern`` is searched in them.
    """

    header: Header
    rows: Iterator[Row]
    delimiter: str


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
    note = pending.append

    def feed() -> Iterator[str]:
        for line in lines:
            note(line)
            yield line

    reader = csv.reader(feed(), delimiter=delimiter, strict=True)
    line = first_line
    while True:
        try:
            for cells in reader:
                yield Row(line, cells, pending[0] if len(pending) == 1 else "".join(pending))
                pending.clear()
                line = first_line + reader.line_num
        except csv.Error as error:
            if "field larger" in str(error):
                raise FileRefused(
                    f"line {line} has a field of more than {max_field} characters (max_field_bytes)"
                ) from None
            # A quote that is open where the file ends: it may go on.
            fault = CUT if "unexpected end" in str(error) else MALFORMED
            raw = "".join(pending)
            pending.clear()
            yield Row(line, _legible(raw, delimiter=delimiter), raw, fault)
            line = first_line + reader.line_num
        else:
            return


def checked(row: Row, width: int) -> Row:
    """The row with the fault that its number of cells and its end tell.

    A last row of too few cells is cut if it has no line end, also where it is blank so far: it begins a line
    of the document before it. Other blank rows have no fault.
    """
    cells = row.cells
    if not row.fault and not any(cell.strip() for cell in cells):
        begun = 1 < len(cells) < width and not row.raw.endswith(ENDS)
        return row._replace(fault=CUT) if begun else row
    fault = row.fault
    if not fault and len(cells) < width:
        fault = TOO_FEW
    elif not fault and any(cell.strip() for cell in cells[width:]):
        fault = TOO_MANY
    if fault == TOO_FEW and not row.raw.endswith(ENDS):
        fault = CUT
    return row._replace(fault=fault)


def _legible(raw: str, *, delimiter: str) -> list[str]:
    """A malformed row's cells, read leniently: enough to tell which document it belongs to."""
    return next(csv.reader(raw.splitlines(keepends=True), delimiter=delimiter), [])
