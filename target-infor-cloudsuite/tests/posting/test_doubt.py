"""What settles a doubt: our own correlation id, the settle time, and a second look."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update
from target_infor_cloudsuite.ion.answers import Transaction
from target_infor_cloudsuite.ion.errors import IonError
from target_infor_cloudsuite.ledger import attempts, claims
from target_infor_cloudsuite.ledger.tables import documents
from target_infor_cloudsuite.posting import answered
from target_infor_cloudsuite.setup import open_gateway

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_infor_cloudsuite.ledger.attempts import Attempt
    from tests.posting.rig import Rig, invoice, line, payment
else:
    from posting_rig import invoice, line, payment


def test_a_batch_of_somebody_else_is_never_taken_for_ours(rig_for: Callable[..., Rig]) -> None:
    """While our AddHead is in doubt, somebody enters the same number in M3 by hand."""
    rig, elsewhere = rig_for("aps450"), rig_for("aps450")
    ours = invoice(line("100"))
    theirs = invoice(line("70"), number=ours["invoice_number"])
    elsewhere.account("6996")
    elsewhere.run()

    def enter() -> None:
        rig.time.on_sleep = lambda: None
        elsewhere.run(theirs)

    rig.time.on_sleep = enter
    rig.sandbox.fault("status", "", "AddHead", status=503, record={"SINO": ours["invoice_number"]})
    rig.run(ours)
    held = rig.in_m3(ours)
    assert [each["amount"] for each in held] == ["83.30"]
    assert rig.document(ours).inbn != str(held[0]["inbn"])
    assert rig.document(ours).status != "posted"


def test_a_write_that_m3_does_after_the_first_look_is_not_sent_again(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for("aps100")
    late = invoice()
    sleeps = 0

    def wait() -> None:
        nonlocal sleeps
        sleeps += 1
        deadline = time.monotonic() + 10
        while sleeps > 1 and not rig.staged(late):
            assert time.monotonic() < deadline, "the late work was never done"

    rig.time.on_sleep = wait
    rig.sandbox.fault("work_after_answer", "", "AddHead", delay_ms=500)
    rig.run(late)
    assert rig.sandbox.sent("AddHead", SINO=late["invoice_number"]) == 1
    assert rig.is_whole(late)
    assert rig.doubts() == ["adopted"]


@pytest.mark.parametrize(
    ("tenant", "transaction"), [("aps100", "AddHead"), ("aps450", "AddHead"), ("aps450", "ValidByBatchNo")]
)
def test_an_answer_that_came_when_the_document_was_no_longer_ours_is_asked_for(
    rig_for: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch, tenant: str, transaction: str
) -> None:
    """A worker stood still: its answer is written down, what follows from it is another worker's to say."""
    rig = rig_for(tenant)
    bill = invoice(line("10"), line("20", account="6600"))
    record = answered.record

    def then_lose_it(context: Any, tx: Any, program: str, ended: Any) -> None:
        record(context, tx, program, ended)
        if any(each.transaction.name == transaction for each in ended):
            tx.execute(update(documents).values(claimed_by="another", claim_token=1_000))

    monkeypatch.setattr(answered, "record", then_lose_it)
    rig.run(bill)
    assert rig.status(bill) == "posting"
    monkeypatch.undo()
    with rig.ledger.write() as tx:
        claims.release(tx, "another")  # it died before it did anything
    rig.run()
    assert rig.is_whole(bill)
    assert rig.status(bill) == "posted"
    wanted = {"SINO": bill["invoice_number"]} if "Head" in transaction else {"INBN": rig.document(bill).inbn}
    assert rig.sandbox.sent(transaction, **wanted) == 1
    assert rig.doubts() == ["adopted"]


def lost_and_then_closed(transaction: str) -> list[dict[str, Any]]:
    """Faults: the first sending is lost without M3's doing it, the second is turned away."""
    return [
        {"match": {"transaction": transaction, "nth": 1}, "action": "refuse"},
        {"match": {"transaction": transaction, "nth": 2}, "action": "status", "status": 403},
    ]


def do_late(rig: Rig, attempt: Attempt) -> None:
    """M3 does now what was sent long ago."""
    late = Transaction(attempt.transaction_name, attempt.request)
    with open_gateway(rig.settings, rig.ledger) as gateway:
        gateway.write_batches(
            attempt.program, [[late]], cono=100, before=lambda _: None, after=lambda *_: None
        )


@pytest.mark.parametrize(
    ("tenant", "transaction"), [("aps100", "AddLine"), ("aps450", "AddLine"), ("aps450", "ValidByBatchNo")]
)
def test_m3_is_asked_again_before_what_could_not_be_sent_again_is(
    rig_for: Callable[..., Rig], tenant: str, transaction: str
) -> None:
    rig = rig_for(tenant)
    bill = invoice(line("10"))
    rig.sandbox.faults(*lost_and_then_closed(transaction))
    with pytest.raises(IonError, match="403"):
        rig.run(bill)
    assert rig.status(bill) == "posting"
    assert rig.doubts() == ["resent"]
    assert not rig.in_m3(bill)
    with rig.ledger.read() as tx:
        known = attempts.of_document(tx, rig.document(bill).id)
    sent = next(each for each in known if each.transaction_name == transaction)
    do_late(rig, sent)
    rig.run()
    assert rig.status(bill) == "posted"
    assert rig.is_whole(bill)
    assert rig.sandbox.sent(transaction, **sent.request) == 3, "two of ours, of which M3 did neither at once"
    assert rig.doubts() == ["resent", "adopted"]


def test_m3_is_asked_again_before_a_validation_that_could_not_be_sent_again_is(
    rig_for: Callable[..., Rig],
) -> None:
    rig = rig_for("aps100")
    bill = invoice(line("10"))
    paid = payment((bill, "11.90"))
    rig.run(bill)
    rig.sandbox.faults(*lost_and_then_closed("ValidateStatmt"))
    with pytest.raises(IonError, match="403"):
        rig.run(paid)
    assert rig.status(paid) == "posting"
    statement = rig.document(paid).statement_id
    assert statement is not None
    with rig.ledger.read() as tx:
        known = attempts.of_statement(tx, statement)
    sent = next(each for each in known if each.transaction_name == "ValidateStatmt")
    do_late(rig, sent)
    rig.run()
    assert rig.status(paid) == "posted"
    assert rig.paid(bill) == Decimal("11.90")
    assert rig.sandbox.sent("ValidateStatmt", **sent.request) == 3, (
        "two of ours, of which M3 did neither at once"
    )


def test_what_could_not_be_sent_again_is_sent_when_m3_still_does_not_show_it(
    rig_for: Callable[..., Rig],
) -> None:
    rig = rig_for("aps100")
    bill = invoice(line("10"))
    rig.sandbox.faults(*lost_and_then_closed("AddLine"))
    with pytest.raises(IonError, match="403"):
        rig.run(bill)
    rig.run()
    assert rig.status(bill) == "posted"
    assert rig.is_whole(bill)
    assert rig.doubts() == ["resent", "resent"]


def test_m3_is_asked_no_sooner_than_the_settle_time(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for("aps100", in_doubt_settle_seconds=77)
    lost = invoice()
    rig.sandbox.fault("refuse", "", "AddHead")
    rig.run(lost)
    assert rig.time.slept == 2 * 77, "two looks, one settle time apart"
    assert rig.is_whole(lost)
    assert rig.doubts() == ["resent"]


def test_lines_beyond_a_lists_cap_are_not_taken_for_absent(rig_for: Callable[..., Rig]) -> None:
    """The grid gives 100 records a list, whatever is asked: the list is read on by its key."""
    rig = rig_for("aps450", "--list-cap", "100", max_transactions_per_request=120)
    many = invoice(*(line(str(n)) for n in range(1, 131)))
    rig.sandbox.fault("reset_after_work", "", "AddLine", nth=2)
    rig.run(many)
    assert rig.status(many) == "posted"
    assert rig.is_whole(many)
