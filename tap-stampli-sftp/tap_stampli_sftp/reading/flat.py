"""Reading one flat file: every row is looked at before the first document is given away."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tap_stampli_sftp.errors import FileRefused
from tap_stampli_sftp.reading.documents import Documents
from tap_stampli_sftp.reading.grouping import Groups
from tap_stampli_sftp.reading.header import read_header
from tap_stampli_sftp.reading.identity import NO_IDENTITY, Identity
from tap_stampli_sftp.reading.rows import OPEN_QUOTE, csv_rows
from tap_stampli_sftp.reading.text import opened, text_lines, wrong_byte
from tap_stampli_sftp.reading.totals import ControlTotals
from tap_stampli_sftp.reading.values import RejectedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal
    from pathlib import Path

    from tap_stampli_sftp.reading.header import Header
    from tap_stampli_sftp.reading.identity import Key
    from tap_stampli_sftp.reading.rows import Row
    from tap_stampli_sftp.reading.text import Limits
    from tap_stampli_sftp.sftp.fetch import FetchedFile
    from tap_stampli_sftp.templates import Template

_ENDS = ("\n", "\r")


@dataclass(frozen=True, slots=True)
class Refused:
    """A document that could not be read, as it goes to ``rejected_rows``."""

    line: int
    rows: int
    reason: str
    message: str
    raw_text: str


class Reading:
    """What one file holds. Its counts are complete once ``documents`` has been gone through.

    ``rows`` counts every row below the header; each is in a document, rejected, or no data (blank, footer).
    """

    def __init__(self, template: Template, groups: Groups, source: dict[str, Any]) -> None:
        self.rows = self.non_data_rows = self.document_count = self.rejected_rows = 0
        self.repeated_lines = 0
        self.cut_line = 0
        self._template = template
        self._groups = groups
        self._source = source
        self._header: Header | None = None
        self._totals: ControlTotals | None = None

    @property
    def control_totals(self) -> dict[str, Decimal]:
        """Currency -> sum of the document totals as they stand in the file."""
        return dict(sorted(self._totals.by_currency.items())) if self._totals else {}

    def scan(self, lines: Iterator[str], *, delimiter: str | None, max_field: int, reject_cut: bool) -> None:
        """Look at every row and group those that are data.

        Raises:
            FileRefused: The header or the file as a whole cannot be read.
        """
        template = self._template
        skipped = sum(1 for _ in itertools.islice(lines, template.skip_rows))
        if delimiter is None:
            first = next(lines, "")
            delimiter = "\t" if "\t" in first else ","
            lines = itertools.chain([first], lines) if first else lines
        rows = csv_rows(lines, delimiter=delimiter, first_line=skipped + 1, max_field=max_field)
        title = next(
            (row for row in rows if row.fault or any(cell.strip("\ufeff \t") for cell in row.cells)), None
        )
        if title is None:
            return
        if title.fault:
            raise FileRefused(f"line {title.line}, the header, has misplaced quotes")
        self._header = header = read_header(title.cells, template)
        self._totals = ControlTotals(header, template)
        identity = Identity(header, template)
        width = len(header.names)
        add = self._groups.add
        before: Key | None = None
        for row in rows:
            self.rows += 1
            if not self._is_data(row, delimiter):
                self.non_data_rows += 1
                continue
            kept = _with_fault(row, width) if row.fault or len(row.cells) != width else row
            if kept.fault in {OPEN_QUOTE, "too_few_cells"} and not row.raw.endswith(_ENDS):
                if not reject_cut:
                    self.cut_line = row.line
                    return
                kept = kept._replace(fault="cut_row")
            key = identity.of(kept.cells, line=kept.line)
            if kept.fault and key[0] == NO_IDENTITY and before is not None:
                # It may be a line of the document before it, which then must not be sent without it.
                add(before, kept)
            else:
                add(key, kept)
                before = key

    def documents(self) -> Iterator[dict[str, Any] | Refused]:
        """Each document as a record, or as what is rejected."""
        self.document_count = self.rejected_rows = 0
        if self._header is None or self._totals is None:
            return
        builder = Documents(self._header, self._template, source=self._source)
        self._totals.by_currency.clear()
        for key, rows in self._groups:
            self._totals.add(key, rows)
            try:
                record = builder.build(key, rows)
            except RejectedError as error:
                self.rejected_rows += len(rows)
                raw = "".join(row.raw for row in rows)
                yield Refused(rows[0].line, len(rows), error.reason, str(error), raw)
            else:
                self.document_count += 1
                yield record
        self.repeated_lines = builder.repeated_lines

    def _is_data(self, row: Row, delimiter: str) -> bool:
        if not row.fault and (not any(row.cells) or not any(cell.strip() for cell in row.cells)):
            return False
        footer = self._template.footer
        return footer is None or footer.search(delimiter.join(row.cells)) is None


def _with_fault(row: Row, width: int) -> Row:
    if row.fault:
        return row
    if len(row.cells) < width:
        return row._replace(fault="too_few_cells")
    if any(cell.strip() for cell in row.cells[width:]):
        return row._replace(fault="too_many_cells")
    return row


@contextmanager
def read_file(
    file: FetchedFile, template: Template, *, limits: Limits, spool: Path, reject_cut: bool
) -> Iterator[Reading]:
    """Read a fetched file.

    Args:
        file: In the spool.
        template: How the stream's files look.
        limits: Bounds.
        spool: Directory for what does not fit in memory.
        reject_cut: A cut last row is rejected; otherwise ``cut_line`` is set and the file must be left alone.

    Raises:
        FileRefused: It cannot be read with the present settings.
    """
    name = file.remote.path.lower()
    packed = name.endswith(".gz")
    source = {
        "_sdc_source_file": file.remote.path,
        "_sdc_source_mtime": iso_time(file.remote.mtime),
        "_sdc_source_sha256": file.sha256,
    }
    delimiter = template.delimiter or _DELIMITERS[_format(name, template)]
    with Groups(spool=spool) as groups, opened(file.local, packed=packed, limits=limits) as binary:
        reading = Reading(template, groups, source)
        try:
            reading.scan(
                text_lines(binary, encoding=template.encoding, limits=limits),
                delimiter=delimiter,
                max_field=limits.max_field_bytes,
                reject_cut=reject_cut,
            )
        except UnicodeDecodeError:
            raise wrong_byte(
                file.local,
                packed=packed,
                encoding=template.encoding,
                limits=limits,
                setting=template.setting("encoding"),
            ) from None
        yield reading


_DELIMITERS = {"csv": ",", "tsv": "\t", "txt": None}


def _format(name: str, template: Template) -> str:
    return template.format if template.format != "auto" else name.removesuffix(".gz").rpartition(".")[2]


def iso_time(epoch: int) -> str:
    """Seconds since the epoch as ISO text in UTC."""
    return datetime.fromtimestamp(epoch, tz=UTC).isoformat()
