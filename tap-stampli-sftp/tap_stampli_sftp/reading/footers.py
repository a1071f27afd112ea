"""Totals rows: what ``footer_pattern`` says is no data, and what must not be lost or moved by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_stampli_sftp.reading.rows import AFTER_FOOTER, CUT, ENDS, FOOTER_OR_DOCUMENT, MALFORMED, UNPLACED

if TYPE_CHECKING:
    import re

    from tap_stampli_sftp.reading.identity import Identity
    from tap_stampli_sftp.reading.rows import Row


class Footers:
    """Takes the totals rows out of a file.

    Args:
        pattern: Searched in a row's cells.
        delimiter: Joins them.
        identity: Knows what a document must have.
    """

    def __init__(self, pattern: re.Pattern[str], *, delimiter: str, identity: Identity) -> None:
        self._search = pattern.search
        self._join = delimiter.join
        self._identity = identity
        # Whether the last row that named a document was taken for a totals row.
        self._headless = False

    def left(self, row: Row) -> Row | None:
        """None for a totals row; else the row, with a fault where the pattern makes its document doubtful.

        A row that has all that a document must have is one, whatever stands in its memo. What goes on below a
        totals row that names a document may be that document's, and must go to no other.
        """
        identity = self._identity
        if _may_be_footer(row) and self._search(self._join(row.cells)) is not None:
            if row.kind or not identity.is_whole(row):
                self._headless = self._headless or (not row.kind and identity.names(row))
                return None
            row = row._replace(fault=FOOTER_OR_DOCUMENT)
        if self._headless:
            self._headless = not (row.kind == "head" or identity.names(row))
            if self._headless:
                return row._replace(fault=row.fault or AFTER_FOOTER)
        return row


def _may_be_footer(row: Row) -> bool:
    """Misplaced quotes swallow rows: no footer, whatever is in it. Nor is a row of a known type."""
    if row.kind not in {"", UNPLACED} or row.fault == MALFORMED:
        return False
    return row.fault != CUT or not ('"' in row.raw or row.raw.endswith(ENDS))
