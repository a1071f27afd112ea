"""Control totals: what a file adds up to, as its cells stand, before documents are built."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from tap_stampli_sftp.fields import TOTAL_FIELD
from tap_stampli_sftp.reading.amounts import is_plain
from tap_stampli_sftp.reading.identity import NO_IDENTITY
from tap_stampli_sftp.reading.values import RejectedError, cells_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_stampli_sftp.reading.header import Header
    from tap_stampli_sftp.reading.identity import Key
    from tap_stampli_sftp.reading.rows import Row
    from tap_stampli_sftp.reading.values import Cell, Values
    from tap_stampli_sftp.templates import Template

NO_CURRENCY = "XXX"


class ControlTotals:
    """Adds up document totals by currency: once for each document identity, rejected documents included.

    With ``total_from_lines`` a document without a total counts with the one it was given, a rejected one with
    its rows' amounts and tax. What cannot be read as an amount counts as nothing.
    """

    def __init__(self, header: Header, template: Template, values: Values) -> None:
        self.by_currency: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._values = values
        cells = {
            cell.column.field: cell
            for place in ("head", "line")
            for cell in cells_of(header, template, place=place)
        }
        self._currency = cells.get("currency")
        self._total = cells.get(TOTAL_FIELD.get(template.stream, ""))
        parts = ("line_amount", "line_tax_amount", "applied_amount") if template.total_from_lines else ()
        self._parts = [cells[field] for field in parts if field in cells]

    def add(self, key: Key, rows: Sequence[Row], *, built: Decimal | None) -> None:
        """Count one document.

        Args:
            key: Its identity.
            rows: Its rows.
            built: The total of its record, None where it was rejected. It counts where the total is the sum
                of its lines, as not every row is one (repeated lines, a line and its splits).
        """
        total_cell = self._total
        if total_cell is None:
            return
        currency = self._first_text(self._currency, rows) if self._currency else None
        currency = currency.upper() if currency else None
        # Rows without identity may repeat one document's total any number of times; their own amounts are
        # theirs.
        whole = () if key[0] == NO_IDENTITY else rows
        total = self._first_amount(total_cell, whole, currency)
        if total is None and self._parts and built is not None:
            total = built
        elif total is None and self._parts:
            parts = (self._amount(cell, row, currency) for row in rows for cell in self._parts)
            total = sum((part for part in parts if part is not None), Decimal(0))
        if total is not None:
            self.by_currency[currency or NO_CURRENCY] += total

    def _first_text(self, cell: Cell, rows: Sequence[Row]) -> str | None:
        for row in rows:
            if text := self._values.text(cell, _raw(cell, row)):
                return text
        return None

    def _first_amount(self, cell: Cell, rows: Sequence[Row], currency: str | None) -> Decimal | None:
        for row in rows:
            if (amount := self._amount(cell, row, currency)) is not None:
                return amount
        return None

    def _amount(self, cell: Cell, row: Row, currency: str | None) -> Decimal | None:
        raw = _raw(cell, row)
        if is_plain(raw) and self._values.plain_is_enough(currency):
            return Decimal(raw)
        try:
            return self._values.amount(cell, raw, line=row.line, currency=currency)[0]
        except RejectedError:
            return None


def _raw(cell: Cell, row: Row) -> str:
    return row.cells[cell.index] if 0 <= cell.index < len(row.cells) else ""
