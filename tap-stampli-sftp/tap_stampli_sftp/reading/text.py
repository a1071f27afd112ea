"""From the bytes of a spooled file to lines of text: unpacking, decoding, bounds."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from tap_stampli_sftp.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FREE_BYTES = 1024**2
# A physical line may be this many times as long as a field; thousands of columns are legitimate.
LINE_FIELDS = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one file, named as the settings are."""

    max_file_bytes: int
    max_field_bytes: int
    max_unpacked_ratio: int


class _Unpacking(io.RawIOBase):
    """Reads a gzip stream and refuses it as soon as it unpacks beyond the bounds."""

    def __init__(self, packed: gzip.GzipFile, *, packed_size: int, limits: Limits) -> None:
        self._packed = packed
        self._limits = limits
        self._allowed = max(FREE_BYTES, packed_size * limits.max_unpacked_ratio)
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]  # the protocol's own type is newer than 3.11
        try:
            chunk = self._packed.read(len(view))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileRefused(f"its gzip data is damaged or cut off ({error})") from None
        view[: len(chunk)] = chunk
        self._count += len(chunk)
        if self._count > self._allowed:
            raise FileRefused(
                f"it unpacks to more than {self._limits.max_unpacked_ratio} times its size "
                "(max_unpacked_ratio)"
            )
        if self._count > self._limits.max_file_bytes:
            raise FileRefused(f"it unpacks to more than {self._limits.max_file_bytes} bytes (max_file_bytes)")
        return len(chunk)


@contextmanager
def opened(path: Path, *, packed: bool, limits: Limits) -> Iterator[BinaryIO]:
    """Open a spooled file's bytes, unpacked.

    Raises:
        FileRefused: While reading: damaged, or beyond the bounds.
    """
    with path.open("rb") as file:
        if not packed:
            yield file
            return
        with gzip.GzipFile(fileobj=file) as inner:
            raw = _Unpacking(inner, packed_size=path.stat().st_size, limits=limits)
            yield cast("BinaryIO", io.BufferedReader(raw, buffer_size=128 * 1024))


def text_lines(source: BinaryIO, *, encoding: str, limits: Limits) -> Iterator[str]:
    """The file's physical lines with their ends as they are.

    Raises:
        FileRefused: A line longer than the bounds.
        UnicodeDecodeError: A byte that the encoding does not have.
    """
    longest = limits.max_field_bytes * LINE_FIELDS
    with io.TextIOWrapper(source, encoding=encoding, errors="strict", newline="") as text:
        number = 1
        while line := text.readline(longest + 1):
            if len(line) > longest:
                raise FileRefused(
                    f"line {number} has more than {longest} characters ({LINE_FIELDS} times max_field_bytes)"
                )
            yield line
            number += 1


def wrong_byte(path: Path, *, packed: bool, encoding: str, limits: Limits, setting: str) -> FileRefused:
    """Find the first byte that the encoding does not have, and say where it is."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    line = 1
    with opened(path, packed=packed, limits=limits) as source:
        start = source.read(2)
        hint = (
            " The file begins like UTF-16: try utf-16."
            if start in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
            else ""
        )
        chunk = start
        while chunk:
            try:
                line += decoder.decode(chunk).count("\n")
            except UnicodeDecodeError as error:
                # The decoder may prepend bytes kept from the chunk before; the error carries both.
                line += error.object[: error.start].count(b"\n")
                bad = error.object[error.start : error.start + 1].hex()
                return FileRefused(
                    f"line {line} has the byte 0x{bad}, which is not {encoding}; set {setting}.{hint}"
                )
            chunk = source.read(64 * 1024)
    return FileRefused(f"line {line} ends within a character of {encoding}; set {setting}.{hint}")
