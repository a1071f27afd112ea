"""One run: list once, then stream by stream and file by file, oldest first.

For each file: fetch whole, look at every row, send documents and rejected rows, send its ``source_files``
record, and
only then remember it in the STATE. So a STATE never knows a file whose records are not all before it.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

from tap_stampli_sftp.bookmarks import bookmarks_of, room_for_entries
from tap_stampli_sftp.errors import BadRowError, FileProblem, ListingError
from tap_stampli_sftp.fields import FILE_STREAMS
from tap_stampli_sftp.journal import Journal
from tap_stampli_sftp.limits import Limits
from tap_stampli_sftp.pgp import Decryption
from tap_stampli_sftp.reading.files import Refused, read_file
from tap_stampli_sftp.records import file_records
from tap_stampli_sftp.sftp.connect import Session
from tap_stampli_sftp.sftp.fetch import fetched
from tap_stampli_sftp.sftp.listing import list_directory, printable

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Collection, Iterator, Sequence
    from contextlib import AbstractContextManager

    from tap_stampli_sftp.fields import StreamName
    from tap_stampli_sftp.reading.files import Reading
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
            stream: bookmarks_of(bookmarks, stream, now=self._now, lookback_days=settings.lookback_days)
            for stream in self._templates
        }
        self._limits = Limits(
            max_file_bytes=settings.max_file_bytes,
            max_field_bytes=settings.max_field_bytes,
            max_unpacked_ratio=settings.max_unpacked_ratio,
        )
        self._next_state = time.monotonic() + STATE_EVERY_SECONDS
        self._journal = Journal(logger, min_age_seconds=settings.min_age_seconds)

    def everything(self) -> int:
        """Read all new files.

        Returns:
            How many files could not be read and were left for the next run.
        """
        with self._surroundings():
            listing = self._listing()
            for stream in self._templates:
                self._journal.count["listed"] += len(listing.files[stream])
                for file in listing.files[stream]:
                    if self._wanted(stream, file):
                        self._outlet.check_interrupted()
                        self._read_one(stream, file)
                        self._state_if_due(listing)
            self._prune(listing)
        self._journal.summary()
        return self._journal.count["failed"]

    def sample(self) -> Iterator[tuple[StreamName, dict[str, Any]]]:
        """Records of the newest file of each stream, whether read before or not; nothing is remembered."""
        with self._surroundings():
            listing = self._listing()
            for stream in self._templates:
                if not listing.files[stream]:
                    continue
                file = listing.files[stream][-1]
                try:
                    with (
                        self._fetched(file) as local,
                        self._read(stream, local, reject_cut=True) as readings,
                    ):
                        for reading in readings:
                            yield from file_records(stream, local, reading, logger=self._logger)
                except FileProblem as problem:
                    raise ListingError(f"{printable(file.path)}: {problem}.") from None

    @contextmanager
    def _surroundings(self) -> Iterator[None]:
        settings = self._settings
        with (
            TemporaryDirectory(dir=settings.spool_dir, prefix="tap-stampli-sftp-") as spool,
            Session(settings=settings, logger=self._logger) as self._session,
            Decryption(settings.pgp) as self._decryption,
        ):
            self._spool = Path(spool)
            yield

    def _listing(self) -> Listing:
        path = self._settings.outbound_path
        try:
            listing = self._session.run(
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
        self._journal.notes(listing.notes)
        self._journal.strays(listing)
        if not any(listing.files.values()):
            self._journal.nothing_in(path)
        return listing

    def _wanted(self, stream: StreamName, file: RemoteFile) -> bool:
        """Whether a listed file is to be read now."""
        bookmarks, count = self._bookmarks[stream], self._journal.count
        if file.mtime < self._settings.start_epoch:
            count["before start_date"] += 1
            return False
        if bookmarks.known(file):
            count["known"] += 1
            return False
        if file.mtime > self._now:
            self._journal.in_future(file, now=self._now)
        if not bookmarks.settled(file, min_age_seconds=self._settings.min_age_seconds):
            self._journal.not_settled(file)
            return False
        return True

    def _read_one(self, stream: StreamName, file: RemoteFile) -> None:
        bookmarks = self._bookmarks[stream]
        try:
            with self._fetched(file) as local:
                same = bookmarks.same_content(local.sha256) if file.size else None
                if same is not None:
                    self._journal.same_content(file, same)
                    bookmarks.done(file, sha256=local.sha256, same_as=same)
                    return
                with self._read(stream, local, reject_cut=bookmarks.was_cut(file)) as readings:
                    cut_line = next((reading.cut_line for reading in readings if reading.cut_line), 0)
                    if cut_line:
                        bookmarks.cut(file)
                        self._journal.cut_off(file, cut_line)
                        return
                    self._send(stream, local, readings)
        except FileProblem as problem:
            self._journal.failed(file, str(problem))
            return
        bookmarks.done(file, sha256=local.sha256)

    def _fetched(self, file: RemoteFile) -> AbstractContextManager[FetchedFile]:
        return fetched(self._session, file, spool=self._spool, max_bytes=self._settings.max_file_bytes)

    def _read(
        self, stream: StreamName, local: FetchedFile, *, reject_cut: bool
    ) -> AbstractContextManager[list[Reading]]:
        return read_file(
            local,
            self._settings.templates[stream],
            limits=self._limits,
            decryption=self._decryption,
            spool=self._spool,
            reject_cut=reject_cut,
        )

    def _send(self, stream: StreamName, local: FetchedFile, readings: Sequence[Reading]) -> None:
        if self._settings.on_bad_row == "fail":
            _refuse_bad_rows(readings)
        check = self._outlet.check_interrupted
        for reading in readings:
            for target, record in file_records(stream, local, reading, logger=self._logger):
                self._outlet.send(target, record)
                check()
            self._journal.read(stream, reading)
        self._journal.count["read"] += 1

    def _prune(self, listing: Listing) -> None:
        count = sum(map(len, listing.files.values()))
        for stream, files in listing.files.items():
            self._bookmarks[stream].prune(files, room=room_for_entries(len(files), count))

    def _state_if_due(self, listing: Listing) -> None:
        started = time.monotonic()
        if started < self._next_state:
            return
        self._prune(listing)
        self._outlet.send_state()
        ended = time.monotonic()
        self._next_state = ended + max(STATE_EVERY_SECONDS, (ended - started) / STATE_SHARE)


def _refuse_bad_rows(readings: Sequence[Reading]) -> None:
    for reading in readings:
        name = printable(reading.source["_sdc_source_file"])
        for document in reading.documents():
            if isinstance(document, Refused):
                raise BadRowError(
                    f"{name}: {document.message} ({document.reason}). Nothing of this file was sent, as "
                    "on_bad_row is fail. Have the file corrected, or set on_bad_row to quarantine."
                )
