"""The same document again, and what M3 or the ledger holds already: nothing twice, nothing lost."""

from __future__ import annotations

import shutil
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from stampli_infor_transforms.documents import AccountingInvoice
from target_infor_cloudsuite.ion.answers import Transaction
from target_infor_cloudsuite.ledger.states import DecisionError
from target_infor_cloudsuite.setup import open_gateway, prepare

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.posting.rig import ROOT, Rig, again, invoice, line, new_number
else:
    from posting_rig import ROOT, again, invoice, line, new_number


@pytest.fixture
def rig(rig_for: Callable[..., Rig]) -> Rig:
    return rig_for()


def test_an_exact_copy_in_another_file_is_a_duplicate(rig: Rig) -> None:
    first = invoice()
    rig.run(first)
    rig.run(again(first, 12))
    assert rig.status(again(first, 12)) == "duplicate"
    assert rig.is_whole(first)


def test_the_same_delivery_is_taken_once(rig: Rig) -> None:
    first = invoice()
    rig.run(first)
    rig.run(first)
    assert len(rig.all()) == 1


def test_a_revision_before_posting_takes_the_place_and_a_late_older_one_does_not(rig: Rig) -> None:
    held = invoice(line("100", account="9999"))
    better = again(held, 14, lines=[{"line_number": "1", **line("100")}])
    late = again(held, 12, memo="between the two")
    rig.run(held)
    assert rig.status(held) == "review gl_account_not_found"
    rig.run(better, late)
    assert rig.status(held) == "superseded"
    assert rig.status(late) == "superseded"
    assert rig.status(better) == "posted"
    assert rig.is_whole(better)


def test_a_change_of_what_is_posted_is_for_a_person_and_may_be_taken_back(rig: Rig) -> None:
    first = invoice()
    changed = again(first, 12, lines=[{"line_number": "1", **line("200")}], total_amount=Decimal(238))
    late = again(first, 11, memo="older than the change")
    rig.run(first)
    rig.run(changed)
    before = rig.sandbox.sent("GetInvTotInfo", SINO=first["invoice_number"])
    rig.run(late)
    assert rig.status(changed) == "review amended_after_posting"
    assert rig.status(late) == "superseded"
    assert rig.sandbox.sent("GetInvTotInfo", SINO=first["invoice_number"]) == before, "nobody need ask M3"
    rig.run(again(first, 20))
    assert rig.status(again(first, 20)) == "duplicate"
    assert rig.status(changed) == "superseded"
    assert rig.is_whole(first)


def test_the_same_number_under_another_id(rig: Rig) -> None:
    first = invoice()
    same = invoice(number=first["invoice_number"])
    other = invoice(line("70"), number=first["invoice_number"])
    rig.run(first, same, other)
    rig.run()
    assert rig.is_whole(first)
    assert rig.status(same) == "duplicate"
    assert rig.status(other) == "review number_taken_in_m3"


def test_a_bare_head_of_somebody_else_is_no_invoice_yet(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for("aps450")
    ours = invoice()
    rig.run()
    with open_gateway(rig.settings, rig.ledger) as gateway:
        context = prepare(rig.settings, rig.ledger, gateway)
        program, catalog = context.companies[100].program, context.companies[100].catalog
        mapped = AccountingInvoice.from_json(rig.mapped(ours))
        head = program.head(mapped, cori="", catalog=catalog)
        (answers,) = gateway.write_batches(
            program.name, [[head]], cono=100, before=lambda _: None, after=lambda *_: None
        )
        rig.run(ours)
        assert rig.status(ours) == "review open_batch_in_m3"
        gone = Transaction("DltInvoice", {"INBN": answers[0].records[0]["INBN"], "DIVI": mapped.divi})
        gateway.write_batches(program.name, [[gone]], cono=100, before=lambda _: None, after=lambda *_: None)
    rig.run()
    assert rig.status(ours) == "posted"
    assert rig.is_whole(ours)


@pytest.mark.parametrize(("total", "status"), [("119", "duplicate"), ("120", "review number_taken_in_m3")])
@pytest.mark.parametrize("staged", [False, True])
def test_what_m3_has_from_elsewhere(
    rig_for: Callable[..., Rig], total: str, status: str, *, staged: bool
) -> None:
    elsewhere, rig = rig_for("aps450"), rig_for("aps450")
    theirs = invoice(line(str(Decimal(total) - 20), tax="19"), line("1", tax="0", account="6992"))
    elsewhere.account("6992")
    elsewhere.run()
    if staged:  # M3 refuses a line, and the batch cannot be deleted
        elsewhere.account("6992", blocked=True)
        elsewhere.sandbox.fault("status", "APS450MI", "DltInvoice", status=503, nth=0)
    elsewhere.run(theirs)
    rig.sandbox.control("DELETE", "faults")
    assert (len(rig.in_m3(theirs)), len(rig.staged(theirs))) == ((0, 1) if staged else (1, 0))
    ours = invoice(number=theirs["invoice_number"])
    rig.run(ours)
    assert rig.status(ours) == status
    assert rig.sandbox.sent("AddHead", SINO=ours["invoice_number"]) == 1


def test_a_near_duplicate_is_held_until_somebody_releases_it(rig: Rig) -> None:
    first = invoice(number="INV-00" + new_number().replace("-X", "1"))
    near = invoice(line("33"), number=first["invoice_number"].replace("INV-00", "INV-0"))
    rig.run(first)
    rig.run(near)
    assert rig.status(near) == "review near_duplicate"
    rig.decide("release", near, "near_duplicate")
    rig.run()
    assert rig.status(near) == "posted"
    assert rig.is_whole(near)


def test_a_near_duplicate_tells_at_once_who_else_has_its_number(rig: Rig) -> None:
    number = new_number()
    first, zero = invoice(number=f"{number}-07"), invoice(number=f"{number}-7")
    rig.run(first)
    rig.run(zero)
    rig.decide("release", zero, "near_duplicate")
    other, same = invoice(line("70"), number=f"{number}-7"), invoice(number=f"{number}-7")
    rig.run(other, same)
    assert rig.status(zero) == "posted"
    assert rig.status(other) == rig.status(same) == "review near_duplicate same_number_in_ledger"
    rig.run()
    assert (rig.status(other), rig.status(same)) == ("review number_taken_in_m3 near_duplicate", "duplicate")


def test_a_document_is_no_near_duplicate_of_its_own_revision(rig: Rig) -> None:
    number = new_number().replace("-X", "5")
    first = invoice(line("100", account="9999"), number="A-00" + number)
    rig.run(first)
    renamed = again(first, 12, invoice_number="A-0" + number, lines=[{"line_number": "1", **line("100")}])
    rig.run(renamed)
    assert rig.status(first) == "superseded"
    assert rig.status(renamed) == "posted"


def test_a_crosswalk_changed_after_posting_posts_nothing_new(rig: Rig, tmp_path: Path) -> None:
    crosswalks = tmp_path / "crosswalks"
    shutil.copytree(ROOT / "transforms" / "crosswalks", crosswalks)
    rig.changed["crosswalk_dir"] = str(crosswalks)
    first = invoice(line("100", account="SaaS-X"), line("10"))
    first["lines"][0]["gl_account"] = "6200"
    rig.run(first)
    with (crosswalks / "suppliers.csv").open("a") as file:
        file.write("100,V-1001,10002,\n")
    rig.run(again(first, 12))
    assert rig.status(again(first, 12)) == "duplicate"
    assert len(rig.in_m3(first)) == 1
    assert rig.in_m3(first)[0]["supplier"] == "10001"


def test_a_replayed_document_sends_all_its_lines_again(rig_for: Callable[..., Rig]) -> None:
    """Its earlier batch had lines in; they are not lines of the new one."""
    rig = rig_for("aps450")
    rig.account("6993")
    bad = invoice(line("100"), line("50", account="6993"), line("7"))
    rig.run()
    rig.account("6993", blocked=True)
    rig.run(bad)
    assert rig.status(bad).startswith("failed")
    assert not rig.staged(bad)
    rig.account("6993")
    rig.decide("replay", bad)
    rig.run()
    assert rig.status(bad) == "posted"
    assert rig.is_whole(bad)


def test_what_a_person_must_decide_is_not_sent_by_itself(rig: Rig) -> None:
    """Twice sent, never shown: the third sending is a person's."""
    lost = invoice()
    rig.sandbox.fault("status", "", "AddHead", status=504, nth=0)
    rig.run(lost)
    assert rig.status(lost) == "review in_doubt_unresolved"
    assert rig.sandbox.sent("AddHead", SINO=lost["invoice_number"]) == 2
    rig.sandbox.control("DELETE", "faults")
    rig.run()
    assert rig.status(lost) == "review in_doubt_unresolved"
    rig.decide("replay", lost)
    rig.run()
    assert rig.status(lost) == "posted"
    assert rig.is_whole(lost)


def test_a_ready_document_that_was_not_sent_goes_in_the_next_run(rig: Rig) -> None:
    waiting = invoice()
    rig.sandbox.fault("terminate_bulk_after", "", "AddHead", n=0)
    rig.run(waiting)
    assert rig.status(waiting) == "ready"
    twin = invoice(number=waiting["invoice_number"])
    rig.run(twin)
    assert rig.status(waiting) == "posted"
    assert rig.status(twin) == "review same_number_in_ledger"
    assert rig.is_whole(waiting)


def test_many_lines_in_several_requests_one_of_them_lost(rig_for: Callable[..., Rig]) -> None:
    """While one request of a document is in doubt, no other line of it leaves, and none twice."""
    for action in ("reset_after_work", "refuse"):
        rig = rig_for("aps450", max_transactions_per_request=2, max_in_flight=1)
        many = invoice(*(line(str(10 + nth)) for nth in range(7)))
        rig.sandbox.fault(action, "", "AddLine", nth=2)
        rig.run(many)
        assert rig.status(many) == "posted", action
        assert rig.is_whole(many), action


def test_a_refused_line_among_several_requests_ends_the_document_once(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for("aps450", max_transactions_per_request=2, max_in_flight=1)
    rig.account("6994")
    bad = invoice(line("1", account="6994"), *(line(str(10 + nth)) for nth in range(6)))
    rig.run()
    rig.account("6994", blocked=True)
    rig.run(bad)
    assert rig.status(bad).startswith("failed")
    assert rig.sandbox.sent("AddLine") == 2
    assert not rig.staged(bad)


def test_lines_against_the_total_never_complete_a_batch_too_early(rig_for: Callable[..., Rig]) -> None:
    """APS100MI posts at the first line at which the sums are right, also when more were meant to follow."""
    rig = rig_for("aps100")
    wanted = [
        invoice(line("100"), line("50"), line("-50")),
        invoice(line("-100"), line("30"), line("-30")),
        invoice(line("40"), line("60"), line("-60", department="Marketing"), line("60")),
    ]
    rig.run(*wanted)
    assert [rig.status(each) for each in wanted] == ["posted"] * 3
    assert all(rig.is_whole(each) for each in wanted)


def test_several_companies_in_one_run(rig: Rig) -> None:
    """The requests of a company carry its number, whatever else goes with them."""
    german = invoice()
    american = invoice(
        line("50", tax="0", department=None), company="NW-US", vendor_external_id="20001", currency="USD"
    )
    american["lines"][0] |= {"tax_code": "EXEMPT", "gl_account": "6000"}
    rig.run(german, american)
    assert rig.is_whole(german)
    found: list[dict[str, Any]] = rig.in_m3(american)
    assert rig.status(american) == "posted", rig.document(american).reasons
    assert [each["cono"] for each in found] == [200]


# -- dismissed, replayed ------------------------------------------------------------


def test_a_file_does_not_undo_what_a_person_dismissed(rig: Rig) -> None:
    first = invoice(line("100", account="0815"), memo="one")
    rig.run(first)
    rig.decide("dismiss", first)
    mended = [{**first["lines"][0], "gl_account": "6000"}]
    second = again(first, 20, memo="two", lines=mended)
    rig.run(second)
    assert rig.status(second) == "review dismissed_before"
    text = rig.document(second).reasons[0]["text"]
    assert "dismissed by test (test)" in text
    assert "lines, memo" in text
    assert not rig.in_m3(second)
    rig.run()
    assert rig.status(second) == "review dismissed_before"
    rig.decide("release", second, "dismissed_before")
    rig.run()
    assert rig.status(second) == "posted"


def test_a_dismissed_revision_is_not_replayed_over_a_newer_one(rig: Rig) -> None:
    older = invoice(line("100", account="0815"))
    rig.run(older)
    rig.decide("dismiss", older)
    newer = again(older, 20, memo="new", status="Draft")
    rig.run(newer)
    with pytest.raises(DecisionError, match=f"document {rig.document(newer).id} .* newer revision"):
        rig.decide("replay", older)
    rig.decide("dismiss", newer)
    rig.decide("replay", older)
    rig.run()
    assert rig.status(older) == "review gl_account_not_found"


def test_a_replayed_revision_of_what_is_posted_is_held_again_and_says_why(rig: Rig) -> None:
    first = invoice(line("100"))
    rig.run(first)
    changed = again(first, 20, memo="changed")
    rig.run(changed)
    for decision in (("dismiss", "replay"), ("replay",)):
        for each in decision:
            rig.decide(each, changed)
        rig.run()
        assert rig.status(changed) == "review amended_after_posting"
        assert "differs: memo" in rig.document(changed).reasons[0]["text"]
        rig.run()
        assert rig.status(changed) == "review amended_after_posting"
    assert rig.is_whole(first)


def test_a_file_time_is_a_moment_and_no_text(rig: Rig) -> None:
    noon_in_berlin = invoice(status="Draft", _sdc_source_mtime="2026-11-20T12:00:00+02:00")
    later = noon_in_berlin | {
        "status": "Approved",
        "memo": "later",
        "_sdc_source_mtime": "2026-11-20T10:30:00+00:00",
        "_sdc_source_file": "/outbound/later.csv",
    }
    rig.run(noon_in_berlin)
    rig.run(later)
    assert (rig.status(noon_in_berlin), rig.status(later)) == ("superseded", "posted")
