"""What a ledger forgets, and how far files reach, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from target_infor_cloudsuite.audit.purge import purge
from target_infor_cloudsuite.ledger import documents, events, identities, notices, retention
from target_infor_cloudsuite.ledger.documents import Hand

if TYPE_CHECKING:
    from target_infor_cloudsuite.ledger import Ledger


def test_old_records_and_events_go_and_what_they_were_known_by_stays(ledger: Ledger, hand: Hand) -> None:
    values = {"kind": "invoice", "status": "posted", "raw": {"a": 1}, "source_key": "k", "number": "N"}
    with ledger.write() as tx:
        documents.add(tx, hand=hand, values=values | {"delivery": "1"})
        identities.take(tx, "source:k", 1)
        events.record(tx, "noted", at=hand.at + timedelta(days=2), actor="x")
    later = Hand("Erika", hand.at + timedelta(days=3))
    with ledger.write() as tx:
        done = purge(tx, days=1, hand=later, why="retention")
        assert (done.raw_records, done.events, done.through) == (1, 1, 1)
        assert purge(tx, days=1, hand=later, why="again").raw_records == 0
    with ledger.read() as tx:
        document = documents.by_source_key(tx, "k")
        assert document is not None
        assert (document.raw, document.number) == (retention.PURGED, "N")
        assert [each.action for each in events.since(tx, 0)] == ["noted", "ledger.purged"]
        assert events.end_of_chain(tx).purged_seq == 1


def test_how_far_the_files_of_each_folder_reach(ledger: Ledger) -> None:
    with ledger.write() as tx:
        assert retention.exported_up_to(tx, "here:/a") == 0
        retention.exported(tx, "here:/a", 5)
        retention.exported(tx, "there:/a", 3)
        retention.exported(tx, "here:/a", 7)
        found = [retention.exported_up_to(tx, place) for place in ("here:/a", "there:/a", "copied:/a")]
    assert found == [7, 3, 3]


def test_what_people_were_told_is_kept_and_forgotten(ledger: Ledger, hand: Hand) -> None:
    with ledger.write() as tx:
        notices.tell(tx, ["a", "b"], at=hand.at)
        notices.tell(tx, ["a"], at=hand.at)
        notices.forget(tx, ["b", "unknown"])
        assert notices.told(tx) == {"a"}
        assert notices.last_received(tx) is None
