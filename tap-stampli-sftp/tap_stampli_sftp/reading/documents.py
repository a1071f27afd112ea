"""The rows of one document to one record. All or nothing: a fault in one row rejects the document."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_stampli_sftp.fields import LINES_FIELD, TOTAL_FIELD, StreamName
from tap_stampli_sftp.reading.identity import NO_IDENTITY
from tap_stampli_sftp.reading.values import RejectedError, Values, cells_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_stampli_sftp.reading.header import Header
    from tap_stampli_sftp.reading.identity import Key
    from tap_stampli_sftp.reading.rows import Row
    from tap_stampli_sftp.reading.values import Cell
    from tap_stampli_sftp.templates import Template

_NEEDED = {
    StreamName.VENDORS: "vendor_id",
    StreamName.GL_ACCOUNTS: "gl_account",
}


class Documents:
    """Builds the records of one file.

    Args:
        header: Where the file's fields stand.
        template: How its cells are read.
        source: The ``_sdc_source_*`` fields that all its records share.
    """

    def __init__(self, header: Header, template: Template, *, source: dict[str, Any]) -> None:
        self._stream = template.stream
        self._values = Values(template)
        self._head = cells_of(header, template, place="head")
        self._line = cells_of(header, template, place="line")
        self._unknown = header.unknown
        self._source = source
        self._lines_field = LINES_FIELD.get(template.stream)
        self._total_field = TOTAL_FIELD.get(template.stream)
        self._sum_lines = template.total_from_lines
        self._currency = next((cell for cell in self._head if cell.column.kind == "currency"), None)
        self._line_indexes = [cell.index for cell in self._line if cell.index >= 0]
        self.repeated_lines = 0

    def build(self, key: Key, rows: Sequence[Row]) -> dict[str, Any]:
        """Make the record.

        Raises:
            RejectedError: With the reason's code, and line and column in its text.
        """
        self._check_rows(key, rows)
        extra: dict[str, str] = {}
        record = self._read_head(rows, extra)
        if self._lines_field is not None:
            lines = self._read_lines(rows, record["currency"])
            self._complete(record, lines, line=rows[0].line)
            record[self._lines_field] = lines
        elif not record[field := _NEEDED[self._stream]]:
            raise RejectedError("no_identity", f"Line {rows[0].line} has no {field}.")
        extra.update(self._shared_extra(rows))
        record["extra"] = extra
        record["_sdc_source_line"] = rows[0].line
        record.update(self._source)
        return record

    @staticmethod
    def _check_rows(key: Key, rows: Sequence[Row]) -> None:
        for row in rows:
            if row.fault:
                raise RejectedError(row.fault, f"Line {row.line}: {_FAULTS[row.fault]}.")
        if key[0] == NO_IDENTITY:
            raise RejectedError(
                "no_identity",
                f"Line {rows[0].line} has neither the document's id nor a vendor and a number: it can't "
                "be told from others.",
            )

    def _read_head(self, rows: Sequence[Row], extra: dict[str, str]) -> dict[str, Any]:
        currency = None
        if self._currency is not None:
            raw, line = self._agreed(self._currency, rows, None)
            currency = self._values.plain(self._currency, raw, line=line)
        record: dict[str, Any] = {}
        for cell in self._head:
            raw, line = self._agreed(cell, rows, currency)
            if cell.column.kind == "amount":
                value, rounded = self._values.amount(cell, raw, line=line, currency=currency)
                record[cell.column.name] = value
                if rounded:
                    extra[cell.title] = raw
            else:
                record[cell.column.name] = self._values.plain(cell, raw, line=line)
        return record

    def _agreed(self, cell: Cell, rows: Sequence[Row], currency: str | None) -> tuple[str, int]:
        """The one text of a header column; a blank cell repeats what the others say."""
        first = rows[0]
        if cell.index < 0:
            return "", first.line
        found = first.cells[cell.index]
        if len(rows) == 1:
            return found, first.line
        line = first.line
        blank = not found.strip()
        for row in rows:
            text = row.cells[cell.index]
            if text == found or not text.strip():
                continue
            if blank:
                found, line, blank = text, row.line, False
            elif self._read(cell, text, row.line, currency) != self._read(cell, found, line, currency):
                raise RejectedError(
                    "header_differs",
                    f"Column {cell.title!r} is {found!r} on line {line} but {text!r} on line {row.line}.",
                )
        return found, line

    def _read(self, cell: Cell, text: str, line: int, currency: str | None) -> object:
        if cell.column.kind == "amount":
            return self._values.amount(cell, text, line=line, currency=currency)[0]
        return self._values.plain(cell, text, line=line)

    def _read_lines(self, rows: Sequence[Row], currency: str | None) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = []
        numbered: dict[str, dict[str, Any]] = {}
        for row in rows:
            if not any(row.cells[index].strip() for index in self._line_indexes):
                continue
            line = self._read_line(row, currency)
            number = line.get("line_number")
            if number is not None:
                before = numbered.setdefault(number, line)
                if before is not line:
                    if before != line:
                        raise RejectedError(
                            "line_number_twice",
                            f"Line {row.line} has the line number {number!r} again, with other content.",
                        )
                    self.repeated_lines += 1
                    continue
            lines.append(line)
        return lines

    def _read_line(self, row: Row, currency: str | None) -> dict[str, Any]:
        line: dict[str, Any] = {}
        extra = self._row_extra(row)
        for cell in self._line:
            raw = row.cells[cell.index] if cell.index >= 0 else ""
            if cell.column.kind == "amount":
                value, rounded = self._values.amount(cell, raw, line=row.line, currency=currency)
                line[cell.column.name] = value
                if rounded:
                    extra[cell.title] = raw
            else:
                line[cell.column.name] = self._values.plain(cell, raw, line=row.line)
        if line["amount"] is None:
            raise RejectedError("missing_value", f"Line {row.line} has no amount for its line.")
        line["extra"] = extra
        return line

    def _complete(self, record: dict[str, Any], lines: list[dict[str, Any]], *, line: int) -> None:
        field = self._total_field or ""
        if record[field] is None and self._sum_lines and lines:
            record[field] = sum(
                (item["amount"] + (item.get("tax_amount") or 0) for item in lines), Decimal(0)
            )
        total = record[field]
        if total is None:
            raise RejectedError(
                "missing_value",
                f"Line {line}: the document has no {field}; total_from_lines adds up its lines.",
            )
        if self._stream is StreamName.INVOICES and (total < 0 or record["invoice_type"] is None):
            record["invoice_type"] = "CREDIT_MEMO" if total < 0 else "INVOICE"

    def _row_extra(self, row: Row) -> dict[str, str]:
        cells = row.cells
        return {name: cells[index] for name, index in self._unknown if cells[index].strip()}

    def _shared_extra(self, rows: Sequence[Row]) -> dict[str, str]:
        """Unknown columns that say the same on every row: they may describe the document as well."""
        shared = self._row_extra(rows[0])
        for row in rows[1:]:
            if not shared:
                break
            other = self._row_extra(row)
            shared = {name: text for name, text in shared.items() if other.get(name) == text}
        return shared


_FAULTS = {
    "open_quote": "a quote is opened and never closed",
    "malformed_row": "its quotes are not as CSV wants them",
    "too_many_cells": "it has more cells than the header has columns",
    "too_few_cells": "it has fewer cells than the header has columns",
    "cut_row": "the file ends in the middle of it, and has not changed since the last run",
}
