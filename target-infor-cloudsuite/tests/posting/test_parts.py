"""Invoices whose lines belong to several companies: one document each, once, and to the cent."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from stampli_infor_transforms.crosswalks import Crosswalks
from stampli_infor_transforms.documents import AccountingInvoice
from stampli_infor_transforms.identity import source_key
from target_infor_cloudsuite.ledger import documents
from target_infor_cloudsuite.ledger.retention import purge_raw
from target_infor_cloudsuite.ledger.runs import plain_amount
from target_infor_cloudsuite.ledger.states import Status
from target_infor_cloudsuite.posting import already_there
from target_infor_cloudsuite.posting.already_there import Findings, read_heads
from target_infor_cloudsuite.posting.intake import receive
from target_infor_cloudsuite.posting.judgement import judge_invoices
from target_infor_cloudsuite.posting.parts import divided as divided_by
from target_infor_cloudsuite.posting.plan import Plan
from target_infor_cloudsuite.reconciliation import reconcile
from target_infor_cloudsuite.setup import open_gateway, prepare

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from target_infor_cloudsuite.ledger.documents import Document
    from tests.posting.rig import Rig, again, invoice, line, payment
else:
    from posting_rig import again, invoice, line, payment


def divided(*more: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """119.00 for NW-DE, 59.50 for NW-UK."""
    return invoice(line("100"), line("50") | {"company": "NW-UK"}, *more, **changed)


def family(rig: Rig, record: dict[str, Any]) -> list[Document]:
    """The row that came, then its parts that stand."""
    with rig.ledger.read() as tx:
        own = rig.document(record)
        parts = documents.parts(tx, own.id)
    return [own, *(each for each in parts if each.status is not Status.SUPERSEDED)]


def standing(rig: Rig, record: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (each.company, plain_amount(each.amount or Decimal(0), "EUR"), each.status.value)
        for each in family(rig, record)
    ]


def in_m3(rig: Rig, record: dict[str, Any]) -> list[tuple[str, Decimal]]:
    return sorted((each["divi"], Decimal(each["amount"])) for each in rig.in_m3(record))


def companies(tmp_path: Path, rig: Rig, *rows: str) -> None:
    """Crosswalks of this test's own, with these rows of companies.csv."""
    directory = tmp_path / "crosswalks"
    if not directory.exists():
        shutil.copytree(rig.config["crosswalk_dir"], directory)
    text = "\n".join(["stampli_company,cono,divi,bank_bsid", *rows])
    (directory / "companies.csv").write_text(text + "\n", "utf-8")
    rig.changed["crosswalk_dir"] = str(directory)


DE, UK, UK_IN_DE = "NW-DE,100,AAA,STAMPLI-EUR", "NW-UK,100,BBB,STAMPLI-GBP", "NW-UK,100,AAA,STAMPLI-EUR"


def test_each_company_has_its_document_once_however_often_it_comes(rig: Rig) -> None:
    record = divided()
    rig.run(record)
    assert standing(rig, record) == [("NW-DE", "119.00", "posted"), ("NW-UK", "59.50", "posted")]
    expected = [("AAA", Decimal(119)), ("BBB", Decimal("59.5"))]
    assert in_m3(rig, record) == expected
    own, part = family(rig, record)
    assert own.source_key == source_key("invoices", record)
    assert own.source_key != part.source_key
    assert own.m3_key != part.m3_key
    assert rig.actions(record)[:2] == ["document.received", "document.divided"]
    rig.run(record)  # the same delivery after a crash of whoever kept the STATE
    rig.run(again(record, 20))  # the same invoice in another file
    assert rig.status(again(record, 20)) == "duplicate"
    assert in_m3(rig, record) == expected
    assert len(rig.all()) == 3


def test_files_ledger_and_m3_add_up_to_the_cent(rig: Rig) -> None:
    records = [divided(), invoice(), divided(line("-30") | {"company": "NW-UK"})]
    name = "/outbound/parts.csv"
    records = [each | {"_sdc_source_file": name, "_sdc_source_sha256": "7" * 64} for each in records]
    total = sum((each["total_amount"] for each in records), Decimal(0))
    count = {
        "stream": "invoices",
        "documents": len(records),
        "rejected": 0,
        "control_totals": {"EUR": total},
        "_sdc_source_file": name,
        "_sdc_source_sha256": "7" * 64,
    }
    with rig.ledger.write() as tx:
        receive(tx, "source_files", [count], hand=rig.hand)
    rig.run(*records)
    with open_gateway(rig.settings, rig.ledger) as gateway:
        found = reconcile(rig.ledger, gateway, at=rig.time.now())
    assert found.differences == ()
    assert sum((each.amount or Decimal(0) for each in rig.all()), Decimal(0)) == total
    assert {each.status for each in rig.all()} == {Status.POSTED}


def test_the_batch_of_another_part_is_no_other_document(
    rig_for: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenant may list the batches of all divisions under one number, whichever was asked for."""
    rig, record = rig_for(), divided()
    rig.run(record)
    own, part = family(rig, record)
    with open_gateway(rig.settings, rig.ledger) as gateway:
        context = prepare(rig.settings, rig.ledger, gateway)
        (head,) = read_heads(context, context.companies[100], [(own.inbn, own.divi)])
        listed = Findings(batches=[head.records[0] | {"INBN": own.inbn}])
        monkeypatch.setattr(already_there, "ask", lambda _context, asked: dict.fromkeys(asked, listed))
        plan = Plan(AccountingInvoice.from_json(part.mapped or {}), (), ())
        judged = judge_invoices(context, {part.id: plan})
    assert (judged[part.id].reasons, judged[part.id].duplicate_of) == ((), "")


def test_a_held_part_waits_alone_and_is_not_forgotten(rig: Rig) -> None:
    record = divided()
    record["lines"][1]["gl_account"] = code = f"P{record['invoice_id'][-6:]}"
    rig.run(record)
    assert standing(rig, record) == [("NW-DE", "119.00", "posted"), ("NW-UK", "59.50", "review")]
    rig.account(code)
    rig.time.sleep(3700)  # what is known of M3's accounts is too old then
    rig.run()
    assert standing(rig, record) == [("NW-DE", "119.00", "posted"), ("NW-UK", "59.50", "posted")]
    assert in_m3(rig, record) == [("AAA", Decimal(119)), ("BBB", Decimal("59.5"))]


def test_a_change_after_one_part_is_posted_is_for_a_person(rig: Rig) -> None:
    record = invoice(line("100"), line("50", account="0815") | {"company": "NW-UK"})
    rig.run(record)
    changed = again(divided(), 20) | {name: record[name] for name in ("invoice_id", "invoice_number")}
    rig.run(changed)
    assert rig.status(changed) == "review amended_after_posting"
    with rig.ledger.read() as tx:
        (part,) = documents.parts(tx, rig.document(record).id)
    assert part.status is Status.SUPERSEDED  # what it waited with is out of date
    assert standing(rig, changed) == [("NW-DE", "178.50", "review")]
    rig.run()
    assert in_m3(rig, record) == [("AAA", Decimal(119))]


def test_a_change_while_only_the_other_part_is_posted_is_for_a_person(rig: Rig) -> None:
    record = invoice(line("100", account="0815"), line("50") | {"company": "NW-UK"})
    rig.run(record)
    assert standing(rig, record) == [("NW-DE", "119.00", "review"), ("NW-UK", "59.50", "posted")]
    changed = again(invoice(line("150")), 20) | {
        name: record[name] for name in ("invoice_id", "invoice_number")
    }
    rig.run(changed)
    rig.run()
    assert rig.status(changed) == "review amended_after_posting"
    assert "the part of company NW-UK" in rig.document(changed).reasons[0]["text"]
    assert rig.status(record) == "superseded"
    assert in_m3(rig, record) == [("BBB", Decimal("59.5"))]


def test_a_change_before_anything_is_posted_takes_the_place_of_all(rig: Rig) -> None:
    record = invoice(line("100", account="0815"), line("50", account="0815") | {"company": "NW-UK"})
    rig.run(record)
    changed = again(divided(), 20) | {name: record[name] for name in ("invoice_id", "invoice_number")}
    rig.run(changed)
    assert standing(rig, changed) == [("NW-DE", "119.00", "posted"), ("NW-UK", "59.50", "posted")]
    assert standing(rig, record) == [("NW-DE", "119.00", "superseded")]
    assert len(in_m3(rig, record)) == 2


def test_a_company_without_a_row_keeps_the_invoice_whole_until_it_has_one(
    rig_for: Callable[..., Rig], tmp_path: Path
) -> None:
    rig = rig_for()
    companies(tmp_path, rig, DE)
    record = divided()
    rig.run(record)
    assert rig.status(record) == "review unknown_company"
    assert standing(rig, record) == [("NW-DE", "178.50", "review")]
    companies(tmp_path, rig, DE, UK)
    rig.run()
    assert standing(rig, record) == [("NW-DE", "119.00", "posted"), ("NW-UK", "59.50", "posted")]


def test_until_something_is_posted_the_division_follows_the_crosswalks(
    rig_for: Callable[..., Rig], tmp_path: Path
) -> None:
    rig = rig_for()
    companies(tmp_path, rig, DE, UK)
    record = divided(status="Draft")
    rig.run(record)
    assert standing(rig, record) == [("NW-DE", "119.00", "review"), ("NW-UK", "59.50", "review")]
    companies(tmp_path, rig, DE, UK_IN_DE)
    rig.run()
    assert standing(rig, record) == [("NW-DE", "178.50", "review")]
    companies(tmp_path, rig, DE, UK)
    rig.changed["approved_statuses"] = ["draft"]
    rig.run()
    assert standing(rig, record) == [("NW-DE", "119.00", "posted"), ("NW-UK", "59.50", "posted")]
    assert len(in_m3(rig, record)) == 2


@pytest.mark.parametrize("posted", ["NW-DE", "NW-UK"])
def test_what_is_posted_freezes_the_division(
    posted: str, rig_for: Callable[..., Rig], tmp_path: Path
) -> None:
    rig = rig_for()
    companies(tmp_path, rig, DE, UK)
    accounts = {"NW-DE": "0815", "NW-UK": "0815"} | {posted: "6000"}
    record = invoice(
        line("100", account=accounts["NW-DE"]), line("50", account=accounts["NW-UK"]) | {"company": "NW-UK"}
    )
    rig.run(record)
    before = in_m3(rig, record)
    assert len(before) == 1
    companies(tmp_path, rig, DE, UK_IN_DE)
    rig.run()
    assert in_m3(rig, record) == before
    amounts = [(company, amount) for company, amount, _ in standing(rig, record)]
    assert amounts == [("NW-DE", "119.00"), ("NW-UK", "59.50")]


def test_what_a_part_tells_of_the_division_is_kept_while_its_first_waits(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for()
    record = invoice(line("100", account="0815"), line("50") | {"company": "NW-UK"})
    rig.run(record)
    with rig.ledger.write() as tx:
        assert purge_raw(tx, before=rig.time.now() + timedelta(days=1)) == 0
    rig.run()
    assert standing(rig, record) == [("NW-DE", "119.00", "review"), ("NW-UK", "59.50", "posted")]


def test_the_setting_holds_the_whole(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for(line_companies="review")
    record = divided()
    rig.run(record)
    assert rig.status(record) == "review line_company_differs"
    rig.changed["line_companies"] = "split"
    rig.run()
    assert standing(rig, record) == [("NW-DE", "119.00", "posted"), ("NW-UK", "59.50", "posted")]


def test_a_dismissed_part_stays_dismissed(rig: Rig) -> None:
    record = invoice(line("100", account="0815"), line("50", account="0816") | {"company": "NW-UK"})
    rig.run(record)
    _, part = family(rig, record)
    with rig.ledger.write() as tx:
        documents.move(tx, part, Status.DISMISSED, hand=rig.hand, why="booked by hand")
    rig.run()
    assert standing(rig, record) == [("NW-DE", "119.00", "review"), ("NW-UK", "59.50", "dismissed")]


def test_a_payment_takes_the_part_of_its_company(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for()
    record = divided()
    own, whole = payment((record, "119")), payment((record, "178.50"))
    rig.run(record, own)
    assert rig.status(own) == "posted"
    rig.run(whole)
    assert rig.status(whole) == "review open_amount_differs"


def through_the_mapper(rig: Rig, record: dict[str, Any]) -> list[dict[str, Any]]:
    """The records that the mapper makes of an invoice."""
    crosswalks = Crosswalks.load(rig.settings.crosswalk_dir)
    return [
        rig.mapped(dict(part))
        for part in divided_by(record, crosswalks=crosswalks, policy=rig.settings.policy)
    ]


def feed_mapped(rig: Rig, record: dict[str, Any]) -> None:
    for each in through_the_mapper(rig, record):  # each a batch of its own: a crash may come between
        with rig.ledger.write() as tx:
            receive(tx, "ap_invoices", [each], hand=rig.hand)


def test_parts_that_the_mapper_made_come_to_the_same(rig: Rig) -> None:
    record = divided(line("20"))
    feed_mapped(rig, record)
    feed_mapped(rig, record)
    rig.run()
    expected = [("NW-DE", "142.80", "posted"), ("NW-UK", "59.50", "posted")]
    assert standing(rig, record) == expected
    assert family(rig, record)[0].source_key == source_key("invoices", record)
    feed_mapped(rig, again(record, 20))
    rig.run()
    assert [each.status.value for each in rig.all()] == ["posted", "posted", "duplicate", "duplicate"]
    assert len(in_m3(rig, record)) == 2
    count = {"stream": "invoices", "documents": 1, "rejected": 0} | {
        "control_totals": {"EUR": record["total_amount"]},
        **{name: record[name] for name in ("_sdc_source_file", "_sdc_source_sha256")},
    }
    with rig.ledger.write() as tx:
        receive(tx, "source_files", [count], hand=rig.hand)
    with open_gateway(rig.settings, rig.ledger) as gateway:
        found = reconcile(rig.ledger, gateway, at=rig.time.now())
    assert {each.code for each in found.differences} <= {"file_not_counted"}  # the second file's count


def test_a_change_that_the_mapper_brings_after_posting_is_held_with_all_its_parts(
    rig_for: Callable[..., Rig],
) -> None:
    rig = rig_for()
    record = invoice(line("150"))
    rig.run(record)
    changed = again(divided(), 20) | {name: record[name] for name in ("invoice_id", "invoice_number")}
    feed_mapped(rig, changed)
    rig.run()
    assert rig.status(changed) == "review amended_after_posting"
    part = family(rig, changed)[1]
    assert (part.status, [each["code"] for each in part.reasons]) == ("review", ["amended_after_posting"])
    assert in_m3(rig, record) == [("AAA", Decimal("178.5"))]


def test_a_part_without_its_first_is_rejected(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for()
    _, second = through_the_mapper(rig, divided())
    with rig.ledger.write() as tx:
        receive(tx, "ap_invoices", [second], hand=rig.hand)
    (row,) = rig.all()
    assert row.status is Status.REJECTED
    assert "part 2 of 2" in row.reasons[0]["text"]


class DiedError(BaseException):
    """The end of the process, as far as the ledger can tell."""


def test_death_at_every_commit_makes_no_part_twice(rig_for: Callable[..., Rig]) -> None:
    at = 0
    while True:
        rig, record = rig_for(), divided()
        rig.feed(record)
        if _survives(rig, at):
            break
        rig.time.moment += rig.time.moment.resolution * 10**6 * 1000  # past any lease
        rig.run(record)
        assert standing(rig, record) == [("NW-DE", "119.00", "posted"), ("NW-UK", "59.50", "posted")], at
        assert in_m3(rig, record) == [("AAA", Decimal(119)), ("BBB", Decimal("59.5"))], at
        at += 1
    assert at > 10


def _survives(rig: Rig, at: int) -> bool:
    """Run with a ledger that dies just after its commit of this number; whether it never came to that."""
    write, commits = rig.ledger.write, 0

    @contextmanager
    def mortal() -> Any:
        nonlocal commits
        commits += 1
        if commits > at + 1:
            raise DiedError
        with write() as tx:
            yield tx
        if commits == at + 1:
            raise DiedError

    rig.ledger.write = mortal  # type: ignore[method-assign]
    try:
        rig.run()
    except DiedError:
        return False
    finally:
        rig.ledger.write = write  # type: ignore[method-assign]
    return True
