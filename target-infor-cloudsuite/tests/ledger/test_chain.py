"""One chain of events, however many write to it, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from target_infor_cloudsuite.ledger import events
from target_infor_cloudsuite.ledger.events import GENESIS, ChainEnd
from target_infor_cloudsuite.ledger.seal import AuditKeys

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from target_infor_cloudsuite.ledger import Ledger
    from target_infor_cloudsuite.ledger.documents import Hand

WRITERS, EACH = 5, 12


def test_many_writers_make_one_unbroken_chain(
    url: str, open_ledger: Callable[[str], Ledger], hand: Hand
) -> None:
    ledgers = [open_ledger(url) for _ in range(WRITERS)]

    def write(number: int) -> None:
        for turn in range(EACH):
            with ledgers[number].write() as tx:
                details = {"writer": number, "turn": turn, "amount": 0.1}
                events.record(tx, "first", at=hand.at, actor=f"writer {number}", details=details)
                events.record(tx, "second", at=hand.at, actor=f"writer {number}")

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    with ledgers[0].read() as tx:
        found = list(events.since(tx, 0))
        end = events.end_of_chain(tx)
        stored = [each.event for each in events.stored(tx)]
    assert [each.seq for each in found] == list(range(1, 2 * WRITERS * EACH + 1))
    assert [each.previous_hash for each in found] == [GENESIS, *(each.hash for each in found[:-1])]
    assert all(each.expected_hash(AuditKeys()) == each.hash for each in found)
    assert (end.seq, end.hash) == (found[-1].seq, found[-1].hash)
    assert stored == found
    # A transaction is never torn apart by another one.
    assert all(one.actor == two.actor for one, two in zip(found[::2], found[1::2], strict=True))


def test_events_are_read_in_pages(ledger: Ledger, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    with ledger.write() as tx:
        for number in range(10):
            events.record(tx, "noted", at=hand.at, actor="x", document_id=number % 2)
    monkeypatch.setattr(events, "_PAGE", 3)
    with ledger.read() as tx:
        assert [each.seq for each in events.since(tx, 0)] == list(range(1, 11))
        assert [each.seq for each in events.since(tx, 7)] == [8, 9, 10]
        assert [each.seq for each in events.stored(tx)] == list(range(1, 11))
        assert [each.seq for each in events.of_document(tx, 1)] == [2, 4, 6, 8, 10]
        assert events.at_number(tx, 99) is None


def test_a_new_ledger_has_an_empty_chain(ledger: Ledger) -> None:
    with ledger.read() as tx:
        assert events.end_of_chain(tx) == ChainEnd()
        assert list(events.since(tx, 0)) == []
