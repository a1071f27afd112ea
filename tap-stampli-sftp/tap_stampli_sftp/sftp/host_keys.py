"""Which host keys of the server are accepted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncssh

from tap_stampli_sftp.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")


@dataclass(frozen=True, slots=True)
class HostKeyRule:
    """The pinned keys of one server.

    Args:
        fingerprints: ``SHA256:..`` texts without padding.
        keys: (key type, key data) of known_hosts lines for this server.
        any_key: The operator chose to accept any key.
        revoked: Key data of keys that the known_hosts file marks ``@revoked``.
    """

    fingerprints: frozenset[str]
    keys: frozenset[tuple[str, bytes]]
    any_key: bool
    revoked: frozenset[bytes] = frozenset()

    def accepts(self, key: asyncssh.SSHKey) -> bool:
        """Whether the key that the server showed is pinned."""
        return key.public_data not in self.revoked and (
            self.any_key or key.get_fingerprint() in self.fingerprints or _named(key) in self.keys
        )

    def algorithms(self, offered: Sequence[str]) -> list[str]:
        """Of the host key algorithms we could ask for, those whose key may be a pinned one."""
        if self.any_key or self.fingerprints:
            return list(offered)
        names = {name for name, _ in self.keys}
        return [algorithm for algorithm in offered if family(algorithm) in names]


def family(algorithm: str) -> str:
    """The key type behind a signature algorithm: rsa-sha2-512 signs with an ssh-rsa key."""
    return "ssh-rsa" if algorithm.startswith(("rsa-sha2", "ssh-rsa")) else algorithm


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
    revoked: frozenset[bytes] = frozenset()
    for text in pinned:
        if _FINGERPRINT.fullmatch(text):
            fingerprints.add(text.rstrip("="))
            continue
        key = _of_line(text)
        if key is None:
            raise SettingsError(
                f"Setting host_key: {text[:60]!r} is neither a SHA256:.. fingerprint nor a known_hosts line "
                "(host, key type, base64 key)."
            )
        keys.add(_named(key))
    if known_hosts_path is not None:
        found, revoked = _from_file(path=known_hosts_path, host=host, port=port)
        keys |= found
    return HostKeyRule(
        fingerprints=frozenset(fingerprints), keys=frozenset(keys), any_key=any_key, revoked=revoked
    )


def _named(key: asyncssh.SSHKey) -> tuple[str, bytes]:
    return key.get_algorithm(), key.public_data


def _of_line(line: str) -> asyncssh.SSHKey | None:
    """The key of a known_hosts line: host, key type, base64, perhaps a comment."""
    parts = line.split()
    if len(parts) < 3:  # noqa: PLR2004  # as above
        return None
    try:
        return asyncssh.import_public_key(" ".join(parts[1:3]))
    except asyncssh.KeyImportError:
        return None


def _from_file(*, path: Path, host: str, port: int) -> tuple[frozenset[tuple[str, bytes]], frozenset[bytes]]:
    try:
        entries = asyncssh.read_known_hosts(str(path))
    except OSError as error:
        raise SettingsError(f"Setting known_hosts_path: {path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise SettingsError(
            f"Setting known_hosts_path: {path} has a line that is no host key: {error}."
        ) from None
    # OpenSSH writes the port only when it is not 22.
    found = asyncssh.match_known_hosts(entries, host, "", None if port == asyncssh.DEFAULT_PORT else port)
    keys, revoked = found[0], found[2]
    if not keys:
        raise SettingsError(
            f"Setting known_hosts_path: {path} has no key for {host}, port {port}. Add it, or set host_key."
        )
    return frozenset(map(_named, keys)), frozenset(key.public_data for key in revoked)
