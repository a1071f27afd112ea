"""Which files were read: the STATE of one stream.

Each file is remembered by itself; there is no watermark, so a late file with an old mtime is not lost.
Shape::

    {"files": {path: {"size": int, "mtime": int, "sha256": hex}},   read, within the look-back window
     "old":   [base64 of 8 bytes each],                             read, older, still listed
     "seen":  {path: {"size": int, "mtime": int, "at": int, "cut": 1}}}   not read yet, and since when it
     is unchanged

``cut`` stands only where the last row was cut off. A file with ``same_as`` was not read, as its content was
read before under that path; its entry stays beyond the window, so that whoever keeps books on the files read
can tell it from those.

Files within the window have a full entry as long as the STATE stays under STATE_BYTES with them (some 8,000
files); beyond that the youngest have one and the others 8 bytes, which know a file by path, size and mtime,
but not its content under another name. An earlier version wrote ``old`` as hex texts; they are still read.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from tap_stampli_sftp.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_stampli_sftp.sftp.listing import RemoteFile

_DAY = 86_400
_BYTES = 8
STATE_BYTES = 1_400_000
# Base64 of a fingerprint.
_PRINT_BYTES = 11
# A full entry without its path.
_ENTRY_BYTES = 120


def room_for_entries(listed: int, of_all: int) -> int:
    """How many bytes of full entries a stream's STATE may have.

    Args:
        listed: The stream's listed files.
        of_all: Those of all streams.
    """
    return (STATE_BYTES - _PRINT_BYTES * of_all) * listed // of_all if of_all else 0


class Bookmarks:
    """One stream's bookmarks, kept up to date inside ``value``.

    Args:
        value: The stream's part of an earlier STATE; changed in place.
        now: Seconds since the epoch.
        lookback_days: How long full entries are kept.
    """

    def __init__(self, value: dict[str, Any], *, now: int, lookback_days: int) -> None:
        self.value = value
        self._now = now
        self._oldest = now - lookback_days * _DAY
        self._files: dict[str, dict[str, Any]] = value.setdefault("files", {})
        self._seen: dict[str, dict[str, int]] = value.setdefault("seen", {})
        self._old = _unpacked(value.setdefault("old", []))
        # Of the files asked about, so that a poll of very many takes each fingerprint once.
        self._prints: dict[RemoteFile, bytes] = {}
        self._by_content = {entry["sha256"]: path for path, entry in self._files.items()}

    def known(self, file: RemoteFile) -> bool:
        """Whether exactly this file (path, size, mtime) was read."""
        entry = self._files.get(file.path)
        if entry is not None and (entry["size"], entry["mtime"]) == (file.size, file.mtime):
            return True
        if self._old and (print_ := fingerprint(file)) in self._old:
            self._prints[file] = print_
            return True
        return False

    def settled(self, file: RemoteFile, *, min_age_seconds: int) -> bool:
        """Whether the file has rested long enough; if not, it is noted as seen."""
        if self._now - file.mtime >= min_age_seconds:
            return True
        entry = self._unchanged(file)
        if entry is None:
            self._seen[file.path] = {"size": file.size, "mtime": file.mtime, "at": self._now}
            return min_age_seconds == 0
        return self._now - entry["at"] >= min_age_seconds

    def same_content(self, sha256: str) -> str | None:
        """The path under which the same bytes were read before."""
        return self._by_content.get(sha256)

    def was_cut(self, file: RemoteFile) -> bool:
        """Whether an earlier run found the last row cut, and the file is unchanged since."""
        entry = self._unchanged(file)
        return entry is not None and bool(entry.get("cut"))

    def cut(self, file: RemoteFile) -> None:
        """Note that the last row is cut: the file is left for the next run."""
        self._seen[file.path] = {"size": file.size, "mtime": file.mtime, "at": self._now, "cut": 1}

    def done(self, file: RemoteFile, *, sha256: str, same_as: str = "") -> None:
        """Note that everything of the file has been sent; ``same_as``: before, as the file of this path."""
        entry = {"size": file.size, "mtime": file.mtime, "sha256": sha256}
        self._files[file.path] = entry | ({"same_as": same_as} if same_as else {})
        self._by_content.setdefault(sha256, file.path)
        self._seen.pop(file.path, None)

    def prune(self, listed: Sequence[RemoteFile], *, room: int = STATE_BYTES) -> None:
        """Forget what is no longer listed; shrink what left the look-back window to its fingerprint.

        Args:
            listed: The stream's files, oldest first.
            room: Bytes for full entries.
        """
        if not (self._files or self._seen) and len(listed) == len(self._prints) == len(self._old):
            # All are known by their fingerprints, and there are no others: what a poll mostly finds.
            return
        old: set[bytes] = set()
        files: dict[str, dict[str, Any]] = {}
        seen: dict[str, dict[str, int]] = {}
        # Youngest first: the listing is sorted by mtime.
        for file in reversed(listed):
            entry = self._files.get(file.path)
            whole = entry is not None and (file.mtime >= self._oldest or "same_as" in entry)
            if entry is not None and whole and room > 0:
                files[file.path] = entry
                room -= _ENTRY_BYTES + len(json.dumps(file.path))
            elif entry is not None and (entry["size"], entry["mtime"]) == (file.size, file.mtime):
                old.add(fingerprint(file))
            elif (known := self._prints.get(file)) is not None or self.known(file):
                old.add(known or self._prints[file])
            if file.path in self._seen:
                seen[file.path] = self._seen[file.path]
        files |= self._renamed(listed, seen)
        self._files = self.value["files"] = dict(reversed(files.items()))
        self._seen = self.value["seen"] = seen
        self._old = frozenset(old)
        self.value["old"] = _packed(self._old)

    def _renamed(
        self, listed: Sequence[RemoteFile], seen: dict[str, dict[str, int]]
    ) -> dict[str, dict[str, Any]]:
        """Entries no longer listed which may be those of files that wait under new names."""
        waiting = {entry["size"] for entry in seen.values()}
        paths = {file.path for file in listed} if waiting else set()
        return {
            path: entry
            for path, entry in self._files.items()
            if entry["size"] in waiting and path not in paths
        }

    def _unchanged(self, file: RemoteFile) -> dict[str, int] | None:
        entry = self._seen.get(file.path)
        return (
            entry
            if entry is not None and (entry["size"], entry["mtime"]) == (file.size, file.mtime)
            else None
        )


def bookmarks_of(value: dict[str, Any], stream: str, *, now: int, lookback_days: int) -> Bookmarks:
    """The bookmarks of one stream out of a STATE's ``bookmarks``.

    Raises:
        StateError: They have not the shape that this tap writes; read as none they would send all again.
    """
    try:
        return Bookmarks(value.setdefault(str(stream), {}), now=now, lookback_days=lookback_days)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise StateError(
            f"The STATE's bookmarks of {stream} are not as this tap writes them. Give the STATE of the last "
            "run (meltano state get), or clear it to read all files again."
        ) from None


def fingerprint(file: RemoteFile) -> bytes:
    """8 bytes that stand for (path, size, mtime)."""
    return hashlib.sha256(f"{file.path}\0{file.size}\0{file.mtime}".encode()).digest()[:_BYTES]


def _packed(prints: frozenset[bytes]) -> list[str]:
    return [base64.b64encode(b"".join(sorted(prints))).decode()] if prints else []


def _unpacked(texts: list[str]) -> frozenset[bytes]:
    prints: list[bytes] = []
    for text in texts:
        # 16 characters are one fingerprint in hex; base64 of whole fingerprints has 12, 24, 32, 44 ..
        data = bytes.fromhex(text) if len(text) == 2 * _BYTES else base64.b64decode(text)
        prints += [data[at : at + _BYTES] for at in range(0, len(data), _BYTES)]
    return frozenset(prints)
