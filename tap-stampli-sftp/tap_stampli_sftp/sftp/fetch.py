"""Fetching one whole file into the spool directory."""

from __future__ import annotations

import errno
import hashlib
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from tap_stampli_sftp.errors import FileGone, FileRefused
from tap_stampli_sftp.sftp.listing import printable
from tap_stampli_sftp.sftp.pipeline import read_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    import paramiko

    from tap_stampli_sftp.sftp.connect import Session
    from tap_stampli_sftp.sftp.listing import RemoteFile


# Of the local disk; the server's errors have other numbers, or none.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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

        def download(client: paramiko.SFTPClient) -> str:
            target.seek(0)
            target.truncate()
            return _download(client, file, target)

        try:
            sha256 = session.run(download, doing=f"Reading {printable(file.path)}")
        except OSError as error:
            if error.errno in NO_ROOM:
                raise
            raise FileGone(f"it can't be read any more ({error})") from error
        target.flush()
        yield FetchedFile(remote=file, local=Path(target.name), sha256=sha256)


def _download(client: paramiko.SFTPClient, file: RemoteFile, target: IO[bytes]) -> str:
    _unchanged(client, file, "since it was listed")
    digest = hashlib.sha256()
    received = 0
    with client.open(file.path, "rb") as source:
        # One byte more than listed is asked for, so that a file which has grown is noticed.
        for chunk in read_all(client, source, size=file.size + 1):
            received += len(chunk)
            digest.update(chunk)
            target.write(chunk)
    _unchanged(client, file, "while it was read")
    if received != file.size:
        raise FileGone(f"{received} bytes came although the server says {file.size}")
    return digest.hexdigest()


def _unchanged(client: paramiko.SFTPClient, file: RemoteFile, when: str) -> None:
    now = client.lstat(file.path)
    if now.st_mode is not None and not stat.S_ISREG(now.st_mode):
        raise FileGone(f"it became a link or special file {when}")
    if (now.st_size, int(now.st_mtime or 0)) != (file.size, file.mtime):
        raise FileGone(f"it changed {when} ({file.size} bytes then, {now.st_size} now)")
