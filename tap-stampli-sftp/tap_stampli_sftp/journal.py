"""What a run tells the operator: one line for each thing that happened, and the count of all at the end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tap_stampli_sftp.reading.files import iso_time
from tap_stampli_sftp.records import MESSAGES_SHOWN
from tap_stampli_sftp.sftp.listing import printable

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from tap_stampli_sftp.fields import StreamName
    from tap_stampli_sftp.reading.files import Reading
    from tap_stampli_sftp.sftp.listing import Listing, RemoteFile

_PASSED = ("known", "same content", "not settled", "cut off", "before start_date")


class Journal:
    """Counts and logs what becomes of the files.

    Args:
        logger: For the operator.
        min_age_seconds: As set, for the messages.
    """

    def __init__(self, logger: logging.Logger, *, min_age_seconds: int) -> None:
        self.count: Counter[str] = Counter()
        self._logger = logger
        self._min_age = min_age_seconds

    def notes(self, notes: Sequence[str]) -> None:
        """What the listing passed over."""
        for note in notes[:MESSAGES_SHOWN]:
            self._logger.info("Passed over: %s.", note)
        if len(notes) > MESSAGES_SHOWN:
            self._logger.info("Passed over: %d more.", len(notes) - MESSAGES_SHOWN)

    def strays(self, listing: Listing) -> None:
        """Files that are nobody's: harmless beside exports, suspicious where there are no others."""
        if listing.strays:
            log = self._logger.info if any(listing.files.values()) else self._logger.warning
            log("Passed over: %s; set its pattern in templates if one is an export.", listing.shown_strays)

    def nothing_in(self, directory: str) -> None:
        """There are no export files at all."""
        self._logger.info("No export files in %s.", directory)

    def in_future(self, file: RemoteFile, *, now: int) -> None:
        """A file's mtime has not come yet."""
        self._logger.warning(
            "%s was last changed %d s in the future (%s): a clock is wrong. It is read once it has been seen "
            "unchanged for %d s.",
            printable(file.path),
            file.mtime - now,
            iso_time(file.mtime),
            self._min_age,
        )

    def not_settled(self, file: RemoteFile) -> None:
        """A file may still be written."""
        self.count["not settled"] += 1
        self._logger.info(
            "%s changed less than %d s ago: left for the next run.", printable(file.path), self._min_age
        )

    def same_content(self, file: RemoteFile, as_in: str) -> None:
        """A file's bytes were read before under another name."""
        self.count["same content"] += 1
        self._logger.info(
            "%s has the same content as %s, read before: not read again.",
            printable(file.path),
            printable(as_in),
        )

    def cut_off(self, file: RemoteFile, line: int) -> None:
        """A file ends in the middle of a row."""
        self.count["cut off"] += 1
        self._logger.warning(
            "%s ends in the middle of line %d: taken as still being written and left for the next run.",
            printable(file.path),
            line,
        )

    def failed(self, file: RemoteFile, why: str) -> None:
        """A file could not be read."""
        self.count["failed"] += 1
        told = why.removesuffix(".")
        self._logger.error("%s not read: %s. It is left for the next run.", printable(file.path), told)

    def read(self, stream: StreamName, reading: Reading) -> None:
        """All of a file, or of a member of a zip, has been sent."""
        name = printable(reading.source["_sdc_source_file"])
        self.count["rows"] += reading.rows
        self.count["documents"] += reading.document_count
        self.count["rejected"] += reading.rejected_rows
        log = self._logger.warning if reading.rejected_rows else self._logger.info
        log(
            "%s read for %s: %d rows, %d documents, %d rows rejected, %d without data.",
            name,
            stream,
            reading.rows,
            reading.document_count,
            reading.rejected_rows,
            reading.non_data_rows,
        )
        if reading.repeated_lines:
            self._logger.warning(
                "%s repeats %d lines of its documents word for word; each was kept once.",
                name,
                reading.repeated_lines,
            )

    def summary(self) -> None:
        """The run's last line."""
        count = self.count
        passed = ", ".join(f"{count[reason]} {reason}" for reason in _PASSED if count[reason])
        self._logger.info(
            "Done: %d files listed, %d read, %d passed over%s, %d failed; "
            "%d rows, %d documents, %d rows rejected.",
            count["listed"],
            count["read"],
            sum(count[reason] for reason in _PASSED),
            f" ({passed})" if passed else "",
            count["failed"],
            count["rows"],
            count["documents"],
            count["rejected"],
        )
