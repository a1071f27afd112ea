"""Which files were read: the STATE of one stream.

Each file is remembered by itself; there is no watermark, so a late file with an old mtime is not lost.
Shape::

    {"files": {path: {"size": int, "mtime": int, "sha256": hex}},   read, within the look-back window
     "old":   [hex of 8 bytes, ..],                                 read, older, still listed
     "seen":  {path: {"size": int, "mtime": int, "at": int, "cut": 1}}}   not read yet, and since when it
     is unchanged

``cut`` stands only where the last row was cut off.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_stampli_sftp.sftp.listing import RemoteFile

_DAY = 86_400


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
        self._old = frozenset(value.setdefault("old", []))
        self._by_content = {entry["sha256"]: path for path, entry in self._files.items()}

    def known(self, file: RemoteFile) -> bool:
        """Whether exactly this file (path, size, mtime) was read."""
        entry = self._files.get(file.path)
        if entry is not None and (entry["size"], entry["mtime"]) == (file.size, file.mtime):
            return True
        return bool(self._old) and file.mtime < self._oldest and fingerprint(file) in self._old

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

    def done(self, file: RemoteFile, *, sha256: str) -> None:
        """Note that everything of the file has been sent."""
        self._files[file.path] = {"size": file.size, "mtime": file.mtime, "sha256": sha256}
        self._by_content.setdefault(sha256, file.path)
        self._seen.pop(file.path, None)

    def prune(self, listed: Iterable[RemoteFile]) -> None:
        """Forget what is no longer listed; shrink what left the look-back window to its fingerprint."""
        old = []
        files: dict[str, dict[str, Any]] = {}
        seen: dict[str, dict[str, int]] = {}
        for file in listed:
            entry = self._files.get(file.path)
            if file.mtime >= self._oldest:
                if entry is not None:
                    files[file.path] = entry
            elif self.known(file):
                old.append(fingerprint(file))
            if file.path in self._seen:
                seen[file.path] = self._seen[file.path]
        self._files = self.value["files"] = files
        self._seen = self.value["seen"] = seen
        self.value["old"] = sorted(old)
        self._old = frozenset(old)

    def _unchanged(self, file: RemoteFile) -> dict[str, int] | None:
        entry = self._seen.get(file.path)
        return (
            entry
            if entry is not None and (entry["size"], entry["mtime"]) == (file.size, file.mtime)
            else None
        )


def fingerprint(file: RemoteFile) -> str:
    """8 bytes, as hex, that stand for (path, size, mtime)."""
    return hashlib.sha256(f"{file.path}\0{file.size}\0{file.mtime}".encode()).hexdigest()[:16]
