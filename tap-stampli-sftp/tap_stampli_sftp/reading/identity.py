"""Which document a row belongs to."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from tap_stampli_sftp.fields import COLUMNS, REQUIRED, TOTAL_FIELD, StreamName
from tap_stampli_sftp.reading.rows import UNPLACED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_stampli_sftp.reading.header import Header
    from tap_stampli_sftp.reading.rows import Row
    from tap_stampli_sftp.templates import Template

Key = tuple[str, ...]

# The field that identifies by itself, and the one that does together with the vendor.
_OWN = {
    StreamName.INVOICES: ("invoice_id", "invoice_number"),
    StreamName.PAYMENTS: ("payment_id", "reference"),
}
_VENDOR = ("vendor_id", "vendor_external_id", "vendor_name")

NO_IDENTITY = "?"
_ONE_ROW = "#"


class Identity:
    """Tells each row's document; rows must be asked about in the order of the file.

    A row whose header columns are all blank goes on with the document of the row before. So does one that
    names the same document but leaves some of the identifying columns blank. A row of kind ``head`` never
    does.
    """

    def __init__(self, header: Header, template: Template) -> None:
        self._nulls = template.null_values
        own = _OWN.get(template.stream)
        self._grouped = own is not None
        fields = ("company", *(own or ()), *_VENDOR)
        self._at = [header.positions.get(field, -1) for field in fields]
        self._constants = [template.constants.get(field, "") for field in fields]
        self._head = [
            header.positions[column.field]
            for column in COLUMNS[template.stream]
            if column.place == "head" and column.field in header.positions
        ]
        # What `constants` give or the file has no column for says nothing about a row.
        self._needed = [
            found
            for group in REQUIRED[template.stream]
            if not (template.total_from_lines and group == (TOTAL_FIELD.get(template.stream),))
            and (found := [header.positions[field] for field in group if field in header.positions])
        ]
        self._width = len(header.names)
        self._cells_of = itemgetter(*(at for at in self._at if at >= 0), -1)
        self._raw: tuple[str, ...] = ()
        self._previous: list[str] = []
        self._named: Sequence[str] = ()
        self._key: Key = (NO_IDENTITY, "0")
        self._count = 0

    def of(self, row: Row) -> Key:
        """The key of the row's document; the first part is ``?`` where the row has no identity."""
        self._count += 1
        if not self._grouped:
            return (_ONE_ROW, str(self._count))
        if row.kind == UNPLACED:
            return (NO_IDENTITY, str(self._count))
        cells = row.cells
        if row.kind == "head":
            self._previous, self._raw = [], ()
        elif len(cells) == self._width:
            raw = self._cells_of(cells)[:-1]
            if raw == self._raw:
                return self._key
            self._raw = ()
            key = self._of(cells)
            # What was said of these very cells holds for the next row, if they identify.
            if key[0] != NO_IDENTITY and any(raw):
                self._raw = raw
            return key
        self._raw = ()
        return self._of(cells)

    def is_whole(self, row: Row) -> bool:
        """Whether the row has all that a document must have: then it is no totals row."""
        count = len(row.cells)
        return all(
            any(index < count and self._text(row.cells[index]) for index in group) for group in self._needed
        )

    def names(self, row: Row) -> bool:
        """Whether the row by itself says which document it belongs to."""
        return self._grouped and self._key_of(self._own(row.cells)) is not None

    def may_go_on(self, row: Row) -> bool:
        """Whether a row without identity says nothing that the last one with an identity does not say.

        It may be a line of that document, which then must not be sent without it.
        """
        count = min(len(row.cells), len(self._named))
        return bool(self._named) and all(
            not (text := self._text(row.cells[index])) or text == self._text(self._named[index])
            for index in self._head
            if index < count
        )

    def _of(self, cells: Sequence[str]) -> Key:
        count = len(cells)
        own = self._own(cells)
        known = bool(self._previous) and self._key[0] != NO_IDENTITY
        if not any(own):
            said = (cells[index].strip() for index in self._head if index < count)
            if self._previous and not any(map(self._text, said) if self._nulls else said):
                return self._key
        elif known and (own == self._previous or ((own[1] or own[2]) and self._repeats(own))):
            return self._key
        self._previous = own
        if (key := self._key_of(own)) is not None:
            self._named = cells
        self._key = key or (NO_IDENTITY, str(self._count))
        return self._key

    def _own(self, cells: Sequence[str]) -> list[str]:
        count = len(cells)
        own = [cells[index].strip() if 0 <= index < count else "" for index in self._at]
        return [self._text(text) for text in own] if self._nulls else own

    def _text(self, cell: str) -> str:
        text = cell.strip()
        return "" if self._nulls and text.casefold() in self._nulls else text

    def _repeats(self, own: list[str]) -> bool:
        return all(not mine or mine == before for mine, before in zip(own, self._previous, strict=True))

    def _key_of(self, own: list[str]) -> Key | None:
        company, by_itself, number, *vendor = (
            text or constant for text, constant in zip(own, self._constants, strict=True)
        )
        if by_itself:
            return (company, "id", by_itself)
        if number:
            for kind, name in zip(_VENDOR, vendor, strict=True):
                if name:
                    return (company, kind, name, number)
        return None
