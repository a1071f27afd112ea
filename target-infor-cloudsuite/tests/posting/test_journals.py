"""Payments as GL journals (GLS840MI), which only an explicit setting asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from stampli_infor_transforms.policy import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.posting.rig import Rig, invoice, payment
else:
    from posting_rig import invoice, payment

JOURNALS = {
    "payment_program": "GLS840MI",
    "journal_interface": "STAMPLI",
    "journal_accounts": {"payables": "6600", "STAMPLI-EUR": "6000"},
}


@pytest.fixture
def rig(rig_for: Callable[..., Rig]) -> Rig:
    return rig_for(**JOURNALS)


def booked(rig: Rig, *records: dict[str, Any]) -> list[list[tuple[str, str, str]]]:
    """The lines of booked journals that name one of these payments."""
    wanted = {record["reference"] for record in records}
    return [
        [(line["DBCR"], line["AIT1"], line["CUAM"]) for line in journal["lines"]]
        for journal in rig.sandbox.books()["journals"]
        if journal["booked"] and any(wanted & set(line["VTXT"].split()) for line in journal["lines"])
    ]


ONE = [("D", "6600", "119.00"), ("C", "6000", "119.00")]


def test_payments_of_a_run_are_one_journal_and_settle_nothing(rig: Rig) -> None:
    bills = [invoice(), invoice()]
    paid = [payment((bill, "119.00")) for bill in bills]
    rig.run(*bills, *paid)
    assert [rig.status(each) for each in paid] == ["posted", "posted"]
    assert booked(rig, *paid) == [ONE * 2]
    assert rig.paid(bills[0]) == 0
    asked = rig.sandbox.sent("GetInvTotInfo")
    rig.run()
    assert rig.sandbox.sent("GetInvTotInfo") == asked  # no run asks whether a journal has settled anything
    again = payment((bills[0], "119.00"))
    rig.run(again)
    assert rig.status(again) == "review open_amount_differs"  # M3 shows it open, and the journal has paid it


@pytest.mark.parametrize("transaction", ["AddBatchHead", "AddBatchLineFld", "CtrlBatch"])
@pytest.mark.parametrize("action", ["reset_after_work", "timeout_before_work"])
def test_what_was_lost_before_the_update_is_repeated(rig: Rig, transaction: str, action: str) -> None:
    bill = invoice()
    paid = payment((bill, "119.00"))
    rig.sandbox.fault(action, "GLS840MI", transaction)
    rig.run(bill, paid)
    assert rig.status(paid) == "posted"
    assert booked(rig, paid) == [ONE]


@pytest.mark.parametrize("action", ["reset_after_work", "timeout_before_work"])
def test_a_lost_update_goes_to_a_person_and_is_never_sent_again(rig: Rig, action: str) -> None:
    bill = invoice()
    paid = payment((bill, "119.00"))
    rig.sandbox.fault(action, "GLS840MI", "UpdBatch")
    rig.run(bill, paid)
    rig.run()
    assert rig.status(paid) == "review in_doubt_unresolved"
    assert "Journal batch S" in rig.document(paid).reasons[0]["text"]
    assert len(booked(rig, paid)) == (action == "reset_after_work")
    assert rig.sandbox.sent("UpdBatch") == 1


def test_one_that_m3_refuses_does_not_keep_the_others(rig: Rig) -> None:
    good, bad = invoice(), invoice()
    paid = payment((good, "119.00"))
    refused = payment((bad, "119.00"), payment_date="1999-01-01")
    rig.changed["journal_accounts"] = JOURNALS["journal_accounts"]
    rig.sandbox.control(
        "PUT",
        "master",
        {"dimensions": [{"cono": 100, "aitp": 1, "aitm": "6600", "name": "x", "valid_from": "20000101"}]},
    )
    rig.run(good, bad, paid, refused)
    assert rig.status(paid) == "posted"
    assert rig.document(refused).status == "failed"
    assert booked(rig, paid, refused) == [ONE]


def test_a_bank_without_an_account_is_review(rig: Rig) -> None:
    bill = invoice()
    paid = payment((bill, "119.00"))
    rig.changed["journal_accounts"] = {"payables": "6600"}
    rig.run(bill, paid)
    assert rig.status(paid) == "review bank_not_set_up"
    assert "journal_accounts names no account for STAMPLI-EUR" in rig.document(paid).reasons[0]["text"]


@pytest.mark.parametrize("name", ["journal_interface", "journal_accounts"])
def test_what_the_settings_lack_stops_the_run(rig: Rig, name: str) -> None:
    rig.changed[name] = None
    with pytest.raises(SettingsError, match=name):
        rig.run(invoice())
    assert not rig.sandbox.sent("AddHead")
