"""What a dry run says is what a run does; and it leaves nothing behind but its file, and Stampli's lists."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.posting.dry_run import DryRun
from target_infor_cloudsuite.posting.intake import receive
from target_infor_cloudsuite.setup import open_gateway, prepare

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.posting.rig import Rig, again, invoice, line, new_number, payment
else:
    from posting_rig import again, invoice, line, new_number, payment

Shown = list[dict[str, Any]]


@pytest.fixture
def rig(rig_for: Callable[..., Rig]) -> Rig:
    return rig_for()


def rehearse(rig: Rig, *records: dict[str, Any]) -> Shown:
    """A dry run over these records; the lines of its file."""
    dry_run = DryRun(rig.ledger)
    try:
        with open_gateway(rig.settings, rig.ledger) as gateway:
            context = prepare(
                rig.settings,
                dry_run.ledger,
                gateway,
                clock=Clock(rig.time.now, rig.time.sleep),
                run_id="rehearsal",
            )
            with dry_run.ledger.write() as tx:
                for record in records:
                    stream = "payments" if "payment_id" in record else "invoices"
                    receive(tx, stream, [record], hand=context.hand)
            path = dry_run.show(context, rig.directory / "output")
    finally:
        dry_run.close()
    return [json.loads(each) for each in path.read_text("utf-8").splitlines()]


def in_short(shown: Shown) -> list[tuple[str, str, list[str]]]:
    return [
        (each["number"], each["would_be"], [reason["code"] for reason in each.get("reasons", ())])
        for each in shown
        if each["kind"] != "statement"
    ]


def test_it_says_what_a_run_then_does(rig: Rig) -> None:
    """Near duplicates, the same again, revisions of one delivery, a change of what is posted, an approval."""
    posted, pending, number = invoice(), invoice(status="Pending"), new_number()
    one, near = invoice(number=f"{number}-7"), invoice(number=f"{number}-07")
    early = invoice(line("9"))
    late = again(early, 20, lines=[{"line_number": "1", **line("10")}], total_amount=line("10")["amount"])
    late["total_amount"] += late["lines"][0]["tax_amount"]
    late["tax_amount"] = late["lines"][0]["tax_amount"]
    rig.run(posted, pending)
    records = [
        again(posted, 21),
        again(posted, 22, memo="changed"),
        again(pending, 21, status="Approved"),
        one,
        near,
        invoice(number=one["invoice_number"]),
        early,
        late,
    ]
    before = [(each.id, each.status, each.updated_at) for each in rig.all()]
    told = in_short(rehearse(rig, *records))
    assert [(each.id, each.status, each.updated_at) for each in rig.all()] == before
    assert not rig.in_m3(one)
    rig.time.sleep(60)
    run = rig.time.now()
    rig.run(*records)
    done = [
        (each.number, each.status.value, [reason["code"] for reason in each.reasons])
        for each in rig.all()
        if each.updated_at >= run
    ]
    assert sorted(told) == sorted(done)
    assert {status for _, status, _ in told} == {"posted", "duplicate", "superseded", "review"}


def test_it_shows_every_transaction_of_a_statement(rig: Rig) -> None:
    first = invoice()
    rig.run(first)
    paid = payment((first, "10"))
    shown = rehearse(rig, paid)
    assert [each["would_be"] for each in shown] == ["posted", "validated"]
    names = [each["transaction"] for entry in shown for each in entry["transactions"]]
    assert names == ["AddStatmtLine", "AddStatmtDetail", "AddStatmtHead", "ValidateStatmt"]
    rig.run(paid)
    assert rig.status(paid) == "posted"
    for entry in shown:
        for each in entry["transactions"]:
            known = {k: v for k, v in each["record"].items() if "answers" not in v and k != "STMN"}
            assert rig.sandbox.sent(each["transaction"], **known), each


def test_a_bank_that_m3_lacks_is_told(rig: Rig, tmp_path: Path) -> None:
    directory = tmp_path / "crosswalks"
    shutil.copytree(rig.config["crosswalk_dir"], directory)
    (directory / "banks.csv").write_text(
        "cono,divi,stampli_bank_account,bsid\n100,,Nowhere 1,NOBANK\n", "utf-8"
    )
    rig.changed["crosswalk_dir"] = str(directory)
    first = invoice()
    rig.run(first)
    paid = payment((first, "10"), bank_account="Nowhere 1")
    assert in_short(rehearse(rig, paid)) == [(paid["payment_id"], "review", ["bank_not_set_up"])]
    rig.run(paid)
    assert rig.status(paid) == "review bank_not_set_up"
