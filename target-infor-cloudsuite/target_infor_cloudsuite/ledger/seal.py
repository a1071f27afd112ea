"""The seal of an event: SHA-256 for everybody to check, HMAC-SHA256 once there is a key.

A hash alone shows that something was changed by somebody who did not know how the hashes are made. Whoever
can rewrite ledger and files can make new hashes as well; without the key they cannot make seals.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

_LEAST_LENGTH = 32
_ID_LENGTH = 12


@dataclass(frozen=True, slots=True)
class AuditKeys:
    """The keys of a chain, newest first: the first seals, each checks. Empty: events carry plain hashes."""

    by_id: dict[str, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, text: str) -> AuditKeys:
        """Read keys separated by commas or white space.

        Raises:
            ValueError: One is too short to be a secret; the text does not repeat it.
        """
        keys = text.replace(",", " ").split()
        if any(len(key) < _LEAST_LENGTH for key in keys):
            raise ValueError(f"a key of the audit has to have at least {_LEAST_LENGTH} characters")
        return cls({key_id(key.encode()): key.encode() for key in keys})

    @property
    def current(self) -> str:
        """The id of the key that seals; blank without keys."""
        return next(iter(self.by_id), "")

    def seal(self, text: str, key: str) -> str | None:
        """The seal of a text under the key with this id (blank: the plain hash); None for an unknown key."""
        if not key:
            return hashlib.sha256(text.encode()).hexdigest()
        secret = self.by_id.get(key)
        return None if secret is None else hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def key_id(key: bytes) -> str:
    """What names a key without telling it: it stands in every event that the key seals."""
    return hashlib.sha256(b"audit key id\0" + key).hexdigest()[:_ID_LENGTH]
