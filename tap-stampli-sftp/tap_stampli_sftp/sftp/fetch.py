"""Fetching one whole file into the spool directory."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

import asyncssh

from tap_stampli_sftp.errors import FileGone, FileRefused
from tap_stampli_sftp.sftp.listing import NO_KIND, printable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import IO

    from tap_stampli_sftp.sftp.connect import Remote, Session
    from tap_stampli_sftp.sftp.listing import RemoteFile

# As much as OpenSSH gives in one answer; of servers that do not tell what they give, less is asked.
LARGEST_REQUEST = 255 * 1024


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A remote file's bytes, complete, in the spool.

    Args:
        remote: As listed.
        local: The spooled copy.
        sha256: Of its bytes, hex.
    """

    remote: RemoteFile
    local: Path
    sha256: str


@contextmanager
def fetched(session: Session, file: RemoteFile, *, spool: Path, max_bytes: int) -> Iterator[FetchedFile]:
    """Fetch a file; the spooled copy (readable by this user only) is deleted on leaving.

    Args:
        session: The connection; when it drops the whole file is fetched again.
        file: As listed.
        spool: Local directory.
        max_bytes: Larger files are refused before a byte is read.

    Raises:
        FileRefused: The file is too large.
        FileGone: It is not, or no longer, what was listed.
    """
    if file.size > max_bytes:
        raise FileRefused(f"it has {file.size} bytes, more than max_file_bytes allows ({max_bytes})")
    # NamedTemporaryFile: mode 0600, a name of its own; nothing of the remote name reaches the local disk.
    with NamedTemporaryFile(dir=spool, prefix="stampli-", delete=True) as target:

        async def download(remote: Remote) -> str:
            target.seek(0)
            target.truncate()
            return await _download(remote, file, target)

        try:
            sha256 = session.run(download, doing=f"Reading {printable(file.path)}")
        except asyncssh.SFTPError as error:
            raise FileGone(f"it can't be read any more ({error.reason})") from error
        target.flush()
        yield FetchedFile(remote=file, local=Path(target.name), sha256=sha256)


async def _download(remote: Remote, file: RemoteFile, target: IO[bytes]) -> str:
    digest = hashlib.sha256()
    received = 0
    client = remote.client
    await _unchanged(client, file, "since it was listed")
    size = min(client.limits.max_read_len, LARGEST_REQUEST)
    async with client.open(file.path, "rb", block_size=size) as source:
        # One byte more than listed is asked for, so that a file which has grown is noticed.
        async for block in _in_order(await source.read_parallel(file.size + 1, 0)):
            remote.answered()
            received += len(block)
            digest.update(block)
            target.write(block)
    remote.answered()
    await _unchanged(client, file, "while it was read")
    if received != file.size:
        raise FileGone(f"{received} bytes came although the server says {file.size}")
    return digest.hexdigest()


async def _in_order(blocks: AsyncIterator[tuple[int, bytes]]) -> AsyncIterator[bytes]:
    """The blocks of a file from its beginning on, without gaps, however the server ordered its answers."""
    at = 0
    early: dict[int, bytes] = {}
    async for offset, data in blocks:
        early[offset] = data
        while block := early.pop(at, b""):
            at += len(block)
            yield block


async def _unchanged(client: asyncssh.SFTPClient, file: RemoteFile, when: str) -> None:
    now = await client.lstat(file.path)
    if now.type not in {asyncssh.FILEXFER_TYPE_REGULAR, *NO_KIND}:
        raise FileGone(f"it became a link or special file {when}")
    if (now.size or 0, int(now.mtime or 0)) != (file.size, file.mtime):
        raise FileGone(f"it changed {when} ({file.size} bytes then, {now.size} now)")
