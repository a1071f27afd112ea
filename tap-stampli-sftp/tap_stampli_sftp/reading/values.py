"""One cell of a file to one value of a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_stampli_sftp.fields import COLUMNS
from tap_stampli_sftp.reading.amounts import AmountError, fit_decimals, parse_amount
from tap_stampli_sftp.reading.dates import DateError, date_reader

if TYPE_CHECKING:
    from decimal import Decimal

    from tap_stampli_sftp.fields import Column, Place
    from tap_stampli_sftp.reading.header import Header
    from tap_stampli_sftp.templates import Template

_CREDITS = frozenset({"creditmemo", "credit", "creditnote", "vendorcredit", "cm", "cn"})
_INVOICES = frozenset({"invoice", "bill", "inv", "standard"})


class RejectedError(Exception):
    """A document cannot be read. ``reason`` is a machine code; the text names line and column."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Cell:
    """Where one field of a record comes from.

    Args:
        column: The field.
        index: Of the cell in a row; -1 where the file has none.
        constant: Used where the cell is blank.
        title: The header in the file, for messages.
    """

    column: Column
    index: int
    constant: str
    title: str


def cells_of(header: Header, template: Template, *, place: Place) -> list[Cell]:
    """The cells of a stream's document or line fields, in the order of the sample template."""
    cells = []
    for column in COLUMNS[template.stream]:
        if column.place == place:
            index = header.positions.get(column.field, -1)
            title = header.names[index] if index >= 0 else column.header
            cells.append(Cell(column, index, template.constants.get(column.field, ""), title))
    return cells


class Values:
    """Reads cells by one template's rules."""

    def __init__(self, template: Template) -> None:
        self._nulls = template.null_values
        self._mark = template.decimal_mark
        self._round = template.round_excess_decimals
        self._dates = {
            "date": date_reader(template.date_formats, with_time=False),
            "moment": date_reader(template.date_formats, with_time=True),
        }

    def text(self, cell: Cell, raw: str) -> str | None:
        """The text that counts: trimmed unless it is free text, null where it is blank or a null value."""
        trimmed = raw.strip()
        if not trimmed:
            trimmed = raw = cell.constant
        if not trimmed or (self._nulls and trimmed.casefold() in self._nulls):
            return None
        return raw if cell.column.kind == "text" else trimmed

    def plain(self, cell: Cell, raw: str, *, line: int) -> str | None:
        """A value that is no amount.

        Raises:
            RejectedError: The text is not of the column's kind.
        """
        text = self.text(cell, raw)
        kind = cell.column.kind
        if text is None or kind in {"code", "text"}:
            return text
        try:
            if kind == "currency":
                return text.upper()
            if kind == "type":
                return _document_type(text)
            return self._dates[kind](text)
        except DateError as error:
            raise RejectedError("bad_date", f"Line {line}, column {cell.title!r}: {error}.") from None
        except ValueError as error:
            raise RejectedError("unknown_type", f"Line {line}, column {cell.title!r}: {error}.") from None

    def amount(self, cell: Cell, raw: str, *, line: int, currency: str | None) -> tuple[Decimal | None, bool]:
        """An amount, and whether noise beyond the currency's decimals was rounded away.

        Raises:
            RejectedError: The text is no amount, ambiguous, or has too many decimals.
        """
        text = self.text(cell, raw)
        if text is None:
            return None, False
        try:
            value = parse_amount(text, decimal_mark=self._mark, currency=currency)
            return fit_decimals(value, currency=currency, round_noise=self._round)
        except AmountError as error:
            raise RejectedError(error.reason, f"Line {line}, column {cell.title!r}: {error}.") from None


def _document_type(text: str) -> str:
    folded = "".join(character for character in text.casefold() if character.isalnum())
    if folded in _CREDITS:
        return "CREDIT_MEMO"
    if folded in _INVOICES:
        return "INVOICE"
    raise ValueError(f"{text!r} is no known type of document (INVOICE, CREDIT_MEMO)")
