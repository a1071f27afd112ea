"""Documents: one row a delivery, one holder an identity, one worker a claim, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_infor_cloudsuite.ledger import claims, documents, identities, runs
from target_infor_cloudsuite.ledger.documents import ClaimLost, Hand, Worker
from target_infor_cloudsuite.ledger.states import IllegalMove, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_infor_cloudsuite.ledger import Ledger

LEASE = timedelta(seconds=120)


def add(ledger: Ledger, hand: Hand, number: str, **values: Any) -> int | None:
    row = {"kind": "invoice", "status": "received", "delivery": number, "number": number, "raw": {}}
    with ledger.write() as tx:
        return documents.add(tx, hand=hand, values=row | values)


def some(ledger: Ledger, hand: Hand, how_many: int) -> list[int]:
    return [each for number in range(how_many) if (each := add(ledger, hand, f"N{number}")) is not None]


def claim(
    ledger: Ledger, hand: Hand, name: str, *, limit: int = 100, later: timedelta = timedelta()
) -> list[Any]:
    now = hand.at + later
    with ledger.write() as tx:
        return claims.claim(
            tx,
            worker=Worker(name, now + LEASE),
            now=now,
            kind="invoice",
            statuses=(Status.RECEIVED,),
            limit=limit,
        )


def test_the_same_delivery_is_one_row(ledger: Ledger, hand: Hand) -> None:
    assert add(ledger, hand, "RE-1") is not None
    assert add(ledger, hand, "RE-1") is None
    with ledger.read() as tx:
        assert documents.count(tx) == 1


def test_the_same_delivery_by_several_at_once_is_one_row(
    url: str, open_ledger: Callable[[str], Ledger], hand: Hand
) -> None:
    ledgers = [open_ledger(url) for _ in range(4)]

    def receive(ledger: Ledger) -> int:
        return sum(add(ledger, hand, f"N{number}") is not None for number in range(15))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(receive, ledgers)) == 15
    with ledgers[0].read() as tx:
        assert documents.count(tx) == 15


def test_an_identity_has_one_holder_whoever_asks_at_once(
    url: str, open_ledger: Callable[[str], Ledger], hand: Hand
) -> None:
    ledgers = [open_ledger(url) for _ in range(4)]
    ids = some(ledgers[0], hand, 4)

    def take(number: int) -> list[int]:
        holders = []
        for key in range(10):
            with ledgers[number].write() as tx:
                holders.append(identities.take(tx, f"m3:{key}", ids[number]))
        return holders

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(take, range(4)))
    assert all(answer == answers[0] for answer in answers)
    with ledgers[0].write() as tx:
        identities.release_m3(tx, answers[0][0])
        assert identities.holder(tx, "m3:0") is None


def test_no_document_is_claimed_by_two(url: str, open_ledger: Callable[[str], Ledger], hand: Hand) -> None:
    ledgers = [open_ledger(url) for _ in range(4)]
    ids = some(ledgers[0], hand, 40)

    def work(number: int) -> list[int]:
        mine: list[int] = []
        for _ in range(5):
            with ledgers[number].write() as tx:
                found = claims.claim(
                    tx,
                    worker=Worker(f"worker {number}", hand.at + LEASE),
                    now=hand.at,
                    kind="invoice",
                    statuses=(Status.RECEIVED,),
                    limit=3,
                    unresolved_in=f"run {number}",
                )
                for each in found:
                    documents.set_values(tx, each.id, resolved_run=f"run {number}")
                mine += [each.id for each in found]
        return mine

    with ThreadPoolExecutor(4) as pool:
        claimed = [each for mine in pool.map(work, range(4)) for each in mine]
    assert len(claimed) == len(set(claimed))
    assert set(claimed) == set(ids)


def test_a_claim_is_taken_over_only_when_its_lease_has_ended(ledger: Ledger, hand: Hand) -> None:
    some(ledger, hand, 1)
    (mine,) = claim(ledger, hand, "a")
    assert claim(ledger, hand, "b", later=LEASE) == []
    with ledger.write() as tx:
        claims.renew(tx, Worker("a", hand.at + 3 * LEASE))
    assert claim(ledger, hand, "b", later=2 * LEASE) == []
    (theirs,) = claim(ledger, hand, "b", later=4 * LEASE)
    assert theirs.claim_token > mine.claim_token
    with pytest.raises(ClaimLost), ledger.write() as tx:
        documents.move(tx, mine, Status.READY, hand=hand, worker=Worker("a", hand.at))
    with pytest.raises(ClaimLost), ledger.write() as tx:
        documents.note_progress(tx, mine, hand=hand, worker=Worker("a", hand.at), inbn="1")
    with ledger.write() as tx:
        documents.move(tx, theirs, Status.READY, hand=hand, worker=Worker("b", hand.at))
        claims.release(tx, "b")
        assert claims.claimants(tx) == []


def test_progress_of_what_a_newer_revision_has_replaced_meanwhile_is_refused(
    ledger: Ledger, hand: Hand
) -> None:
    """Intake supersedes what waits without a claim; the worker that resolves it must notice."""
    some(ledger, hand, 1)
    (mine,) = claim(ledger, hand, "a")
    with ledger.write() as tx:
        documents.move(tx, mine, Status.SUPERSEDED, hand=hand)
    with pytest.raises(ClaimLost), ledger.write() as tx:
        documents.note_progress(tx, mine, hand=hand, worker=Worker("a", hand.at), notes=["held as before"])


def test_a_status_that_may_not_follow_is_a_defect(ledger: Ledger, hand: Hand) -> None:
    some(ledger, hand, 1)
    with ledger.read() as tx:
        document = documents.find(tx)[0]
    with pytest.raises(IllegalMove), ledger.write() as tx:
        documents.move(tx, document, Status.POSTED, hand=hand)


def test_totals_are_exact_beyond_what_the_database_can_add(ledger: Ledger, hand: Hand) -> None:
    large = Decimal("99999999999999.9999")
    for number in range(30):
        add(ledger, hand, f"L{number}", amount=large, currency="EUR")
    add(ledger, hand, "C1", amount=Decimal("-0.0001"), currency="EUR")
    add(ledger, hand, "J1", amount=Decimal(128000), currency="JPY")
    add(ledger, hand, "X1", amount=Decimal("7.5"), currency="???")
    add(ledger, hand, "N1", kind="payment")
    with ledger.read() as tx:
        found = runs.totals(tx)
        own = runs.totals(tx, run_id="another run")
    amounts = {"???": "7.50", "EUR": f"{30 * large - Decimal('0.0001'):f}", "JPY": "128000"}
    assert found["invoice"] == {"received": {"count": 33, "amounts": amounts}}
    assert found["payment"] == {"received": {"count": 1, "amounts": {}}}
    assert own == {"invoice": {}, "payment": {}}


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("121", "EUR", "121.00"),
        ("128000.0000", "JPY", "128000"),
        ("0.125", "KWD", "0.125"),
        ("0.1250", "EUR", "0.125"),
        ("1.5", "JPY", "1.5"),
        ("-59.5", "", "-59.50"),
        ("1E+3", "USD", "1000.00"),
        ("0", "EUR", "0.00"),
    ],
)
def test_an_amount_is_shown_with_its_currencys_decimals(amount: str, currency: str, shown: str) -> None:
    assert runs.plain_amount(Decimal(amount), currency) == shown


def test_the_last_run_and_what_waits_longest(ledger: Ledger, hand: Hand) -> None:
    with ledger.read() as tx:
        assert runs.last(tx) is None
        assert runs.oldest_review(tx) is None
    with ledger.write() as tx:
        runs.begin(tx, "r1", worker="w", at=hand.at)
        runs.begin(tx, "r2", worker="w", at=hand.at + LEASE)
        runs.end(tx, "r2", at=hand.at + 2 * LEASE, outcome="ended", requests=7, throttled=1)
    add(ledger, hand, "R1", status="review")
    add(ledger, Hand("x", hand.at + LEASE), "R2", status="review")
    with ledger.read() as tx:
        assert runs.last(tx) == {
            "run_id": "r2",
            "started_at": "2026-11-22T12:02:00.000000+00:00",
            "ended_at": "2026-11-22T12:04:00.000000+00:00",
            "outcome": "ended",
            "requests": 7,
            "throttled": 1,
        }
        assert runs.oldest_review(tx) == "2026-11-22T12:00:00.000000+00:00"
