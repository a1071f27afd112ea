"""Which algorithms the SSH connection may use: today's by themselves, older ones by a setting."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tap_stampli_sftp.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paramiko.transport import SecurityOptions

# CBC is open to padding oracles, SHA-1 and MD5 are broken, 3DES is short.
_OLD = re.compile(r"-cbc$|sha1|md5|^ssh-rsa$")
_KINDS = ("kex", "ciphers", "digests", "key_types")


def choose(options: SecurityOptions, extra: Sequence[str]) -> None:
    """Leave today's algorithms, and behind them the extra ones.

    Args:
        options: Of a connection that is not yet begun; all that paramiko has stands in them.
        extra: Names of any kind, as OpenSSH writes them.

    Raises:
        SettingsError: paramiko has no algorithm of a name.
    """
    wanted = set(extra)
    all_names = [name for kind in _KINDS for name in getattr(options, kind)]
    if unknown := sorted(wanted - set(all_names)):
        raise SettingsError(
            f"Setting extra_algorithms names {unknown[0]!r}; what can be added: {old_ones(options)}."
        )
    for kind in _KINDS:
        names = [name for name in getattr(options, kind) if name in wanted or not _OLD.search(name)]
        # Today's first; AES-GCM before all, as it needs no MAC besides, which halves the work.
        names.sort(key=lambda name: ("gcm" not in name, name in wanted))
        setattr(options, kind, names)


def old_ones(options: SecurityOptions) -> str:
    """What ``extra_algorithms`` may name, for messages."""
    names = [name for kind in _KINDS for name in getattr(options, kind)]
    return ", ".join(sorted(filter(_OLD.search, names)))
