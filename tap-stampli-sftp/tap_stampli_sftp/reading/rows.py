"""Rows: what every format is brought into before documents are made of it."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, NamedTuple

from tap_stampli_sftp.errors import FileRefused
from tap_stampli_sftp.reading.text import BROKEN_OFF, SHOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_stampli_sftp.reading.header import Header

MALFORMED = "malformed_row"
TOO_FEW = "too_few_cells"
TOO_MANY = "too_many_cells"
CUT = "cut_row"
UNKNOWN_TYPE = "unknown_row_type"
UNKNOWN_ELEMENT = "unknown_element"
UNIDENTIFIED = "no_identity"
AFTER_FOOTER = "after_footer"
FOOTER_OR_DOCUMENT = "footer_or_document"
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
        delimiter: Joins a row's cells where ``footer_pattern`` is searched in them. Rows of a known kind (a
            type of row, a document's element) are no totals rows, whatever is in them.
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
                raw = pending[0] if len(pending) == 1 else "".join(pending)
                if raw[-1] == BROKEN_OFF:
                    yield Row(line, [cell.replace(BROKEN_OFF, SHOWN) for cell in cells], _shown(raw), CUT)
                else:
                    yield Row(line, cells, raw)
                pending.clear()
                line = first_line + reader.line_num
        except csv.Error as error:
            if "field larger" in str(error):
                raise FileRefused(
                    f"line {line} has a field of more than {max_field} characters (max_field_bytes)"
                ) from None
            # A quote that is open where the file ends: it may go on.
            fault = CUT if "unexpected end" in str(error) else MALFORMED
            raw = _shown("".join(pending))
            pending.clear()
            yield from pieces(Row(line, [], raw, fault), delimiter=delimiter)
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


def _shown(raw: str) -> str:
    return f"{raw[:-1]}{SHOWN}" if raw.endswith(BROKEN_OFF) else raw


def pieces(row: Row, *, delimiter: str) -> Iterator[Row]:
    """A faulty row, physical line by line.

    A quote that is closed too late, or never, swallows rows of other documents, which then must not be sent
    without them: each line tells its document by its own cells, read leniently.
    """
    for number, raw in enumerate(io.StringIO(row.raw, newline="")):
        cells = next(csv.reader([raw], delimiter=delimiter), [])
        yield row._replace(line=row.line + number, cells=cells, raw=raw)
