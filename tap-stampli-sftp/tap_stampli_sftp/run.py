"""One run: list once, then stream by stream and file by file, oldest first.

For each file: fetch whole, look at every row, send documents and rejected rows, send its ``source_files``
record, and
only then remember it in the STATE. So a STATE never knows a file whose records are not all before it.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

from tap_stampli_sftp.bookmarks import Bookmarks
from tap_stampli_sftp.errors import BadRowError, FileProblem, ListingError
from tap_stampli_sftp.fields import FILE_STREAMS
from tap_stampli_sftp.reading.flat import Refused, iso_time, read_file
from tap_stampli_sftp.reading.text import Limits
from tap_stampli_sftp.records import MESSAGES_SHOWN, file_records
from tap_stampli_sftp.sftp.connect import Session
from tap_stampli_sftp.sftp.fetch import fetched
from tap_stampli_sftp.sftp.listing import list_directory, printable

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Collection, Iterator

    from tap_stampli_sftp.fields import StreamName
    from tap_stampli_sftp.reading.flat import Reading
    from tap_stampli_sftp.settings import Settings
    from tap_stampli_sftp.sftp.fetch import FetchedFile
    from tap_stampli_sftp.sftp.listing import Listing, RemoteFile

STATE_EVERY_SECONDS = 5.0
# A STATE of many thousand files takes a while to write; it may take this share of the time at most.
STATE_SHARE = 0.05


class Outlet(Protocol):
    """Where a run's messages go."""

    def send(self, stream: StreamName, record: dict[str, Any]) -> None:
        """Send a record, if its stream is selected."""

    def send_state(self) -> None:
        """Send the STATE as it is now."""

    def check_interrupted(self) -> None:
        """Raise Interrupted when the process was told to stop."""


class Run:
    """Reads everything that is new.

    Args:
        settings: The tap's settings.
        streams: The selected streams that have files.
        state: The STATE's value, brought up to date in place.
        outlet: Where messages go.
        logger: For the operator.
        clock: Seconds since the epoch.
    """

    def __init__(  # noqa: PLR0913  # a run's surroundings, handed in by name
        self,
        *,
        settings: Settings,
        streams: Collection[StreamName],
        state: dict[str, Any],
        outlet: Outlet,
        logger: logging.Logger,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._templates = {
            stream: settings.templates[stream]
            for stream in FILE_STREAMS
            if stream in streams and settings.templates[stream].enabled
        }
        self._outlet = outlet
        self._logger = logger
        self._now = int(clock())
        bookmarks = state.setdefault("bookmarks", {})
        self._bookmarks = {
            stream: Bookmarks(
                bookmarks.setdefault(str(stream), {}), now=self._now, lookback_days=settings.lookback_days
            )
            for stream in self._templates
        }
        self._limits = Limits(
            max_file_bytes=settings.max_file_bytes,
            max_field_bytes=settings.max_field_bytes,
            max_unpacked_ratio=settings.max_unpacked_ratio,
        )
        self._next_state = time.monotonic() + STATE_EVERY_SECONDS
        self.count: Counter[str] = Counter()

    def everything(self) -> int:
        """Read all new files.

        Returns:
            How many files could not be read and were left for the next run.
        """
        with self._surroundings() as (session, spool):
            listing = self._listing(session)
            for stream in self._templates:
                for file in listing.files[stream]:
                    self._outlet.check_interrupted()
                    if self._wanted(stream, file):
                        self._read_one(session, stream, file, spool)
                        self._state_if_due()
                self._bookmarks[stream].prune(listing.files[stream])
        self._summary()
        return self.count["failed"]

    def sample(self) -> Iterator[tuple[StreamName, dict[str, Any]]]:
        """Records of the newest file of each stream, whether read before or not; nothing is remembered."""
        with self._surroundings() as (session, spool):
            listing = self._listing(session)
            for stream in self._templates:
                if not listing.files[stream]:
                    continue
                file = listing.files[stream][-1]
                try:
                    with (
                        fetched(session, file, spool=spool, max_bytes=self._settings.max_file_bytes) as local,
                        self._reading(stream, local, spool, reject_cut=True) as reading,
                    ):
                        yield from file_records(stream, local, reading, logger=self._logger)
                except FileProblem as problem:
                    raise ListingError(f"{printable(file.path)}: {problem}.") from None

    @contextmanager
    def _surroundings(self) -> Iterator[tuple[Session, Path]]:
        settings = self._settings
        with (
            TemporaryDirectory(dir=settings.spool_dir, prefix="tap-stampli-sftp-") as spool,
            Session(settings=settings, logger=self._logger) as session,
        ):
            yield session, Path(spool)

    def _listing(self, session: Session) -> Listing:
        path = self._settings.outbound_path
        try:
            listing = session.run(
                lambda client: list_directory(
                    client,
                    path=path,
                    templates=self._templates,
                    done_file_suffix=self._settings.done_file_suffix,
                ),
                doing=f"Listing {path}",
            )
        except OSError as error:
            raise ListingError(f"Directory {path} cannot be listed: {error}. Check outbound_path.") from error
        for note in listing.notes[:MESSAGES_SHOWN]:
            self._logger.info("Passed over: %s.", note)
        if len(listing.notes) > MESSAGES_SHOWN:
            self._logger.info("Passed over: %d more.", len(listing.notes) - MESSAGES_SHOWN)
        for file in listing.unread:
            self._failed(
                file, "exports of this kind are not read by this version (.csv, .tsv, .txt are, also as .gz)"
            )
        total = sum(len(files) for files in listing.files.values())
        if not total and not listing.unread:
            self._logger.info("No export files in %s.", path)
        return listing

    def _wanted(self, stream: StreamName, file: RemoteFile) -> bool:
        """Whether a listed file is to be read now."""
        bookmarks = self._bookmarks[stream]
        self.count["listed"] += 1
        if file.mtime < self._settings.start_epoch:
            self.count["before start_date"] += 1
            return False
        if bookmarks.known(file):
            self.count["known"] += 1
            return False
        if file.mtime > self._now:
            self._logger.warning(
                "%s was last changed %d s in the future (%s): a clock is wrong. It is read once it has "
                "been seen "
                "unchanged for %d s.",
                printable(file.path),
                file.mtime - self._now,
                iso_time(file.mtime),
                self._settings.min_age_seconds,
            )
        if not bookmarks.settled(file, min_age_seconds=self._settings.min_age_seconds):
            self.count["not settled"] += 1
            self._logger.info(
                "%s changed less than %d s ago: left for the next run.",
                printable(file.path),
                self._settings.min_age_seconds,
            )
            return False
        return True

    def _read_one(self, session: Session, stream: StreamName, file: RemoteFile, spool: Path) -> None:
        bookmarks = self._bookmarks[stream]
        try:
            with fetched(session, file, spool=spool, max_bytes=self._settings.max_file_bytes) as local:
                same = bookmarks.same_content(local.sha256) if file.size else None
                if same is not None:
                    self.count["same content"] += 1
                    self._logger.info(
                        "%s has the same content as %s, read before: not read again.",
                        printable(file.path),
                        printable(same),
                    )
                    bookmarks.done(file, sha256=local.sha256)
                    return
                with self._reading(stream, local, spool, reject_cut=bookmarks.was_cut(file)) as reading:
                    if reading.cut_line:
                        bookmarks.cut(file)
                        self.count["cut off"] += 1
                        self._logger.warning(
                            "%s ends in the middle of line %d: taken as still being written and left "
                            "for the next run.",
                            printable(file.path),
                            reading.cut_line,
                        )
                        return
                    self._send(stream, local, reading)
        except FileProblem as problem:
            self._failed(file, str(problem))
            return
        bookmarks.done(file, sha256=local.sha256)

    def _reading(self, stream: StreamName, local: FetchedFile, spool: Path, *, reject_cut: bool) -> Any:
        return read_file(
            local, self._settings.templates[stream], limits=self._limits, spool=spool, reject_cut=reject_cut
        )

    def _send(self, stream: StreamName, local: FetchedFile, reading: Reading) -> None:
        name = printable(local.remote.path)
        if self._settings.on_bad_row == "fail":
            for document in reading.documents():
                if isinstance(document, Refused):
                    raise BadRowError(
                        f"{name}: {document.message} ({document.reason}). Nothing of this file was "
                        "sent, as on_bad_row is "
                        "fail. Have the file corrected, or set on_bad_row to quarantine."
                    )
        check = self._outlet.check_interrupted
        for target, record in file_records(stream, local, reading, logger=self._logger):
            self._outlet.send(target, record)
            check()
        self.count["read"] += 1
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

    def _failed(self, file: RemoteFile, text: str) -> None:
        self.count["failed"] += 1
        self._logger.error("%s not read: %s. It is left for the next run.", printable(file.path), text)

    def _state_if_due(self) -> None:
        started = time.monotonic()
        if started < self._next_state:
            return
        self._outlet.send_state()
        ended = time.monotonic()
        self._next_state = ended + max(STATE_EVERY_SECONDS, (ended - started) / STATE_SHARE)

    def _summary(self) -> None:
        count = self.count
        reasons = ("known", "same content", "not settled", "cut off", "before start_date")
        passed = ", ".join(f"{count[reason]} {reason}" for reason in reasons if count[reason])
        self._logger.info(
            "Done: %d files listed, %d read, %d passed over%s, %d failed; %d rows, %d documents, %d "
            "rows rejected.",
            count["listed"],
            count["read"],
            sum(count[reason] for reason in reasons),
            f" ({passed})" if passed else "",
            count["failed"],
            count["rows"],
            count["documents"],
            count["rejected"],
        )
