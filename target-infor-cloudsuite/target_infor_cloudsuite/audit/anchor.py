"""The anchor: where the chain ended, written by every run in a second place.

Somebody who rewrites ledger and audit files alike makes a chain that agrees with itself. It does not agree
with what another account, another machine or a bucket that forgets nothing was told when it happened. An
anchor is a small file of its own, named by the number and hash of the chain's last event.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import fsspec  # type: ignore[import-untyped]  # it has no types

from target_infor_cloudsuite.audit.files import AuditError
from target_infor_cloudsuite.ledger import events
from target_infor_cloudsuite.ledger.types import utc_text

if TYPE_CHECKING:
    from datetime import datetime

    from target_infor_cloudsuite.ledger import Ledger

_NAME = re.compile(r"(\d{12,})-([0-9a-f]{64})\.json")


class Anchor:
    """The second place: a directory, or anything that fsspec knows as one (``s3://bucket/folder``)."""

    def __init__(self, url: str) -> None:
        self._url = url

    def write(self, ledger: Ledger, *, at: datetime) -> None:
        """Write where the chain ends now.

        Raises:
            AuditError: It cannot be written there, or what stands there is not this ledger's past.
        """
        with ledger.read() as tx:
            end = events.end_of_chain(tx)
            newest = max(self.written(), default=None)
            if newest is not None and newest[0] > end.purged_seq:
                known = events.at_number(tx, newest[0])
                if known is None or known.hash != newest[1]:
                    raise AuditError(
                        f"The newest anchor in {self._url} is event {newest[0]}, which this ledger does not "
                        "have so: the ledger was changed or restored, or it is another ledger's anchor. "
                        "Nothing was added there. Run `cloudsuite-ap audit verify`."
                    )
        if not end.seq or newest == (end.seq, end.hash):
            return
        content = {"seq": end.seq, "hash": end.hash, "key_id": end.key_id, "at": utc_text(at)}
        try:
            system, folder = fsspec.url_to_fs(self._url, auto_mkdir=True)
            path = f"{folder}/{end.seq:012d}-{end.hash}.json"
            system.pipe_file(path, json.dumps(content).encode() + b"\n")
        except Exception as fault:  # each of fsspec's file systems has faults of its own
            raise self._unusable("written", fault) from fault

    def written(self) -> set[tuple[int, str]]:
        """Number and hash of every anchor that stands there.

        Raises:
            AuditError: The place cannot be read.
        """
        try:
            system, folder = fsspec.url_to_fs(self._url)
            system.invalidate_cache()
            names = [path.rpartition("/")[2] for path in system.ls(folder, detail=False)]
        except FileNotFoundError:
            return set()
        except Exception as fault:  # as in write
            raise self._unusable("read", fault) from fault
        return {(int(found[1]), found[2]) for found in map(_NAME.fullmatch, names) if found}

    def _unusable(self, what: str, fault: Exception) -> AuditError:
        return AuditError(
            f"The audit's anchor in {self._url} cannot be {what}: {type(fault).__name__}: {fault}. The "
            "events are safe in the ledger. Check audit_anchor, and the right and the room to write there."
        )
