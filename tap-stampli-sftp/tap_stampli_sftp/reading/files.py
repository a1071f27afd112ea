"""Reading one fetched file: every row of it is looked at before the first document is given away."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tap_stampli_sftp.errors import FileRefused
from tap_stampli_sftp.fields import TOTAL_FIELD
from tap_stampli_sftp.reading.documents import Documents
from tap_stampli_sftp.reading.flat import flat_table
from tap_stampli_sftp.reading.footers import Footers
from tap_stampli_sftp.reading.grouping import MEMORY_CHARACTERS, Groups
from tap_stampli_sftp.reading.identity import NO_IDENTITY, Identity
from tap_stampli_sftp.reading.parts import parts_of
from tap_stampli_sftp.reading.rows import CUT, UNIDENTIFIED, UNKNOWN_ELEMENT
from tap_stampli_sftp.reading.text import check_mark, text_lines, wrong_byte, xml_encoding
from tap_stampli_sftp.reading.totals import ControlTotals
from tap_stampli_sftp.reading.typed import typed_table
from tap_stampli_sftp.reading.values import RejectedError, Values
from tap_stampli_sftp.reading.xml import xml_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal
    from pathlib import Path

    from tap_stampli_sftp.limits import Limits
    from tap_stampli_sftp.pgp import Decryption
    from tap_stampli_sftp.reading.identity import Key
    from tap_stampli_sftp.reading.parts import Part
    from tap_stampli_sftp.reading.rows import Row, Table
    from tap_stampli_sftp.sftp.fetch import FetchedFile
    from tap_stampli_sftp.templates import Template


# Rows that mean something even where all their cells are blank.
_STRUCTURED = frozenset({"head", "line", "split", "tax"})


@dataclass(frozen=True, slots=True)
class Refused:
    """A document that could not be read, as it goes to ``rejected_rows``."""

    line: int
    rows: int
    reason: str
    message: str
    raw_text: str


class Reading:
    """What one text holds. Its counts are complete once ``documents`` has been gone through.

    ``rows`` counts every row below the header; each is in a document, rejected, or no data (blank, footer).
    """

    def __init__(self, template: Template, groups: Groups, source: dict[str, Any]) -> None:
        self.rows = self.non_data_rows = self.document_count = self.rejected_rows = 0
        self.repeated_lines = 0
        self.cut_line = 0
        self.source = source
        self._template = template
        self._values = Values(template)
        self._groups = groups
        self._table: Table | None = None
        self._totals: ControlTotals | None = None

    @property
    def control_totals(self) -> dict[str, Decimal]:
        """Currency -> sum of the document totals as they stand in the file."""
        return dict(sorted(self._totals.by_currency.items())) if self._totals else {}

    def scan(self, table: Table, *, reject_cut: bool) -> None:
        """Look at every row and group those that are data.

        Raises:
            FileRefused: The file as a whole cannot be read.
        """
        self._table = table
        self._totals = ControlTotals(table.header, self._template, self._values)
        identity = Identity(table.header, self._template)
        pattern = self._template.footer
        footers = pattern and Footers(pattern, delimiter=table.delimiter, identity=identity)
        add, key_of = self._groups.add, identity.of
        before: Key | None = None
        count = blank = 0
        for found in table.rows:
            count += 1
            cells = found.cells
            if not (found.fault or found.kind in _STRUCTURED) and (
                not any(cells) or not any(map(str.strip, cells))
            ):
                blank += 1
                continue
            row = footers.left(found) if footers else found
            if row is None:
                blank += 1
                continue
            if row.fault == CUT and not reject_cut:
                self.cut_line = row.line
                break
            key = key_of(row)
            if key[0] == NO_IDENTITY and before is not None and _may_go_on(row, identity):
                # It may be a line of the document before it, which then must not be sent without it.
                add(before, row if row.fault else row._replace(fault=UNIDENTIFIED))
            else:
                add(key, row)
                before = key
        self.rows, self.non_data_rows = count, blank

    def grouped(self) -> Iterator[tuple[Key, list[Row]]]:
        """Each document's key and its rows, all that are data."""
        return iter(self._groups)

    def documents(self) -> Iterator[dict[str, Any] | Refused]:
        """Each document as a record, or as what is rejected."""
        self.document_count = self.rejected_rows = 0
        if self._table is None or self._totals is None:
            return
        builder = Documents(self._table.header, self._template, self._values, source=self.source)
        self._totals.by_currency.clear()
        total_field = TOTAL_FIELD.get(self._template.stream, "")
        for key, rows in self.grouped():
            try:
                record = builder.build(key, rows)
            except RejectedError as error:
                self._totals.add(key, rows, built=None)
                self.rejected_rows += len(rows)
                raw = "".join(row.raw for row in rows)
                yield Refused(rows[0].line, len(rows), error.reason, str(error), raw)
            else:
                self._totals.add(key, rows, built=record.get(total_field))
                self.document_count += 1
                yield record
        self.repeated_lines = builder.repeated_lines


def _may_go_on(row: Row, identity: Identity) -> bool:
    if row.kind == "head" or row.fault == UNKNOWN_ELEMENT:
        return False
    return bool(row.fault) or identity.may_go_on(row)


@contextmanager
def read_file(  # noqa: PLR0913  # a file and all that says how it is read
    file: FetchedFile,
    template: Template,
    *,
    limits: Limits,
    decryption: Decryption,
    spool: Path,
    reject_cut: bool,
) -> Iterator[list[Reading]]:
    """Read a fetched file: one reading, or one for each member of a zip.

    Args:
        file: In the spool.
        template: How the stream's files look.
        limits: Bounds.
        decryption: Opens what is PGP-encrypted.
        spool: Directory for what does not fit in memory.
        reject_cut: A cut last row is rejected; otherwise ``cut_line`` is set and the file must be left alone.

    Raises:
        FileRefused: It cannot be read with the present settings.
    """
    with (
        parts_of(file, template, limits=limits, decryption=decryption, spool=spool) as parts,
        ExitStack() as stack,
    ):
        readings = []
        for part in parts:
            groups = Groups(spool=spool, memory_characters=MEMORY_CHARACTERS // len(parts))
            source = {
                "_sdc_source_file": part.source_file,
                "_sdc_source_mtime": iso_time(file.remote.mtime),
                "_sdc_source_sha256": file.sha256,
            }
            reading = Reading(template, stack.enter_context(groups), source)
            _scan(reading, part, template, limits, reject_cut=reject_cut)
            readings.append(reading)
        yield readings


def _scan(reading: Reading, part: Part, template: Template, limits: Limits, *, reject_cut: bool) -> None:
    encoding = xml_encoding(part, template) if part.format == "xml" else template.encoding
    check_mark(part, encoding=encoding, setting=template.setting("encoding"))
    try:
        if part.format == "xml":
            table = xml_table(part, template, encoding=encoding, limits=limits)
            if table is not None:
                reading.scan(table, reject_cut=reject_cut)
            return
        with part.open() as source:
            read = typed_table if template.layout == "typed" else flat_table
            lines = text_lines(source, encoding=encoding, limits=limits)
            table = read(lines, template, kind=part.format, max_field=limits.max_field_bytes)
            if table is not None:
                reading.scan(table, reject_cut=reject_cut)
    except UnicodeDecodeError:
        raise wrong_byte(part, encoding=encoding, setting=template.setting("encoding")) from None
    except UnicodeError as error:  # the file as a whole, such as UTF-16 without its mark
        raise FileRefused(
            f"line 1 cannot be read as {encoding} ({error}); set {template.setting('encoding')}"
        ) from None


def iso_time(epoch: int) -> str:
    """Seconds since the epoch as ISO text in UTC."""
    return datetime.fromtimestamp(epoch, tz=UTC).isoformat()
