"""Which host keys of the server are accepted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import paramiko
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

from tap_stampli_sftp.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")


@dataclass(frozen=True, slots=True)
class HostKeyRule:
    """The pinned keys of one server.

    Args:
        fingerprints: ``SHA256:..`` texts without padding.
        keys: (key type, base64) of known_hosts lines for this server.
        any_key: The operator chose to accept any key.
    """

    fingerprints: frozenset[str]
    keys: frozenset[tuple[str, str]]
    any_key: bool

    def accepts(self, key: paramiko.PKey) -> bool:
        """Whether the key that the server showed is pinned."""
        return (
            self.any_key
            or key.fingerprint in self.fingerprints
            or (key.get_name(), key.get_base64()) in self.keys
        )

    def algorithms(self, offered: Sequence[str]) -> list[str]:
        """Of the host key algorithms we could ask for, those whose key may be a pinned one."""
        if self.any_key or self.fingerprints:
            return list(offered)
        names = {name for name, _ in self.keys}
        return [algorithm for algorithm in offered if family(algorithm) in names]


def family(algorithm: str) -> str:
    """The key type behind a signature algorithm: rsa-sha2-512 signs with an ssh-rsa key."""
    return "ssh-rsa" if algorithm.startswith("rsa-sha2") else algorithm


def load_rule(
    *, host: str, port: int, pinned: Sequence[str], known_hosts_path: Path | None, any_key: bool
) -> HostKeyRule:
    """Read the settings ``host_key`` and ``known_hosts_path`` for one server.

    Raises:
        SettingsError: A pinned key is neither a fingerprint nor a known_hosts line, or the file cannot be
        read.
    """
    fingerprints = set()
    keys = set()
    for text in pinned:
        if _FINGERPRINT.fullmatch(text):
            fingerprints.add(text.rstrip("="))
            continue
        entry = _entry(text)
        if entry is None:
            raise SettingsError(
                f"Setting host_key: {text[:60]!r} is neither a SHA256:.. fingerprint nor a known_hosts line "
                "(host, key type, base64 key)."
            )
        keys.add((entry.get_name(), entry.get_base64()))
    if known_hosts_path is not None:
        keys |= _from_file(path=known_hosts_path, host=host, port=port)
    return HostKeyRule(fingerprints=frozenset(fingerprints), keys=frozenset(keys), any_key=any_key)


def _entry(line: str) -> paramiko.PKey | None:
    try:
        entry = HostKeyEntry.from_line(line)
    except (InvalidHostKey, paramiko.SSHException, ValueError):
        return None
    return entry.key if entry else None


def _from_file(*, path: Path, host: str, port: int) -> set[tuple[str, str]]:
    entries = paramiko.HostKeys()
    try:
        entries.load(str(path))
    except OSError as error:
        raise SettingsError(f"Setting known_hosts_path: {path} cannot be read: {error.strerror}.") from None
    except (InvalidHostKey, UnicodeDecodeError) as error:
        raise SettingsError(
            f"Setting known_hosts_path: {path} has a line that is no host key: {error}."
        ) from None
    # OpenSSH writes the port only when it is not 22.
    found: Mapping[str, paramiko.PKey] = (
        entries.lookup(host if port == paramiko.config.SSH_PORT else f"[{host}]:{port}") or {}
    )
    if not found:
        raise SettingsError(
            f"Setting known_hosts_path: {path} has no key for {host}, port {port}. Add it, or set host_key."
        )
    return {(key.get_name(), key.get_base64()) for key in found.values()}
