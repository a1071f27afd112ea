"""The audit files: one JSON line an event, a file a day (UTC), exported from the ledger's chain.

The ledger is the origin. A crash between its commit and the export only delays the export: the next one looks
at what the files end with and goes on from there.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from target_infor_cloudsuite.ledger import events, retention
from target_infor_cloudsuite.ledger.types import canonical_json, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedWriter
    from pathlib import Path
    from typing import Self

    from target_infor_cloudsuite.ledger import Ledger
    from target_infor_cloudsuite.ledger.events import Event

_log = logging.getLogger(__name__)
_DAY = 10  # the length of 2026-11-22
_FILES = f"{'[0-9]' * 4}-{'[0-9]' * 2}-{'[0-9]' * 2}.jsonl"
_BLOCK = 65536


class AuditError(Exception):
    """The audit files cannot be written, or are not what the ledger says."""


def export(ledger: Ledger, output_dir: Path) -> int:
    """Write what the files lack; how many events that were.

    Raises:
        AuditError: The folder cannot be written, or its files are another ledger's; no event is lost.
    """
    folder = output_dir / "audit"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            return _catch_up(ledger, folder)
    except OSError as fault:
        raise AuditError(
            f"The audit files in {folder} cannot be written: {fault.strerror or fault}. The events are safe "
            "in the ledger and will be exported by the next run; give the folder room and the right to write."
        ) from fault


def _catch_up(ledger: Ledger, folder: Path) -> int:
    place = place_of(folder.parent)
    last = _last_event(folder)
    with ledger.read() as tx:
        end = events.end_of_chain(tx)
        noted = retention.exported_up_to(tx, place)
        known = events.at_number(tx, last["seq"]) if last and last["seq"] > end.purged_seq else None
        if last and last["seq"] > end.purged_seq and (known is None or known.hash != last.get("hash")):
            raise AuditError(
                f"The audit files in {folder} end with event {last['seq']}, which this ledger does not "
                "have: they were changed, or belong to another ledger. Nothing was added to them. Run "
                "`cloudsuite-ap audit verify`; files of another ledger belong in another output_dir."
            )
        written = 0
        with _Files(folder) as files:
            for event in events.since(tx, last["seq"] if last else 0):
                files.write(event)
                written += 1
    if (last["seq"] if last else 0) < noted <= end.seq:
        _log.warning(
            "The audit files in %s ended with event %d, though they had reached event %d: something removed "
            "what stood there since. It was written again from the ledger.",
            folder,
            last["seq"] if last else 0,
            noted,
        )
    _drop_purged(folder, end.purged_seq)
    if noted != end.seq:
        with ledger.write() as tx:
            retention.exported(tx, place, end.seq)
    return written


def _drop_purged(folder: Path, purged_seq: int) -> None:
    """Remove the files of days whose every event was purged; days are purged whole."""
    for path in files_of(folder.parent) if purged_seq else ():
        last = _event_at_end(path)
        if last is None or last["seq"] > purged_seq:
            return
        path.unlink()


def place_of(output_dir: Path) -> str:
    """How the ledger names the folder: several machines may keep audit files of one ledger."""
    return f"{socket.gethostname()}:{(output_dir / 'audit').absolute()}"


def files_of(output_dir: Path) -> list[Path]:
    """The audit files, oldest first."""
    return sorted((output_dir / "audit").glob(_FILES))


def line_of(event: Event) -> str:
    """An event as its line in the file, without the line's end."""
    return canonical_json(event.content() | {"hash": event.hash})


def day_of(event: Event) -> str:
    """The day (UTC) whose file an event belongs to, unless a later file has been begun."""
    return utc_text(event.at)[:_DAY]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two runs that end at once would both write what is missing."""
    with (folder / ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def standing_still(output_dir: Path) -> Iterator[None]:
    """Nobody exports meanwhile; for whoever may only read, and where nothing was exported yet."""
    try:
        lock = (output_dir / "audit" / ".lock").open("rb")
    except FileNotFoundError:
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def _last_event(folder: Path) -> dict[str, Any] | None:
    """The last whole event in the files; a line that a crash cut is taken off."""
    return next(filter(None, map(_event_at_end, reversed(files_of(folder.parent)))), None)


def _event_at_end(path: Path) -> dict[str, Any] | None:
    """The last whole event of a file; None where it has none."""
    line = _last_line(path)
    if line is None:
        return None
    try:
        last = json.loads(line)
        return {"seq": int(last["seq"]), "hash": last.get("hash")}
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise AuditError(
            f"The last line of {path} is no event: it was changed. Nothing was added to it. Run "
            "`cloudsuite-ap audit verify`; the events are safe in the ledger."
        ) from fault


def _last_line(path: Path) -> bytes | None:
    """The last whole line, read from the end; what stands behind it is cut off."""
    with path.open("r+b") as file:
        size = start = file.seek(0, os.SEEK_END)
        tail = b""
        while start > 0 and tail.count(b"\n") < 2:  # noqa: PLR2004 - the end of the last line, and of the one before
            start = max(0, start - _BLOCK)
            file.seek(start)
            tail = file.read(size - start)
        whole = tail[: tail.rfind(b"\n") + 1]
        if len(whole) < len(tail):
            file.truncate(start + len(whole))
    return whole.splitlines()[-1] if whole else None


class _Files:
    """The files of the days that are written to; durable when the block ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # A clock that was set back must not put a later event into an earlier file.
        self._day = max((path.stem for path in folder.glob(_FILES) if path.stat().st_size), default="")
        self._file: BufferedWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._finish()

    def write(self, event: Event) -> None:
        """Append one event to its day's file; the file in which it stands never runs backwards."""
        day = max(day_of(event), self._day)
        if day != self._day or self._file is None:
            self._finish()
            self._day = day
            self._file = (self._folder / f"{day}.jsonl").open("ab")
        self._file.write(line_of(event).encode() + b"\n")

    def _finish(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            with file:
                file.flush()
                os.fsync(file.fileno())
