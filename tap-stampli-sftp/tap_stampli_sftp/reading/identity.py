"""Which document a row belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_stampli_sftp.fields import COLUMNS, StreamName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_stampli_sftp.reading.header import Header
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
    names the
    same document but leaves some of the identifying columns blank.
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
        self._previous: list[str] = []
        self._key: Key = (NO_IDENTITY, "0")

    def of(self, cells: Sequence[str], *, line: int) -> Key:
        """The key of the row's document; the first part is ``?`` where the row has no identity."""
        if not self._grouped:
            return (_ONE_ROW, str(line))
        count = len(cells)
        own = [cells[index].strip() if 0 <= index < count else "" for index in self._at]
        if own == self._previous and any(own) and self._key[0] != NO_IDENTITY:
            return self._key
        if not any(own):
            if self._previous and not any(cells[index].strip() for index in self._head if index < count):
                return self._key
        elif (own[1] or own[2]) and self._key[0] != NO_IDENTITY and self._repeats(own):
            return self._key
        self._previous = own
        self._key = self._key_of(own) or (NO_IDENTITY, str(line))
        return self._key

    def _repeats(self, own: list[str]) -> bool:
        return all(not mine or mine == before for mine, before in zip(own, self._previous, strict=True))

    def _key_of(self, own: list[str]) -> Key | None:
        company, by_itself, number, *vendor = (
            constant if not text else ("" if text.casefold() in self._nulls else text)
            for text, constant in zip(own, self._constants, strict=True)
        )
        if by_itself:
            return (company, "id", by_itself)
        if number:
            for kind, name in zip(_VENDOR, vendor, strict=True):
                if name:
                    return (company, kind, name, number)
        return None
