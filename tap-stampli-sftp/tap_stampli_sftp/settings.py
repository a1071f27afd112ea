"""Reading and checking the tap's settings. Their schema is in ``settings_schema``."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tap_stampli_sftp.confidential import hide
from tap_stampli_sftp.encrypted import reveal
from tap_stampli_sftp.errors import SettingsError
from tap_stampli_sftp.pgp import PgpKeys
from tap_stampli_sftp.templates import load_templates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_stampli_sftp.fields import StreamName
    from tap_stampli_sftp.templates import Template


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
    extra_algorithms: tuple[str, ...]
    timeout_seconds: int
    keepalive_seconds: int
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
    pgp: PgpKeys


def load_settings(config: Mapping[str, Any]) -> Settings:
    """Read and check the settings.

    Args:
        config: As Singer gives it: validated against the schema, defaults filled in.

    Raises:
        SettingsError: Names the setting and what it should be.
    """
    password = _secret(config, "password")
    private_key = _key_text(config, "private_key")
    if not password and not private_key:
        raise SettingsError("No way to log in: set password, private_key or private_key_path.")
    return Settings(
        host=_required(config, "host"),
        port=config.get("port") or 22,
        username=_required(config, "username"),
        password=password,
        private_key=private_key,
        private_key_passphrase=_secret(config, "private_key_passphrase"),
        host_keys=_texts(config.get("host_key"), setting="host_key"),
        known_hosts_path=Path(path).expanduser() if (path := config.get("known_hosts_path")) else None,
        accept_any_host_key=config.get("insecure_accept_any_host_key", False),
        extra_algorithms=tuple(
            name.strip()
            for text in _texts(config.get("extra_algorithms"), setting="extra_algorithms")
            for name in text.split(",")
            if name.strip()
        ),
        timeout_seconds=config.get("timeout_seconds", 60),
        keepalive_seconds=config.get("keepalive_seconds", 15),
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
        pgp=PgpKeys(
            private_key=_key_text(config, "pgp_private_key") or "",
            passphrase=_secret(config, "pgp_passphrase") or "",
            signers=_signers(config.get("pgp_signer_fingerprint")),
        ),
    )


def _required(config: Mapping[str, Any], name: str) -> str:
    value = str(config.get(name) or "").strip()
    if not value:
        raise SettingsError(f"Setting {name} is missing.")
    return value


def _secret(config: Mapping[str, Any], name: str) -> str | None:
    value = config.get(name)
    plain = reveal(setting=name, value=value) if value else None
    hide(plain)
    return plain


def _key_text(config: Mapping[str, Any], name: str) -> str | None:
    """A key, given as text or as a file."""
    text = _secret(config, name)
    path = config.get(f"{name}_path")
    if text and path:
        raise SettingsError(f"Settings {name} and {name}_path are both set; keep one of them.")
    if path:
        try:
            text = Path(path).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"Setting {name}_path: {path} cannot be read: {error}.") from None
    # Environment variables often carry a PEM text with its line breaks written as \n.
    text = text.replace("\\n", "\n") if text else None
    hide(text)
    return text


def _signers(value: str | None) -> frozenset[str]:
    found = frozenset(part.replace(" ", "").upper() for part in (value or "").split(",") if part.strip())
    for fingerprint in found:
        if not re.fullmatch(r"[0-9A-F]{40}", fingerprint):
            raise SettingsError(
                f"Setting pgp_signer_fingerprint: {fingerprint!r} is no OpenPGP fingerprint (40 hex digits)."
            )
    return found


def _texts(value: str | list[str] | None, *, setting: str) -> tuple[str, ...]:
    """One text or a list of them, which may be JSON text."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            # A known_hosts line for another port than 22 begins with a bracket too: [host]:port
            # ssh-ed25519 AAAA..
            value = [str(value)]
    texts = [value] if isinstance(value, str) else (value or [])
    if not all(isinstance(text, str) for text in texts):
        raise SettingsError(f"Setting {setting} must be a text or a list of texts.")
    return tuple(text.strip() for text in texts if text.strip())


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
