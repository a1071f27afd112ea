"""Bringing together the rows of each document, wherever they stand in the file, in bounded memory."""

from __future__ import annotations

import zlib
from array import array
from collections import defaultdict
from contextlib import ExitStack
from operator import attrgetter
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Self

import msgspec

from tap_stampli_sftp.reading.identity import Key  # msgspec reads the annotation
from tap_stampli_sftp.reading.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import IO

# A row in memory takes about eight times the characters of its text.
MEMORY_CHARACTERS = 2 * 1024**2
PARTITIONS = 1024
BLOCK_BYTES = 16 * 1024

_Stored = tuple[Key, Row]
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Stored)


class Groups:
    """Rows grouped by document.

    Small files stay in memory and give their documents in the file's order. Beyond ``memory_characters`` rows
    are spread over partitions of one spool file by a hash of the key, so that all rows of a document are in
    one of them, and each is grouped by itself.

    Args:
        spool: Directory for that file.
        memory_characters: Characters of raw text held in memory.
    """

    def __init__(self, *, spool: Path, memory_characters: int = MEMORY_CHARACTERS) -> None:
        self._spool = spool
        self._limit = memory_characters
        self._rows: defaultdict[Key, list[Row]] = defaultdict(list)
        self._characters = 0
        self._stack = ExitStack()
        self._file: IO[bytes] | None = None
        self._open: list[bytearray] = []
        # Offset and size by turns, of each block of a partition: bare numbers, as there are very many.
        self._blocks: list[array[int]] = []
        self._key: Key = ()
        self._partition = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, key: Key, row: Row) -> None:
        """Add a row to its document."""
        if self._file is not None:
            self._store(key, row)
            return
        self._rows[key].append(row)
        self._characters += len(row.raw)
        if self._characters > self._limit:
            self._spill()

    def __iter__(self) -> Iterator[tuple[Key, list[Row]]]:
        """Each document's key and rows, the rows in the file's order. May be repeated."""
        if self._file is None:
            yield from _merged(self._rows)
            return
        for partition in range(PARTITIONS):
            rows: defaultdict[Key, list[Row]] = defaultdict(list)
            for key, row in _DECODER.decode_lines(self._stored(partition)):
                rows[key].append(row)
            yield from _merged(rows)

    def _spill(self) -> None:
        self._file = self._stack.enter_context(
            TemporaryFile(dir=self._spool, prefix="stampli-part-")  # noqa: SIM115  # the stack closes it
        )
        self._open = [bytearray() for _ in range(PARTITIONS)]
        self._blocks = [array("Q") for _ in range(PARTITIONS)]
        for key, rows in self._rows.items():
            for row in rows:
                self._store(key, row)
        self._rows.clear()

    def _store(self, key: Key, row: Row) -> None:
        # Rows of a document mostly stand together.
        if key is not self._key:
            self._key = key
            # Without the company: a row may leave it out.
            self._partition = zlib.crc32("\0".join(key[1:]).encode()) % PARTITIONS
        block = self._open[self._partition]
        _ENCODER.encode_into((key, row), block, -1)
        block += b"\n"
        if len(block) > BLOCK_BYTES and self._file is not None:
            self._blocks[self._partition].extend((self._file.tell(), len(block)))
            self._file.write(block)
            block.clear()

    def _stored(self, partition: int) -> bytes:
        stored = []
        if self._file is not None:
            blocks = self._blocks[partition]
            for offset, size in zip(blocks[::2], blocks[1::2], strict=True):
                self._file.seek(offset)
                stored.append(self._file.read(size))
        return b"".join([*stored, self._open[partition]])


def _merged(groups: dict[Key, list[Row]]) -> Iterable[tuple[Key, list[Row]]]:
    """The groups, those brought together that differ only in a company which some of their rows leave out.

    Where the others name several companies, the one document of them all is rejected for it.
    """
    without = {key[1:] for key in groups if not key[0]}
    if not without or len(without) == len(groups):
        return groups.items()
    merged: dict[Key, list[Row]] = {}
    for key, rows in groups.items():
        merged.setdefault(("", *key[1:]) if key[1:] in without else key, []).extend(rows)
    for rows in merged.values():
        rows.sort(key=attrgetter("line"))
    return merged.items()
