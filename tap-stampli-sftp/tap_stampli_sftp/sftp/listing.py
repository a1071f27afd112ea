"""One streamed listing of the outbound directory, sorted into the streams' files."""

from __future__ import annotations

import fnmatch
import re
import stat
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from tap_stampli_sftp.errors import ListingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import paramiko

    from tap_stampli_sftp.fields import StreamName
    from tap_stampli_sftp.templates import Template

IN_PROGRESS = (".filepart", ".partial", ".tmp", ".part", ".inprogress", ".incomplete")
TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".xml")
DECRYPTED_ENDINGS = (".pgp", ".gpg")
_NAMES_SHOWN = 3
_READABLE_ENDINGS = (*TEXT_ENDINGS, ".zip", *(text + ".gz" for text in TEXT_ENDINGS))


class RemoteFile(NamedTuple):
    """A regular file as listed. Sorts by (mtime, path), the order in which files are read.

    Args:
        mtime: Seconds since the epoch.
        path: Remote path; never used as a local one.
        size: Bytes.
    """

    mtime: int
    path: str
    size: int


@dataclass(slots=True)
class Listing:
    """What stands in the directory.

    Args:
        files: Stream -> its files, oldest first.
        notes: What was passed over, and why, for the log.
        strays: How many files have names that fit no stream that is read.
        stray_names: A few of them, as they may be logged.
    """

    files: dict[StreamName, list[RemoteFile]]
    notes: list[str] = field(default_factory=list)
    strays: int = 0
    stray_names: list[str] = field(default_factory=list)

    @property
    def shown_strays(self) -> str:
        """How many files fit no stream and some of their names, '' where there are none."""
        if not self.strays:
            return ""
        names = ", ".join(self.stray_names) + (", .." if self.strays > len(self.stray_names) else "")
        return f"files whose names fit no stream that is read: {self.strays} ({names})"


def list_directory(
    client: paramiko.SFTPClient, *, path: str, templates: Mapping[StreamName, Template], done_file_suffix: str
) -> Listing:
    """List the directory once.

    Args:
        client: The open connection.
        path: The remote directory.
        templates: The streams to look for.
        done_file_suffix: Non-empty: a file counts only when its done-file stands beside it.

    Raises:
        ListingError: The directory is missing or cannot be listed to its end.
    """
    listing = Listing(files={stream: [] for stream in templates})
    done: set[str] = set()
    matchers = [(stream, _pattern(template.pattern).match) for stream, template in templates.items()]
    directory = path.rstrip("/")
    found: list[tuple[str, list[StreamName], RemoteFile]] = []
    with _faults(path):
        for attributes in client.listdir_iter(path):
            name = attributes.filename
            if done_file_suffix and name.endswith(done_file_suffix):
                done.add(name)
                continue
            streams = [stream for stream, matches in matchers if matches(name)]
            if _in_progress(name) or not _counts(listing, attributes, fits=bool(streams)):
                continue
            file = RemoteFile(int(attributes.st_mtime or 0), f"{directory}/{name}", attributes.st_size or 0)
            found.append((name, streams, file))
    for name, streams, file in found:
        if not done_file_suffix or name + done_file_suffix in done:
            _place(listing, [templates[stream] for stream in streams], name, file)
        else:
            wanted = printable(name + done_file_suffix)
            listing.notes.append(f"{printable(name)} waits for its done-file {wanted}")
    for files in listing.files.values():
        # Twice by one thing each is three times as fast as once by both.
        files.sort(key=attrgetter("path"))
        files.sort(key=attrgetter("mtime"))
    return listing


@contextmanager
def _faults(path: str) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise ListingError(
            f"{path} has a file whose name is not UTF-8 ({error.object!r}); "
            "rename or remove it on the server."
        ) from None
    except FileNotFoundError:
        raise ListingError(f"Directory {path} does not exist on the server. Check outbound_path.") from None
    except PermissionError:
        raise ListingError(
            f"Directory {path} may not be listed by this user. Check outbound_path and rights."
        ) from None


def _place(listing: Listing, templates: Sequence[Template], name: str, file: RemoteFile) -> None:
    for template in templates:
        if template.format != "auto" or readable(name):
            listing.files[template.stream].append(file)
        else:
            listing.notes.append(
                f"{printable(name)} has an ending that is not read; "
                f"set {template.setting('format')} if it is an export"
            )


def _counts(listing: Listing, attributes: paramiko.SFTPAttributes, *, fits: bool) -> bool:
    """Whether an entry is a stream's file; what is not is noted."""
    regular = _regular(attributes, listing.notes if fits else [])
    if regular and not fits:
        listing.strays += 1
        if len(listing.stray_names) < _NAMES_SHOWN:
            listing.stray_names.append(printable(attributes.filename))
    return regular and fits


def _regular(attributes: paramiko.SFTPAttributes, notes: list[str]) -> bool:
    """Whether it is a plain file; servers that tell no kind are asked again before the download."""
    mode = attributes.st_mode
    if mode is None or stat.S_ISREG(mode):
        return True
    if not stat.S_ISDIR(mode):
        notes.append(f"{printable(attributes.filename)} is a link or special file; it is not followed")
    return False


def readable(name: str) -> bool:
    """Whether the name's ending says a format that is read."""
    lower = name.lower()
    if lower.endswith(DECRYPTED_ENDINGS):
        for ending in DECRYPTED_ENDINGS:
            lower = lower.removesuffix(ending)
    # What a zip holds is told by its members' endings.
    return lower.endswith(_READABLE_ENDINGS)


def printable(name: str) -> str:
    """A remote name as one harmless line of a log."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def _in_progress(name: str) -> bool:
    return name.startswith(".") or name.lower().endswith(IN_PROGRESS)


def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern), re.IGNORECASE)
