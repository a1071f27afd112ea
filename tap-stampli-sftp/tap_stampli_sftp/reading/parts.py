"""From a spooled file to the texts in it: decryption, unpacking. Names are never used as paths."""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
import zlib
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, cast

from tap_stampli_sftp.errors import FileRefused
from tap_stampli_sftp.sftp.listing import DECRYPTED_ENDINGS, TEXT_ENDINGS, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tap_stampli_sftp.limits import Limits
    from tap_stampli_sftp.pgp import Decryption
    from tap_stampli_sftp.sftp.fetch import FetchedFile
    from tap_stampli_sftp.templates import Template

MOST_MEMBERS = 100
_DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError)


@dataclass(frozen=True, slots=True)
class Part:
    """One text: the file itself, or a member of a zip.

    Args:
        source_file: What stands in ``_sdc_source_file``: the remote path, with ``!member`` where a zip has
            several.
        format: ``csv``, ``tsv``, ``txt`` or ``xml``.
        open: Opens its bytes, unpacked; may be called again.
    """

    source_file: str
    format: str
    open: Callable[[], AbstractContextManager[BinaryIO]]


@contextmanager
def parts_of(
    file: FetchedFile, template: Template, *, limits: Limits, decryption: Decryption, spool: Path
) -> Iterator[list[Part]]:
    """Find the texts in a fetched file.

    Args:
        file: In the spool.
        template: Its ``format`` wins over the ending.
        limits: Bounds.
        decryption: Opens what is PGP-encrypted.
        spool: Directory for the decrypted copy, which is deleted on leaving.

    Raises:
        FileRefused: Damaged, beyond the bounds, or with members that are not read.
    """
    remote, local, name = file.remote.path, file.local, file.remote.path.lower()
    with ExitStack() as stack:
        if name.endswith(DECRYPTED_ENDINGS):
            name = name.rpartition(".")[0]
            local = stack.enter_context(decryption.decrypted(local, spool=spool, limits=limits))
        if name.endswith(".zip"):
            yield stack.enter_context(_members(local, remote, template, limits))
        elif name.endswith(".gz"):
            yield [Part(remote, _format(name[:-3], template), lambda: _gunzipped(local, limits))]
        else:
            yield [Part(remote, _format(name, template), lambda: local.open("rb"))]


def _format(name: str, template: Template) -> str:
    return template.format if template.format != "auto" else name.rpartition(".")[2]


@contextmanager
def _gunzipped(path: Path, limits: Limits) -> Iterator[BinaryIO]:
    with path.open("rb") as file, gzip.GzipFile(fileobj=file) as packed:
        yield _bounded(cast("BinaryIO", packed), kind="gzip", packed_size=path.stat().st_size, limits=limits)


@contextmanager
def _members(path: Path, remote: str, template: Template, limits: Limits) -> Iterator[list[Part]]:
    size = path.stat().st_size
    if not size:
        # An empty file holds nothing, whatever it is called.
        yield [Part(remote, "csv", lambda: path.open("rb"))]
        return
    try:
        archive = zipfile.ZipFile(path)
    except (*_DAMAGED, UnicodeError) as error:
        raise FileRefused(f"its zip data is damaged or cut off ({error})") from None
    with archive:
        members = [info for info in archive.infolist() if _is_content(info)]
        if len(members) > MOST_MEMBERS:
            raise FileRefused(f"it is a zip of {len(members)} files; at most {MOST_MEMBERS} are read")
        # No member ever gives more bytes than its directory entry says.
        if sum(info.file_size for info in members) > limits.unpacked(size):
            raise limits.exceeded(size)
        parts = [
            _member(archive, info, remote, template, limits, alone=len(members) == 1) for info in members
        ]
        yield _apart(parts) or [Part(remote, "csv", lambda: io.BytesIO(b""))]


def _apart(parts: list[Part]) -> list[Part]:
    """The parts, with a number behind the second and further ones of one name: a zip may have such."""
    count: Counter[str] = Counter()
    for at, part in enumerate(parts):
        count[part.source_file] += 1
        if (number := count[part.source_file]) > 1:
            parts[at] = replace(part, source_file=f"{part.source_file}#{number}")
    return parts


def _is_content(info: zipfile.ZipInfo) -> bool:
    hidden = info.filename.startswith("__MACOSX/") or info.filename.rpartition("/")[2].startswith(".")
    return not info.filename.endswith("/") and not hidden


def _member(  # noqa: PLR0913  # a member and where it stands
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    remote: str,
    template: Template,
    limits: Limits,
    *,
    alone: bool,
) -> Part:
    name = printable(info.filename)
    if info.flag_bits & 1:
        raise FileRefused(f"its member {name} has a zip password, which is not supported")
    if template.format == "auto" and not info.filename.lower().endswith(TEXT_ENDINGS):
        raise FileRefused(
            f"its member {name} has an ending that is not read ({', '.join(TEXT_ENDINGS)} are); "
            f"set {template.setting('format')} if it is an export"
        )

    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        try:
            member = archive.open(info)
        except _DAMAGED as error:
            raise FileRefused(f"its member {name} is damaged ({error})") from None
        with member:
            source = cast("BinaryIO", member)
            yield _bounded(source, kind="zip", packed_size=info.file_size, limits=limits)

    source_file = remote if alone else f"{remote}!{info.filename}"
    return Part(source_file, _format(info.filename.lower(), template), opened)


def _bounded(source: BinaryIO, *, kind: str, packed_size: int, limits: Limits) -> BinaryIO:
    raw = _Unpacking(source, kind=kind, packed_size=packed_size, limits=limits)
    return cast("BinaryIO", io.BufferedReader(raw, buffer_size=128 * 1024))


class _Unpacking(io.RawIOBase):
    """Reads a packed stream and refuses it as soon as it unpacks beyond the bounds."""

    def __init__(self, packed: BinaryIO, *, kind: str, packed_size: int, limits: Limits) -> None:
        self._packed = packed
        self._kind = kind
        self._packed_size = packed_size
        self._limits = limits
        self._allowed = limits.unpacked(packed_size)
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]  # the protocol's own type is newer than 3.11
        try:
            chunk = self._packed.read(len(view))
        except _DAMAGED as error:
            raise FileRefused(f"its {self._kind} data is damaged or cut off ({error})") from None
        view[: len(chunk)] = chunk
        self._count += len(chunk)
        if self._count > self._allowed:
            raise self._limits.exceeded(self._packed_size)
        return len(chunk)
