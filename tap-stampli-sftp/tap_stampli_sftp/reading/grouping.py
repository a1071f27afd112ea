"""Bringing together the rows of each document, wherever they stand in the file, in bounded memory."""

from __future__ import annotations

import zlib
from collections import defaultdict
from contextlib import ExitStack
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Self

import msgspec

from tap_stampli_sftp.reading.identity import Key  # msgspec reads the annotation
from tap_stampli_sftp.reading.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

MEMORY_CHARACTERS = 8 * 1024**2
PARTITIONS = 256

_Stored = tuple[Key, int, list[str], str, str]
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Stored)


class Groups:
    """Rows grouped by document.

    Small files stay in memory and give their documents in the file's order. Beyond ``memory_characters``
    rows are
    spread over files by a hash of the key, so that all rows of a document are in one of them, and each is
    grouped
    by itself.

    Args:
        spool: Directory for those files.
        memory_characters: Characters of raw text held in memory.
    """

    def __init__(self, *, spool: Path, memory_characters: int = MEMORY_CHARACTERS) -> None:
        self._spool = spool
        self._limit = memory_characters
        self._rows: defaultdict[Key, list[Row]] = defaultdict(list)
        self._characters = 0
        self._stack = ExitStack()
        self._parts: list[IO[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, key: Key, row: Row) -> None:
        """Add a row to its document."""
        if self._parts:
            self._store(key, row)
            return
        self._rows[key].append(row)
        self._characters += len(row.raw)
        if self._characters > self._limit:
            self._spill()

    def __iter__(self) -> Iterator[tuple[Key, list[Row]]]:
        """Each document's key and rows, the rows in the file's order. May be repeated."""
        if not self._parts:
            yield from self._rows.items()
            return
        for part in self._parts:
            rows: defaultdict[Key, list[Row]] = defaultdict(list)
            part.seek(0)
            for stored in part:
                key, *row = _DECODER.decode(stored)
                rows[key].append(Row(*row))
            yield from rows.items()

    def _spill(self) -> None:
        self._parts = [
            self._stack.enter_context(NamedTemporaryFile(dir=self._spool, prefix="stampli-part-"))  # noqa: SIM115  # the stack closes it
            for _ in range(PARTITIONS)
        ]
        for key, rows in self._rows.items():
            for row in rows:
                self._store(key, row)
        self._rows.clear()

    def _store(self, key: Key, row: Row) -> None:
        part = self._parts[zlib.crc32("\0".join(key).encode()) % PARTITIONS]
        part.write(_ENCODER.encode((key, *row)) + b"\n")
