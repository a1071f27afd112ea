"""STATE and ledger belong together: a lost ledger must not look like a new one.

A tap whose STATE has passed a file will not send its documents again. When the ledger that took them is gone,
a new one would never hear of those that waited. So a ledger that is new, or has refused STATE before, takes
only STATE whose files it has seen.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from target_infor_cloudsuite.ledger import events, reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Hand

_REFUSED, _ACCEPTED = "state.refused", "state.accepted"
_PRINT_BYTES = 8
_HEX_LENGTH = 2 * _PRINT_BYTES
#: What is said of a file that STATE remembers without its name.
_NAMELESS: Final = "an old one"


def is_on_guard(tx: Tx) -> bool:
    """Whether the ledger is new, or has refused STATE and not been reconciled with it since."""
    return reference.never_received(tx) or events.last_of(tx, (_REFUSED, _ACCEPTED)) == _REFUSED


@dataclass(frozen=True, slots=True)
class Passed:
    """The files that STATE has passed: by their paths, and by the tap's fingerprints of old ones."""

    named: frozenset[str]
    nameless: frozenset[bytes]

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.named or self.nameless)


def passed_files(state: Mapping[str, Any]) -> Passed:
    """What the value of a STATE message tells; none where it is not in the shape of tap-stampli-sftp's."""
    bookmarks = [each for each in _mapping(state.get("bookmarks")).values() if isinstance(each, dict)]
    # What the tap passed over for its content was never sent by that name.
    named = (
        path
        for each in bookmarks
        for path, entry in _mapping(each.get("files")).items()
        if "same_as" not in _mapping(entry)
    )
    nameless = (print_ for each in bookmarks for print_ in _prints(each.get("old")))
    return Passed(frozenset(named), frozenset(nameless))


def unknown_files(tx: Tx, passed: Passed) -> list[str]:
    """Those of which this ledger never heard: paths, then nameless ones."""
    found = sorted(passed.named - reference.files_seen(tx)) if passed.named else []
    nameless = passed.nameless
    if nameless:
        nameless -= {_print_of(counts) for counts in reference.counted_files(tx)}
    return found + [_NAMELESS] * len(nameless)


def note(tx: Tx, unknown: list[str], *, hand: Hand) -> None:
    """Write down that STATE was refused, or fits again after it was."""
    if unknown:
        action, details = _REFUSED, {"files": len(unknown), "first": unknown[0]}
    elif events.last_of(tx, (_REFUSED, _ACCEPTED)) == _REFUSED:
        action, details = _ACCEPTED, {}
    else:
        return
    events.record(tx, action, at=hand.at, actor=hand.actor, run_id=hand.run_id, details=details)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _prints(old: Any) -> Iterator[bytes]:
    """The tap's fingerprints of files beyond its look-back window: base64 of many, or each in hex."""
    for text in old if isinstance(old, list) else ():
        try:
            packed = bytes.fromhex(text) if len(text) == _HEX_LENGTH else base64.b64decode(text)
        except (TypeError, ValueError, binascii.Error):
            packed = repr(text).encode()[:_PRINT_BYTES]  # unreadable, and so unknown
        for at in range(0, len(packed), _PRINT_BYTES):
            yield packed[at : at + _PRINT_BYTES]


def _print_of(counts: Mapping[str, Any]) -> bytes:
    """The fingerprint of a counted file, as the tap makes it of path, size and mtime."""
    try:
        mtime = int(datetime.fromisoformat(counts["mtime"]).timestamp())
        path = str(counts["_sdc_source_file"]).partition("!")[0]
        told = f"{path}\0{int(counts['size'])}\0{mtime}"
    except (KeyError, TypeError, ValueError):
        return b""
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()[:_PRINT_BYTES]
