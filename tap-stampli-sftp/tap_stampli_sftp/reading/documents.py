"""The rows of one document to one record. All or nothing: a fault in one row rejects the document."""

from __future__ import annotations

from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from tap_stampli_sftp.fields import LINES_FIELD, TOTAL_FIELD, StreamName
from tap_stampli_sftp.reading.identity import NO_IDENTITY
from tap_stampli_sftp.reading.typed import folded
from tap_stampli_sftp.reading.values import Fields, RejectedError, cells_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_stampli_sftp.reading.header import Header
    from tap_stampli_sftp.reading.identity import Key
    from tap_stampli_sftp.reading.rows import Row
    from tap_stampli_sftp.reading.values import Cell, Values
    from tap_stampli_sftp.templates import Template

_NEEDED = {
    StreamName.VENDORS: "vendor_id",
    StreamName.GL_ACCOUNTS: "gl_account",
}
_HEADS = ("", "head")


class Documents:
    """Builds the records of one file.

    Args:
        header: Where the file's fields stand.
        template: The stream, and how its documents are completed.
        values: How its cells are read.
        source: The ``_sdc_source_*`` fields that all its records share.
    """

    def __init__(self, header: Header, template: Template, values: Values, *, source: dict[str, Any]) -> None:
        self._stream = template.stream
        self._values = values
        self._header = header
        self._head = Fields(cells_of(header, template, place="head"), values)
        self._line = Fields(cells_of(header, template, place="line"), values)
        self._head_cells = [cell for cell in self._head.cells if cell.index >= 0]
        self._head_texts = itemgetter(*(cell.index for cell in self._head_cells), 0)
        self._line_indexes = [cell.index for cell in self._line.cells if cell.index >= 0]
        self._line_unknown = header.unknown + header.line_unknown
        self._source = source
        self._lines_field = LINES_FIELD.get(template.stream)
        self._total_field = TOTAL_FIELD.get(template.stream, "")
        self._sum_lines = template.total_from_lines
        self._currency = next((cell for cell in self._head.cells if cell.column.kind == "currency"), None)
        self.repeated_lines = 0

    def build(self, key: Key, rows: Sequence[Row]) -> dict[str, Any]:
        """Make the record.

        Raises:
            RejectedError: With the reason's code, and line and column in its text.
        """
        first = rows[0]
        self._check_rows(key, rows)
        heads = rows if not first.kind else [row for row in rows if row.kind == "head"]
        cells = self._agreed_head(heads)
        currency = None
        if self._currency is not None:
            text = cells[self._currency.index] if self._currency.index >= 0 else ""
            currency = self._values.plain(self._currency, text, line=first.line)
        extra: dict[str, str] = {}
        record = self._head.read(cells, line=first.line, currency=currency, rounded=extra)
        record["extra"] = extra
        if self._lines_field is not None:
            lines = self._read_lines(self._fold(rows, record, currency) if first.kind else rows, currency)
            self._complete(record, lines, line=first.line)
            record[self._lines_field] = lines
        elif not record[field := _NEEDED[self._stream]]:
            raise RejectedError("no_identity", f"Line {first.line} has no {field}.")
        extra.update(self._document_extra(heads))
        record["_sdc_source_line"] = first.line
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

    def _agreed_head(self, rows: Sequence[Row]) -> Sequence[str]:
        """The one text of each header column; a blank cell repeats what the others say."""
        cells = rows[0].cells
        if len(rows) == 1:
            return cells
        texts = self._head_texts(cells)
        others = [row for row in rows[1:] if self._head_texts(row.cells) != texts]
        if not others:
            return cells
        agreed = list(cells)
        currency: str | None = None
        # Amounts are compared as amounts, for which the currency must be known.
        for cell in sorted(self._head_cells, key=lambda cell: cell.column.kind != "currency"):
            agreed[cell.index] = self._agreed(cell, [rows[0], *others], currency)
            if cell is self._currency:
                currency = self._values.plain(cell, agreed[cell.index], line=rows[0].line)
        return agreed

    def _agreed(self, cell: Cell, rows: Sequence[Row], currency: str | None) -> str:
        first = rows[0]
        found, line = first.cells[cell.index], first.line
        blank = self._values.is_blank(found)
        for row in rows:
            text = row.cells[cell.index]
            if text == found or self._values.is_blank(text):
                continue
            if blank:
                found, line, blank = text, row.line, False
            elif self._read(cell, text, row.line, currency) != self._read(cell, found, line, currency):
                raise RejectedError(
                    "header_differs",
                    f"Column {cell.title!r} is {found!r} on line {line} but {text!r} on line {row.line}.",
                )
        return found

    def _read(self, cell: Cell, text: str, line: int, currency: str | None) -> object:
        if cell.column.kind == "amount":
            return self._values.amount(cell, text, line=line, currency=currency)[0]
        return self._values.plain(cell, text, line=line)

    def _fold(self, rows: Sequence[Row], record: dict[str, Any], currency: str | None) -> list[Row]:
        """The lines of a document whose rows are of several kinds."""
        cells = {cell.column.field: cell for cell in self._line.cells}

        def amount(row: Row, field: str) -> Decimal | None:
            cell = cells[field]
            text = row.cells[cell.index] if cell.index >= 0 else ""
            return self._values.amount(cell, text, line=row.line, currency=currency)[0]

        lines, tax = folded(rows, self._header.positions, amount)
        if tax is not None:
            self._tax_document(record, tax, amount(tax, "line_tax_amount"))
        return lines

    def _tax_document(self, record: dict[str, Any], row: Row, amount: Decimal | None) -> None:
        said = record.get("tax_amount")
        if None not in {said, amount} and said != amount:
            raise RejectedError(
                "tax_differs", f"Line {row.line} has the tax {amount}, its Header the Tax Amount {said}."
            )
        record["tax_amount"] = amount if said is None else said
        at = self._header.positions.get("tax_code", -1)
        if at >= 0 and not self._values.is_blank(row.cells[at]):
            # A document has no tax code of its own; what was said is kept.
            record["extra"][self._header.names[at]] = row.cells[at].strip()

    def _read_lines(self, rows: Sequence[Row], currency: str | None) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = []
        numbered: dict[str, dict[str, Any]] = {}
        for row in rows:
            cells = row.cells
            if (
                not row.kind
                and self._line_indexes
                and not any(map(str.strip, map(cells.__getitem__, self._line_indexes)))
            ):
                continue
            extra: dict[str, str] = {}
            line = self._line.read(cells, line=row.line, currency=currency, rounded=extra)
            if line["amount"] is None:
                raise RejectedError("missing_value", f"Line {row.line} has no amount for its line.")
            line["extra"] = _present(self._line_unknown, cells) | extra if self._line_unknown else extra
            number = line.get("line_number")
            if number is not None and (before := numbered.setdefault(number, line)) is not line:
                if before != line:
                    raise RejectedError(
                        "line_number_twice",
                        f"Line {row.line} has the line number {number!r} again, with other content.",
                    )
                self.repeated_lines += 1
                continue
            lines.append(line)
        return lines

    def _complete(self, record: dict[str, Any], lines: list[dict[str, Any]], *, line: int) -> None:
        field = self._total_field
        if record[field] is None and self._sum_lines and lines:
            taxes = [item.get("tax_amount") or Decimal(0) for item in lines]
            # The lines' taxes are shares of the document's, which counts where they say nothing.
            tax = sum(taxes, Decimal(0)) if any(taxes) else record.get("tax_amount") or Decimal(0)
            record[field] = sum((item["amount"] for item in lines), tax)
        total = record[field]
        if total is None:
            raise RejectedError(
                "missing_value",
                f"Line {line}: the document has no {field}; total_from_lines adds up its lines.",
            )
        if self._stream is StreamName.INVOICES and (total < 0 or record["invoice_type"] is None):
            record["invoice_type"] = "CREDIT_MEMO" if total < 0 else "INVOICE"

    def _document_extra(self, heads: Sequence[Row]) -> dict[str, str]:
        """Unknown columns of the document, and those of its rows that all say the same."""
        header = self._header
        extra: dict[str, str] = {}
        if header.head_unknown:
            for row in heads:
                for name, text in _present(header.head_unknown, row.cells).items():
                    extra.setdefault(name, text)
        if header.unknown:
            shared = _present(header.unknown, heads[0].cells)
            for row in heads[1:]:
                if not shared:
                    break
                other = _present(header.unknown, row.cells)
                shared = {name: text for name, text in shared.items() if other.get(name) == text}
            extra |= shared
        return extra


def _present(unknown: Sequence[tuple[str, int]], cells: Sequence[str]) -> dict[str, str]:
    return {name: cells[index] for name, index in unknown if cells[index].strip()}


_FAULTS = {
    "malformed_row": "its quotes are not as CSV wants them",
    "too_many_cells": "it has more cells than the header has columns",
    "too_few_cells": "it has fewer cells than the header has columns",
    "cut_row": "the file ends in the middle of it, or a quote in it is never closed, and it has not changed "
    "since the last run",
    "no_identity": "it has neither the document's id nor a vendor and a number, and may be a line of the "
    "document before it, which is not sent without it",
    "after_footer": "it names no document, and footer_pattern took a row that names one, above it, for a "
    "totals row: make the pattern narrower (^ for the row's beginning)",
    "footer_or_document": "footer_pattern matches it, but it has all that a document must have: make the "
    "pattern narrower (^ for the row's beginning)",
    "element_twice": "the document has one of its elements twice",
    "unknown_element": "it is no document by record_path; footer_pattern may say that it is no data",
    "unknown_row_type": "it does not begin with a type of row whose columns are named at the top",
}
