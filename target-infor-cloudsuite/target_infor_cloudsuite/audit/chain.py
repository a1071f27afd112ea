"""What is wrong with the chain of events in itself: its hashes, its order, its key, its anchors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_infor_cloudsuite.ledger.events import ChainEnd, Event, StoredEvent
    from target_infor_cloudsuite.ledger.seal import AuditKeys


class Chain:
    """Takes the ledger's events one by one, oldest first.

    Args:
        end: Where the ledger says its chain ends, and where a purge let it begin.
        keys: The keys that were given.
        anchors: Number and hash of what the second place was told.
        anchored: Whether there is a second place.
    """

    def __init__(
        self, end: ChainEnd, keys: AuditKeys, anchors: set[tuple[int, str]], *, anchored: bool
    ) -> None:
        self._end, self._keys = end, keys
        self._seq, self._hash, self._key = end.purged_seq, end.purged_hash, ""
        self._purges: list[object] = []
        self._unknown_keys: dict[str, int] = {}
        self._anchors = dict[int, set[str]]()
        for seq, digest in anchors:
            self._anchors.setdefault(seq, set()).add(digest)
        self._lacks_anchor = anchored and not anchors
        self._problems: list[str] = []

    def check(self, row: StoredEvent) -> None:
        """Take the next event."""
        if row.seq != self._seq + 1:
            missing = range_(self._seq + 1, row.seq - 1) if row.seq > self._seq + 1 else "none"
            self._problems.append(f"Ledger: event {row.seq} follows event {self._seq}; missing: {missing}.")
        if row.previous_hash != self._hash:
            self._problems.append(f"Ledger: event {row.seq} does not follow the event before it.")
        if row.event is None:
            self._problems.append(f"Ledger: event {row.seq} was changed after it was written.")
        else:
            self._check_seal(row.event)
            if row.event.action == "ledger.purged":
                self._purges.append((row.event.details.get("through"), row.event.details.get("hash")))
        if any(digest != row.hash for digest in self._anchors.pop(row.seq, ())):
            self._problems.append(f"Anchor: event {row.seq} is another one than the anchor was told.")
        self._seq, self._hash = row.seq, row.hash

    def _check_seal(self, event: Event) -> None:
        expected = event.expected_hash(self._keys)
        if expected is None:
            self._unknown_keys.setdefault(event.key_id, event.seq)
        elif expected != event.hash:
            self._problems.append(f"Ledger: event {event.seq} was changed after it was written.")
        if self._key and not event.key_id:
            self._problems.append(
                f"Ledger: event {event.seq} carries no seal, though the one before it does."
            )
        self._key = event.key_id

    def problems(self) -> Iterator[str]:
        """All that was found, after the last event."""
        yield from self._problems
        end = self._end
        if (end.seq, end.hash) != (self._seq, self._hash):
            yield (
                f"Ledger: the chain ends at event {self._seq}, but should end at event {end.seq}: events at "
                "its end were removed, added or changed."
            )
        if end.purged_seq and (end.purged_seq, end.purged_hash) not in self._purges:
            yield (
                f"Ledger: the chain begins behind event {end.purged_seq}, but no event says that what was "
                "before it was purged: it was removed."
            )
        for key, seq in self._unknown_keys.items():
            yield (
                f"Ledger: events from {seq} on are sealed with the key {key}, which audit_key lacks: nobody "
                "can say whether they were changed. Give that key, too."
            )
        if self._keys.current and self._seq and not self._key:
            yield (
                "Ledger: the newest event is not sealed, though audit_key is set. Where it was set only now, "
                "the next run seals what stands here; otherwise somebody wrote the chain anew without it."
            )
        yield from self._about_anchors()

    def _about_anchors(self) -> Iterator[str]:
        for seq in sorted(self._anchors):
            if seq > self._end.purged_seq:
                yield f"Anchor: event {seq} was there once, and is not in the ledger any more."
            elif seq == self._end.purged_seq and self._anchors[seq] != {self._end.purged_hash}:
                yield f"Anchor: event {seq}, the last that was purged, was another one."
        if self._lacks_anchor and self._seq:
            yield (
                "Anchor: there is none in audit_anchor. Where that was set only now, the next run writes "
                "one; otherwise they were removed."
            )


def range_(first: int, last: int) -> str:
    """Consecutive events in words."""
    return f"event {first}" if first == last else f"events {first} to {last}"
