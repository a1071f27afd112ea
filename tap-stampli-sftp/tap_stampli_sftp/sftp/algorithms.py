"""Which algorithms the SSH connection may use: today's by themselves, those of old servers by a setting."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncssh.encryption import get_default_encryption_algs, get_encryption_algs
from asyncssh.kex import get_default_kex_algs, get_kex_algs
from asyncssh.mac import get_default_mac_algs, get_mac_algs
from asyncssh.public_key import get_default_public_key_algs, get_public_key_algs

from tap_stampli_sftp.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# SHA-1, MD5, short RSA, and Kerberos, which this tap has no settings for.
_WEAK = re.compile(r"gss-|sha1|md5|^ssh-rsa|^ssh-dss$|rsa1024|umac-64|^sk-|^webauthn-")


@dataclass(frozen=True, slots=True)
class Algorithms:
    """Names as OpenSSH writes them, the preferred ones first.

    Args:
        kex: Key exchange.
        ciphers: Encryption.
        macs: Message authentication.
        keys: Host keys, and the signatures of our own key.
    """

    kex: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]
    keys: tuple[str, ...]


def algorithms(extra: Sequence[str] = ()) -> Algorithms:
    """Today's algorithms, and behind them the extra ones.

    Args:
        extra: Names of any kind: key exchange, cipher, MAC, host key or signature.

    Raises:
        SettingsError: A name is not known.
    """
    kinds = (
        _kind(get_default_kex_algs, get_kex_algs, extra),
        _kind(get_default_encryption_algs, get_encryption_algs, extra),
        _kind(get_default_mac_algs, get_mac_algs, extra),
        _kind(get_default_public_key_algs, get_public_key_algs, extra),
    )
    known = {name for _, available in kinds for name in available}
    if unknown := [name for name in extra if name not in known]:
        weak = sorted(name for name in known if _WEAK.search(name) or name.endswith("-cbc"))
        raise SettingsError(
            f"Setting extra_algorithms names {unknown[0]!r}, which is not known. What old servers may need: "
            f"{', '.join(name for name in weak if not name.startswith(('gss-', 'sk-', 'webauthn-')))}."
        )
    kex, ciphers, macs, keys = (chosen for chosen, _ in kinds)
    # AES-GCM needs no MAC besides and is the fastest here.
    ciphers = tuple(sorted(ciphers, key=lambda name: "gcm" not in name))
    # Ed25519 before ECDSA before RSA, as OpenSSH's own client asks for a server's keys.
    keys = tuple(sorted(keys, key=lambda name: (name != "ssh-ed25519", "ecdsa" not in name)))
    return Algorithms(kex=kex, ciphers=ciphers, macs=macs, keys=keys)


def _kind(
    preferred: Callable[[], list[bytes]], available: Callable[[], list[bytes]], extra: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of one kind: the names to offer, and all that there are."""
    every = tuple(name.decode() for name in available())
    chosen = [name for name in (item.decode() for item in preferred()) if not _WEAK.search(name)]
    chosen += [name for name in extra if name in every and name not in chosen]
    return tuple(chosen), every
