"""Flat CSV: a header row, then one row a line of a document, the document's columns repeated or blank."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from tap_stampli_sftp.errors import FileRefused
from tap_stampli_sftp.reading.header import read_header
from tap_stampli_sftp.reading.rows import Table, checked, csv_rows, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_stampli_sftp.reading.rows import Row
    from tap_stampli_sftp.templates import Template

_DELIMITERS = {"csv": ",", "tsv": "\t", "txt": None}


def delimited(
    lines: Iterator[str], template: Template, *, kind: str, max_field: int
) -> tuple[Iterator[Row], str]:
    """The rows below ``skip_rows``, without blank ones before the header, and their delimiter.

    Args:
        lines: Physical lines.
        template: How the stream's files look.
        kind: ``csv``, ``tsv`` or ``txt``.
        max_field: Longest field in characters.
    """
    skipped = sum(1 for _ in itertools.islice(lines, template.skip_rows))
    delimiter = template.delimiter or _DELIMITERS[kind]
    if delimiter is None:
        above = []
        for line in lines:
            above.append(line)
            if line.strip("\ufeff \t\r\n"):
                break
        delimiter = "\t" if above and "\t" in above[-1] else ","
        lines = itertools.chain(above, lines)
    rows = csv_rows(lines, delimiter=delimiter, first_line=skipped + 1, max_field=max_field)
    return itertools.dropwhile(_is_blank, rows), delimiter


def flat_table(lines: Iterator[str], template: Template, *, kind: str, max_field: int) -> Table | None:
    """Read a flat file; see ``delimited`` for the arguments.

    Returns:
        None when the file has no header, so that it is empty.

    Raises:
        FileRefused: The header cannot be read.
    """
    rows, delimiter = delimited(lines, template, kind=kind, max_field=max_field)
    title = next(rows, None)
    if title is None:
        return None
    if title.fault:
        raise FileRefused(f"line {title.line}, the header, has misplaced quotes")
    header = read_header(title.cells, template)
    width = len(header.names)
    return Table(header, _told(rows, width, delimiter), delimiter)


def _told(rows: Iterator[Row], width: int, delimiter: str) -> Iterator[Row]:
    for row in rows:
        if len(row.cells) == width and not row.fault:
            yield row
            continue
        told = checked(row, width)
        if told.fault and not row.fault:
            yield from pieces(told, delimiter=delimiter)
        else:
            yield told


def _is_blank(row: Row) -> bool:
    return not row.fault and not any(cell.strip("\ufeff \t") for cell in row.cells)
