"""Payments: they wait for their invoices, take no more than is open, and do not drag each other down."""

from __future__ import annotations

import shutil
import time
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from target_infor_cloudsuite.audit.words import sentence
from target_infor_cloudsuite.ion.errors import IonError
from target_infor_cloudsuite.ledger import events

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.posting.rig import ROOT, Rig, invoice, line, new_number, payment
else:
    from posting_rig import ROOT, invoice, line, new_number, payment


@pytest.fixture
def rig(rig_for: Callable[..., Rig]) -> Rig:
    return rig_for()


def test_a_payment_waits_for_its_invoice(rig: Rig) -> None:
    held = invoice(line("100", account="6995"))
    paid = payment((held, "119"))
    rig.run(held, paid)
    assert rig.status(paid) == "review invoice_not_posted"
    rig.account("6995")
    rig.changed["reference_max_age_minutes"] = 0
    rig.time.moment = rig.time.moment.replace(second=0)
    rig.time.sleep(90)
    rig.run()
    assert rig.is_whole(held)
    assert rig.status(paid) == "posted"
    assert rig.paid(held) == 119


def test_partial_and_multi_invoice_payments_with_a_credit(rig: Rig) -> None:
    first, second, credit = invoice(), invoice(line("200")), invoice(line("-50"))
    part, rest = payment((first, "19")), payment((second, "238"), (credit, "-59.50"))
    rig.run(first, second, credit, part, rest)
    assert [rig.status(each) for each in (part, rest)] == ["posted", "posted"]
    assert (rig.paid(first), rig.paid(second)) == (Decimal(19), Decimal(238))
    assert rig.document(rest).settled
    assert len(rig.statements(part, rest)) == 1


def test_two_payments_never_take_more_of_an_invoice_than_is_open(rig: Rig) -> None:
    first = invoice()
    one, two = payment((first, "100")), payment((first, "100"))
    rig.run(first, one, two)
    assert rig.status(one) == "posted"
    assert rig.status(two) == "review open_amount_differs"
    rig.run()
    assert rig.paid(first) == 100


def test_lines_that_were_not_run_go_with_the_same_statement(rig: Rig) -> None:
    first, second, third = invoice(), invoice(), invoice()
    good, bad, other = payment((first, "119")), payment((second, "119")), payment((third, "119"))
    rig.run(first, second, third)
    # M3 loses the payee between the check and the line: it refuses that one line.
    rig.feed(good, bad, other)
    rig.sandbox.fault("terminate_bulk_after", "ABS100MI", "AddStatmtLine", n=1)
    rig.run()
    assert [rig.status(each) for each in (good, bad, other)] == ["posted"] * 3
    assert (rig.paid(first), rig.paid(second), rig.paid(third)) == (Decimal(119), Decimal(119), Decimal(119))


def test_a_statement_that_m3_refuses_is_split_until_the_culprit_is_alone(rig_for: Callable[..., Rig]) -> None:
    """An open amount that somebody takes between the check and the validation is M3's to refuse."""
    rig, elsewhere = rig_for(), rig_for()
    first, second = invoice(), invoice()
    rig.run(first, second)
    theirs = payment((first, "100"))
    ours, other = payment((first, "50")), payment((second, "119"))
    elsewhere.feed(first, second)
    taken = False

    def interfere() -> None:
        nonlocal taken
        if not taken:
            taken = True
            elsewhere.run(theirs | {"applications": [dict(theirs["applications"][0], invoice_id=None)]})

    rig.time.on_sleep = interfere
    # The answer to the first detail is lost for longer than one try, so the run waits, and is overtaken.
    rig.sandbox.fault("status", "ABS100MI", "AddStatmtDetail", status=503, nth=0, times=3)
    rig.run(ours, other)
    rig.run()
    assert rig.status(other) == "posted"
    assert rig.status(ours) == "review open_amount_differs"
    assert (rig.paid(first), rig.paid(second)) == (Decimal(100), Decimal(119))


def test_a_bank_that_m3_lacks_is_for_a_person(rig: Rig, tmp_path: Path) -> None:
    crosswalks = tmp_path / "crosswalks"
    shutil.copytree(ROOT / "transforms" / "crosswalks", crosswalks)
    rig.changed["crosswalk_dir"] = str(crosswalks)
    with (crosswalks / "banks.csv").open("a") as file:
        file.write("100,AAA,Nowhere 1,NOWHERE\n")
    first = invoice()
    paid = payment((first, "119"), bank_account="Nowhere 1")
    rig.run(first, paid)
    assert rig.status(paid) == "review bank_not_set_up"
    assert rig.paid(first) == 0


def test_a_statement_left_empty_by_a_crash_is_reported(rig: Rig) -> None:
    """The process dies after AddStatmtHead was answered and before a payment stood on the statement."""
    first = invoice()
    paid = payment((first, "119"))
    rig.run(first)
    rig.sandbox.fault("hold", "ABS100MI", "AddStatmtHead")
    with rig.running(paid) as process:
        _until(rig, "AddStatmtHead")
        process.kill()
        process.wait()
    rig.sandbox.control("DELETE", "faults")
    rig.run()
    assert rig.status(paid) == "posted"
    assert rig.paid(first) == 119
    with rig.ledger.read() as tx:
        told = [each.action for each in events.since(tx, 0)]
    assert told.count("statement.abandoned") == 1


def _until(rig: Rig, transaction: str) -> None:
    deadline = time.monotonic() + 60
    while not rig.sandbox.sent(transaction):
        assert time.monotonic() < deadline, (rig.directory / "target.err").read_text()
        time.sleep(0.02)


def test_a_validation_that_never_answers_is_decided_by_a_person_and_not_repeated(rig: Rig) -> None:
    first = invoice()
    paid = payment((first, "50"))
    rig.sandbox.fault("status", "ABS100MI", "ValidateStatmt", status=504, nth=0)
    rig.run(first, paid)
    assert rig.status(paid) == "review in_doubt_unresolved"
    rig.sandbox.control("DELETE", "faults")
    sent = rig.sandbox.sent("ValidateStatmt")
    rig.run()
    assert rig.sandbox.sent("ValidateStatmt") == sent == 2
    assert rig.doubts()[-1] == "person"
    rig.decide("replay", paid)
    rig.run()
    assert rig.status(paid) == "posted"
    assert rig.paid(first) == 50


def test_what_was_paid_beside_a_validation_in_doubt_is_not_taken_for_it(rig_for: Callable[..., Rig]) -> None:
    """600 paid by another statement prove nothing of the 400 whose validation was lost."""
    rig = rig_for()
    first = invoice(line("1000", tax="0"))
    first["lines"][0]["tax_code"] = "EXEMPT"
    euro, dollar = payment((first, "600")), payment((first, "400"), bank_account="Chase USD 9001")
    rig.run(first)
    rig.feed(euro, dollar)
    rig.sandbox.fault("status", "ABS100MI", "ValidateStatmt", status=504, nth=1)
    rig.run()
    assert [rig.status(each) for each in (euro,)] == ["posted"]
    assert rig.paid(first) in {600, 1000}
    assert rig.paid(first) == (1000 if rig.status(dollar) == "posted" else 600)


def test_a_payment_never_settles_the_invoice_of_another_payee(rig: Rig, tmp_path: Path) -> None:
    """The crosswalk has another payee for the vendor by now, who has an invoice of the same number."""
    number = new_number()
    ours = invoice(number=number)
    theirs = invoice(number=number, vendor_id="V-1002", vendor_external_id="10002")
    rig.run(ours, theirs)
    directory = tmp_path / "crosswalks"
    shutil.copytree(rig.config["crosswalk_dir"], directory)
    with (directory / "suppliers.csv").open("a", encoding="utf-8") as rows:
        rows.write("100,V-1001,10001,10002\n")
    rig.changed["crosswalk_dir"] = str(directory)
    other = invoice(vendor_id="V-1002", vendor_external_id="10002")
    wrong, right = (
        payment((ours, "100")),
        payment((other, "5"), vendor_id="V-1002", vendor_external_id="10002"),
    )
    rig.run(other, wrong, right)
    assert rig.status(wrong) == "review application_differs"
    assert "payee 10001" in rig.document(wrong).reasons[0]["text"]
    assert rig.status(right) == "posted"
    assert [each["paid"] for each in rig.in_m3(ours)] == ["0.00", "0.00"]


def test_an_invoice_of_another_vendor_is_not_paid(rig: Rig) -> None:
    theirs = invoice(vendor_id="V-1002", vendor_external_id="10002")
    ours = payment((theirs, "10"))
    rig.run(theirs, ours)
    assert rig.status(ours) == "review application_differs"
    assert rig.paid(theirs) == 0


def test_an_id_and_a_number_that_contradict_each_other_are_for_a_person(rig: Rig) -> None:
    first, second = invoice(), invoice()
    strange, near = payment((first, "10")), payment((first, "20"))
    strange["applications"][0]["invoice_number"] = second["invoice_number"]
    near["applications"][0]["invoice_number"] = f" {first['invoice_number'].lower()} "
    rig.run(first, second, strange, near)
    assert rig.status(strange) == "review application_differs"
    assert second["invoice_number"] in rig.document(strange).reasons[0]["text"]
    assert rig.status(near) == "posted"
    assert [rig.paid(each) for each in (first, second)] == [20, 0]


def test_a_statement_that_was_never_opened_is_not_to_be_deleted(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    first = invoice()
    paid = payment((first, "5"))
    rig.run(first)
    rig.sandbox.fault("status", "ABS100MI", "AddStatmtHead", status=403)
    with pytest.raises(IonError, match="403"):
        rig.run(paid)
    assert "was not opened in M3" in caplog.text
    assert "Delete it" not in caplog.text
    with rig.ledger.read() as tx:
        (told,) = [each for each in events.since(tx, 0) if each.action == "statement.abandoned"]
    assert "was not opened in M3" in sentence(told)
    rig.run()
    assert rig.status(paid) == "posted"
