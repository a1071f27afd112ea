"""From bytes to lines or chunks of text: decoding, bounds."""

from __future__ import annotations

import codecs
import io
import re
from typing import TYPE_CHECKING, BinaryIO

from tap_stampli_sftp.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_stampli_sftp.limits import Limits
    from tap_stampli_sftp.reading.parts import Part
    from tap_stampli_sftp.templates import Template

# A physical line may be this many times as long as a field; thousands of columns are legitimate.
LINE_FIELDS = 16
_CHUNK = 64 * 1024
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
# Ends the text of a file that is cut within a character. No strict decoder gives a lone surrogate.
BROKEN_OFF = "\udc00"
# Stands in rejected text for the part of a character that came.
SHOWN = "\ufffd"
_TRUNCATED = ("unexpected end of data", "truncated data", "incomplete multibyte sequence")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _broken_off(error: UnicodeError) -> tuple[str, int]:
    if (
        isinstance(error, UnicodeDecodeError)
        and error.reason in _TRUNCATED
        and error.end == len(error.object)
    ):
        return BROKEN_OFF, error.end
    raise error


# Strict, but for a file that ends within a character: it is cut, not in another encoding.
_ERRORS = "strict-but-cut"
codecs.register_error(_ERRORS, _broken_off)


def text_lines(source: BinaryIO, *, encoding: str, limits: Limits) -> Iterator[str]:
    """The physical lines with their ends as they are.

    Raises:
        FileRefused: A line longer than the bounds.
        UnicodeDecodeError: A byte that the encoding does not have.
    """
    longest = limits.max_field_bytes * LINE_FIELDS
    with io.TextIOWrapper(source, encoding=encoding, errors=_ERRORS, newline="") as text:
        number = 1
        readline = text.readline
        while line := readline(longest + 1):
            if len(line) > longest:
                raise FileRefused(
                    f"line {number} has more than {longest} characters ({LINE_FIELDS} times max_field_bytes)"
                )
            # The mark of the byte order is no text; utf-16-le and its like leave it there.
            yield line if number > 1 else line.removeprefix("\ufeff")
            number += 1


def text_chunks(source: BinaryIO, *, encoding: str) -> Iterator[str]:
    """The text in chunks.

    Raises:
        UnicodeDecodeError: A byte that the encoding does not have.
    """
    decoder = codecs.getincrementaldecoder(encoding)(_ERRORS)
    while chunk := source.read(_CHUNK):
        if text := decoder.decode(chunk):
            yield text
    if text := decoder.decode(b"", final=True):
        yield text.replace(BROKEN_OFF, SHOWN)


def xml_encoding(part: Part, template: Template) -> str:
    """An XML's encoding: the setting; by default what its first bytes declare.

    Raises:
        FileRefused: It declares one that Python does not know.
    """
    if template.encoding != "utf-8-sig":
        return template.encoding
    with part.open() as source:
        start = source.read(256)
    if start.startswith(_UTF_16):
        return "utf-16"
    declared = match[1].decode() if (match := _DECLARED.search(start)) else "utf-8"
    try:
        "".encode(declared)
        name = codecs.lookup(declared).name
    except LookupError:
        raise FileRefused(
            f"it declares the encoding {declared!r}, which is not known; set {template.setting('encoding')}"
        ) from None
    return "utf-8-sig" if name == "utf-8" else name


def check_mark(part: Part, *, encoding: str, setting: str) -> None:
    """Refuse a text that begins with UTF-8's mark and is to be read as something else.

    Raises:
        FileRefused: With the setting.
    """
    if codecs.lookup(encoding).name in {"utf-8", "utf-8-sig"}:
        return
    with part.open() as source:
        if source.read(3) == codecs.BOM_UTF8:
            raise FileRefused(
                f"line 1 begins with the mark of UTF-8, but is to be read as {encoding}; set {setting} "
                "to utf-8"
            )


def wrong_byte(part: Part, *, encoding: str, setting: str) -> FileRefused:
    """Find the first byte that the encoding does not have, and say where it is."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    line = 1
    with part.open() as source:
        start = source.read(2)
        hint = " The file begins like UTF-16: try utf-16." if start in _UTF_16 else ""
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
            chunk = source.read(_CHUNK)
    return FileRefused(f"line {line} ends within a character of {encoding}; set {setting}.{hint}")
