"""``tap-stampli-sftp-check``: log in, look, read one document of each stream, and say what was found as JSON.

Nothing is written on the server, and no STATE; the newest file of each stream is fetched to read from it.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click
from singer_sdk.exceptions import ConfigValidationError

from tap_stampli_sftp.confidential import no_core_files
from tap_stampli_sftp.errors import LoginError, SettingsError, TapError
from tap_stampli_sftp.fields import StreamName
from tap_stampli_sftp.run import Run
from tap_stampli_sftp.settings import load_settings
from tap_stampli_sftp.sftp.connect import Session
from tap_stampli_sftp.sftp.listing import list_directory
from tap_stampli_sftp.tap import TapStampliSFTP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_stampli_sftp.settings import Settings
    from tap_stampli_sftp.sftp.listing import Listing, RemoteFile

_log = logging.getLogger(__name__)
_FAILED = 1
#: Clocks that differ by less do no harm.
_TOLERATED_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: ``result`` is ok, warning or failed; ``what_to_do`` is blank where nothing is."""

    check: str
    result: str
    text: str
    what_to_do: str = ""


class _NoOutlet:
    """A look sends nothing."""

    def send(self, stream: StreamName, record: dict[str, Any]) -> None:
        """Send nothing."""

    def send_state(self) -> None:
        """Send nothing."""

    def check_interrupted(self) -> None:
        """Nobody waits for a safe point."""


@click.command()
@click.option("--config", default="ENV", show_default=True, help="Settings as a JSON file, or ENV.")
def main(config: str) -> None:
    """Check login, host key, directory and files, and read one document of each stream; JSON on stdout."""
    no_core_files()
    logging.getLogger("tap-stampli-sftp").setLevel(logging.ERROR)
    samples: dict[str, dict[str, Any]] = {}
    findings = list(_examine(config, samples))
    found = {"findings": [asdict(each) for each in findings], "samples": samples}
    click.echo(json.dumps(found, default=str, ensure_ascii=False))
    sys.exit(_FAILED if any(each.result == "failed" for each in findings) else 0)


def _examine(config: str, samples: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    try:
        from_environment = config == "ENV"
        tap = TapStampliSFTP(config=None if from_environment else [config], parse_env_config=from_environment)
        settings = load_settings(tap.config)
    except (TapError, ConfigValidationError, OSError, ValueError) as fault:
        yield Finding("settings", "failed", str(fault), "Correct the setting named.")
        return
    yield Finding("settings", "ok", "complete and valid")
    try:
        with Session(settings=settings, logger=_log) as session:
            began = time.monotonic()
            path = settings.outbound_path
            session.run(lambda client: client.normalize("."), doing="Logging in")
            yield Finding("login", "ok", f"{settings.username} at {settings.host}, {_since(began)}")
            yield _host_key(settings)
            listing = session.run(
                lambda client: list_directory(
                    client,
                    path=path,
                    templates={name: each for name, each in settings.templates.items() if each.enabled},
                    done_file_suffix=settings.done_file_suffix,
                ),
                doing=f"Listing {path}",
            )
        strays = f"; {listing.shown_strays}" if listing.strays else ""
        yield Finding(
            "directory", "ok", f"{path} can be listed; {len(listing.notes)} names passed over{strays}"
        )
    except LoginError as fault:
        host_key = str(fault).startswith("Host key")
        yield Finding("host key" if host_key else "login", "failed", str(fault), "Do as it says, then again.")
        return
    except SettingsError as fault:
        yield Finding("settings", "failed", str(fault), "Correct the setting named.")
        return
    except (TapError, OSError) as fault:
        yield Finding("directory", "failed", str(fault), "Check host, port, firewall and outbound_path.")
        return
    yield _clock(listing)
    for stream, files in listing.files.items():
        yield from _stream(settings, stream, files, samples)


def _host_key(settings: Settings) -> Finding:
    if settings.accept_any_host_key:
        text = "any key is accepted: whoever stands in between can read the password and the files"
        return Finding("host key", "warning", text, "Pin the key in host_key, and drop the insecure setting.")
    return Finding("host key", "ok", "the server shows a pinned key")


def _clock(listing: Listing) -> Finding:
    """How far the server's clock runs ahead; one that is behind can't be told from an old file by reading."""
    newest = max((file.mtime for files in listing.files.values() for file in files), default=0)
    ahead = newest - int(time.time())
    if ahead > _TOLERATED_SECONDS:
        return Finding(
            "server clock",
            "warning",
            f"the newest file is {ahead} s in the future",
            "Have the clocks of this machine and of the server set (NTP): files are taken by their age.",
        )
    text = "no file lies in the future; whether the clock is behind can't be seen without writing"
    return Finding("server clock", "ok", text)


def _stream(
    settings: Settings, stream: StreamName, files: list[RemoteFile], samples: dict[str, dict[str, Any]]
) -> Iterator[Finding]:
    pattern = settings.templates[stream].pattern
    if not files:
        wanted = stream in {StreamName.INVOICES, StreamName.PAYMENTS}
        text = f"no file matches {pattern}"
        yield Finding(
            f"stream {stream}",
            "warning" if wanted else "ok",
            text,
            f"Check templates.{stream}.pattern, or switch the stream off." if wanted else "",
        )
        return
    newest = files[-1].path.rpartition("/")[2]
    try:
        record, rejected = _first(settings, stream)
    except (TapError, OSError) as fault:
        yield Finding(f"stream {stream}", "failed", str(fault), f"Compare the file with templates.{stream}.")
        return
    text = f"{len(files)} files match {pattern}; newest {newest!r}"
    if record is None:
        result = "failed" if rejected else "ok"
        why = f"no document could be read: {rejected}" if rejected else "it holds no document"
        hint = f"Compare the file with templates.{stream}." if rejected else ""
        yield Finding(f"stream {stream}", result, f"{text}: {why}", hint)
        return
    samples[str(stream)] = record
    text = f"{text}; a document was read from its line {record['_sdc_source_line']}"
    yield Finding(f"stream {stream}", "ok", text)


def _first(settings: Settings, stream: StreamName) -> tuple[dict[str, Any] | None, str]:
    """The first document of the newest file, and why the first rejected row was rejected."""
    run = Run(settings=settings, streams=[stream], state={}, outlet=_NoOutlet(), logger=_log)
    rejected = ""
    for kind, record in run.sample():
        if kind is stream:
            return record, rejected
        if kind is StreamName.REJECTED_ROWS:
            rejected = rejected or str(record["message"])
    return None, rejected


def _since(began: float) -> str:
    return f"{(time.monotonic() - began) * 1000:.0f} ms"
