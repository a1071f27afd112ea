"""One cell of a file to one value of a record."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from tap_stampli_sftp.fields import COLUMNS
from tap_stampli_sftp.reading.amounts import AmountError, fit_decimals, has_cents, is_plain, parse_amount
from tap_stampli_sftp.reading.dates import DateError, date_reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_stampli_sftp.fields import Column, Place
    from tap_stampli_sftp.reading.header import Header
    from tap_stampli_sftp.templates import Template

_CREDITS = frozenset({"creditmemo", "credit", "creditnote", "vendorcredit", "cm", "cn"})
_CACHED = 8192
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
        self.has_nulls = bool(self._nulls)
        self._plain = self._mark != "," and not any(map(is_plain, self._nulls))
        self._dates = {
            "date": date_reader(template.date_formats, with_time=False),
            "moment": date_reader(template.date_formats, with_time=True),
        }

    def is_blank(self, raw: str) -> bool:
        """Whether a cell says nothing: no text, or one that means no value."""
        trimmed = raw.strip()
        return not trimmed or (self.has_nulls and trimmed.casefold() in self._nulls)

    def text(self, cell: Cell, raw: str) -> str | None:
        """The text that counts: trimmed unless it is free text, null where it is blank or a null value."""
        trimmed = raw.strip()
        if not trimmed or (self._nulls and trimmed.casefold() in self._nulls):
            trimmed = raw = cell.constant
        if not trimmed:
            return None
        return raw if cell.column.kind == "text" else trimmed

    def codes(self, raws: Iterable[str]) -> list[str | None]:
        """``text`` of many cells of kind ``code`` that have no constants, at once: most columns are such."""
        trimmed = [text or None for text in map(str.strip, raws)]
        if self._nulls:
            return [None if text and text.casefold() in self._nulls else text for text in trimmed]
        return trimmed

    def plain_is_enough(self, currency: str | None) -> bool:
        """Whether an amount that ``is_plain`` needs no further look."""
        return self._plain and has_cents(currency)

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
        try:
            return self._read_amount(cell.constant if self.is_blank(raw) else raw.strip(), currency)
        except AmountError as error:
            raise RejectedError(error.reason, f"Line {line}, column {cell.title!r}: {error}.") from None

    def _read_amount(self, text: str, currency: str | None) -> tuple[Decimal | None, bool]:
        if not text:
            return None, False
        value = parse_amount(text, decimal_mark=self._mark, currency=currency)
        return fit_decimals(value, currency=currency, round_noise=self._round)


def _document_type(text: str) -> str:
    folded = "".join(character for character in text.casefold() if character.isalnum())
    if folded in _CREDITS:
        return "CREDIT_MEMO"
    if folded in _INVOICES:
        return "INVOICE"
    raise ValueError(f"{text!r} is no known type of document (INVOICE, CREDIT_MEMO)")


class Fields:
    """Reads the cells of a document or of a line together: what needs no parsing is read at once.

    Args:
        cells: All fields of the place.
        values: How they are read.
    """

    def __init__(self, cells: Sequence[Cell], values: Values) -> None:
        self.cells = cells
        self._values = values
        self._blank: dict[str, Any] = {cell.column.name: None for cell in cells}
        codes = [
            cell for cell in cells if cell.column.kind == "code" and cell.index >= 0 and not cell.constant
        ]
        self._code_names = [cell.column.name for cell in codes]
        # One more, as an itemgetter of one index alone gives no tuple; zip drops what it gives.
        self._code_texts = itemgetter(*(cell.index for cell in codes), 0)
        given = [cell for cell in cells if cell not in codes and (cell.index >= 0 or cell.constant)]
        # Free text hardly repeats: it is not worth a cache.
        free = [
            cell for cell in given if cell.column.kind == "text" and cell.index >= 0 and not cell.constant
        ]
        self._free = [(cell.column.name, cell.index, cell) for cell in free]
        # Dates, currencies and types repeat from row to row.
        self._others = [
            (
                cell.column.name,
                cell.index,
                cell,
                lru_cache(maxsize=_CACHED)(partial(values.plain, cell, line=0)),
            )
            for cell in given
            if cell.column.kind != "amount" and cell not in free
        ]
        self._amounts = [
            (cell.column.name, cell.index, cell) for cell in given if cell.column.kind == "amount"
        ]

    def read(
        self, cells: Sequence[str], *, line: int, currency: str | None, rounded: dict[str, str]
    ) -> dict[str, Any]:
        """The fields' values by their names in the record.

        Args:
            cells: Of one row.
            line: Its number, for messages.
            currency: Of the document.
            rounded: Takes the raw text of amounts from which noise was rounded away.

        Raises:
            RejectedError: A cell cannot be read.
        """
        values = self._values
        found = self._blank.copy()
        found.update(zip(self._code_names, values.codes(self._code_texts(cells)), strict=False))
        try:
            for name, index, _, read in self._others:
                found[name] = read(cells[index] if index >= 0 else "")
        except RejectedError:
            # Once more, for a message that names the line.
            for _, index, cell, _ in self._others:
                values.plain(cell, cells[index] if index >= 0 else "", line=line)
            raise
        for name, index, cell in self._free:
            raw = cells[index]
            if raw and not raw.isspace():
                found[name] = values.text(cell, raw) if values.has_nulls else raw
        plain = values.plain_is_enough(currency)
        for name, index, cell in self._amounts:
            raw = cells[index] if index >= 0 else ""
            if plain and is_plain(raw):
                found[name] = Decimal(raw)
                continue
            found[name], noisy = values.amount(cell, raw, line=line, currency=currency)
            if noisy:
                rounded[cell.title] = raw
        return found
