"""The tap's settings: their schema (shown by ``--about``) and their reading."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tap_stampli_sftp.encrypted import reveal
from tap_stampli_sftp.errors import SettingsError
from tap_stampli_sftp.fields import FILE_STREAMS
from tap_stampli_sftp.templates import TEMPLATE_PROPERTIES, load_templates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_stampli_sftp.fields import StreamName
    from tap_stampli_sftp.templates import Template


def _setting(kind: str | list[str], description: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "description": description, **more}


_TEXT = ["string", "null"]

SETTINGS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["host", "username"],
    "properties": {
        "host": _setting("string", "Name or address of the SFTP server.", title="Host"),
        "port": _setting("integer", "Port of the SFTP server.", default=22, title="Port"),
        "username": _setting("string", "User to log in as.", title="User"),
        "password": _setting(_TEXT, "Password; may be `enc:<token>`.", secret=True, title="Password"),
        "private_key": _setting(
            _TEXT,
            "Private key, PEM text (Ed25519, ECDSA, RSA); may be `enc:<token>`.",
            secret=True,
            title="Private key",
        ),
        "private_key_path": _setting(
            _TEXT, "File with the private key, instead of `private_key`.", title="Private key file"
        ),
        "private_key_passphrase": _setting(
            _TEXT, "Passphrase of the private key; may be `enc:<token>`.", secret=True, title="Passphrase"
        ),
        "host_key": _setting(
            ["string", "array", "null"],
            "The server's pinned host key: a `SHA256:..` fingerprint or a known_hosts line, or a list "
            "of them.",
            items={"type": "string"},
            title="Host key",
        ),
        "known_hosts_path": _setting(
            _TEXT,
            "A known_hosts file with the server's key, instead of `host_key`.",
            title="known_hosts file",
        ),
        "insecure_accept_any_host_key": _setting(
            "boolean",
            "Accept whatever host key the server shows. Anyone on the way can then read the password "
            "and the files.",
            default=False,
            title="Accept any host key (insecure)",
        ),
        "outbound_path": _setting(
            "string", "Directory with Stampli's export files.", default="/outbound", title="Directory"
        ),
        "templates": _setting(
            ["object", "string", "null"],
            "How the files look: stream -> overrides of the sample template. JSON text is accepted.",
            title="Templates",
            properties={
                str(stream): {
                    "type": "object",
                    "description": f"Overrides of the sample template for {stream}.",
                    "properties": TEMPLATE_PROPERTIES,
                }
                for stream in FILE_STREAMS
            },
        ),
        "min_age_seconds": _setting(
            "integer",
            "A file is taken when it was last changed at least this long ago, or when an earlier run "
            "saw it unchanged "
            "at least this long ago.",
            default=60,
            minimum=0,
            title="Minimum age",
        ),
        "done_file_suffix": _setting(
            _TEXT,
            "Read a file only when a file of its name plus this suffix (such as `.done`) stands beside it.",
            title="Done file",
        ),
        "start_date": _setting(
            _TEXT,
            "Files last changed before this ISO date or date-time (UTC) are never read.",
            title="Start date",
        ),
        "lookback_days": _setting(
            "integer",
            "Files this young keep a full entry (with content hash) in the STATE, older ones 8 bytes.",
            default=30,
            minimum=0,
            title="Look back",
        ),
        "on_bad_row": _setting(
            "string",
            "`quarantine`: a bad row's document goes to the stream rejected_rows. `fail`: the run stops "
            "at it, "
            "before anything of that file is sent.",
            enum=["quarantine", "fail"],
            default="quarantine",
            title="On a bad row",
        ),
        "max_file_bytes": _setting(
            "integer",
            "Largest file accepted, as it lies on the server and unpacked.",
            default=4 * 1024**3,
            minimum=1,
            title="Largest file",
        ),
        "max_field_bytes": _setting(
            "integer",
            "Largest field accepted, counted in decoded characters; a physical line may have 16 times "
            "as many.",
            default=1024**2,
            minimum=1,
            title="Largest field",
        ),
        "max_unpacked_ratio": _setting(
            "integer",
            "A packed file may unpack to at most this many times its size (the first MiB is free).",
            default=200,
            minimum=1,
            title="Largest unpacking ratio",
        ),
        "spool_dir": _setting(
            _TEXT,
            "Directory for the files being read (private, deleted at once); the system's by default.",
            title="Spool directory",
        ),
    },
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings, read and checked. Secrets are plain here and left out of ``repr``."""

    host: str
    port: int
    username: str
    password: str | None = field(repr=False)
    private_key: str | None = field(repr=False)
    private_key_passphrase: str | None = field(repr=False)
    host_keys: tuple[str, ...]
    known_hosts_path: Path | None
    accept_any_host_key: bool
    outbound_path: str
    templates: Mapping[StreamName, Template]
    min_age_seconds: int
    done_file_suffix: str
    start_epoch: int
    lookback_days: int
    on_bad_row: Literal["quarantine", "fail"]
    max_file_bytes: int
    max_field_bytes: int
    max_unpacked_ratio: int
    spool_dir: Path


def load_settings(config: Mapping[str, Any]) -> Settings:
    """Read and check the settings.

    Args:
        config: As Singer gives it: validated against the schema, defaults filled in.

    Raises:
        SettingsError: Names the setting and what it should be.
    """
    password = _secret(config, "password")
    private_key = _private_key(config)
    if not password and not private_key:
        raise SettingsError("No way to log in: set password, private_key or private_key_path.")
    return Settings(
        host=_required(config, "host"),
        port=config.get("port") or 22,
        username=_required(config, "username"),
        password=password,
        private_key=private_key,
        private_key_passphrase=_secret(config, "private_key_passphrase"),
        host_keys=_host_keys(config.get("host_key")),
        known_hosts_path=Path(path).expanduser() if (path := config.get("known_hosts_path")) else None,
        accept_any_host_key=config.get("insecure_accept_any_host_key", False),
        outbound_path=config.get("outbound_path") or "/outbound",
        templates=load_templates(config.get("templates")),
        min_age_seconds=config.get("min_age_seconds", 60),
        done_file_suffix=config.get("done_file_suffix") or "",
        start_epoch=_start_epoch(config.get("start_date")),
        lookback_days=config.get("lookback_days", 30),
        on_bad_row=config.get("on_bad_row", "quarantine"),
        max_file_bytes=config.get("max_file_bytes", 4 * 1024**3),
        max_field_bytes=config.get("max_field_bytes", 1024**2),
        max_unpacked_ratio=config.get("max_unpacked_ratio", 200),
        spool_dir=_spool_dir(config.get("spool_dir")),
    )


def _required(config: Mapping[str, Any], name: str) -> str:
    value = str(config.get(name) or "").strip()
    if not value:
        raise SettingsError(f"Setting {name} is missing.")
    return value


def _secret(config: Mapping[str, Any], name: str) -> str | None:
    value = config.get(name)
    return reveal(setting=name, value=value) if value else None


def _private_key(config: Mapping[str, Any]) -> str | None:
    text = _secret(config, "private_key")
    path = config.get("private_key_path")
    if text and path:
        raise SettingsError("Settings private_key and private_key_path are both set; keep one of them.")
    if path:
        try:
            text = Path(path).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"Setting private_key_path: {path} cannot be read: {error}.") from None
    # Environment variables often carry a PEM text with its line breaks written as \n.
    return text.replace("\\n", "\n") if text else None


def _host_keys(value: str | list[str] | None) -> tuple[str, ...]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            # A known_hosts line for another port than 22 begins with a bracket too: [host]:port
            # ssh-ed25519 AAAA..
            value = [str(value)]
    keys = [value] if isinstance(value, str) else (value or [])
    if not all(isinstance(key, str) for key in keys):
        raise SettingsError("Setting host_key must be a text or a list of texts.")
    return tuple(key.strip() for key in keys if key.strip())


def _start_epoch(value: str | None) -> int:
    if not value:
        return 0
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise SettingsError(
            f"Setting start_date is {value!r}; it must be an ISO date such as 2026-01-31."
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _spool_dir(value: str | None) -> Path:
    path = Path(value).expanduser() if value else Path(tempfile.gettempdir())
    if not path.is_dir():
        raise SettingsError(f"Setting spool_dir: {path} is no directory; make it, private to this user.")
    return path
