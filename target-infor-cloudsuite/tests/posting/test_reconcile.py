"""Reconciliation: three counts of the same documents, each of which is bent in turn."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from target_infor_cloudsuite.cli import main
from target_infor_cloudsuite.ledger import reference
from target_infor_cloudsuite.posting.intake import receive
from target_infor_cloudsuite.reconciliation import SCOPE, reconcile
from target_infor_cloudsuite.setup import open_gateway

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_infor_cloudsuite.reconciliation import Reconciliation
    from tests.posting.rig import Rig, invoice, line, payment
else:
    from posting_rig import invoice, line, payment


def feed(rig: Rig, stream: str, *records: dict[str, Any]) -> None:
    with rig.ledger.write() as tx:
        receive(tx, stream, records, hand=rig.hand)


def counted(stream: str, *records: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """The tap's count of the file that these records came out of."""
    name = "total_amount" if stream == "invoices" else "payment_amount"
    totals: dict[str, Decimal] = {}
    for record in records:
        totals[record["currency"]] = totals.get(record["currency"], Decimal(0)) + record[name]
    return {
        "stream": stream,
        "rows": len(records),
        "documents": len(records),
        "rejected": 0,
        "non_data_rows": 0,
        "control_totals": totals,
        **{name: records[0][name] for name in ("_sdc_source_file", "_sdc_source_sha256")},
    } | changed


def compared(rig: Rig, **options: Any) -> Reconciliation:
    with open_gateway(rig.settings) as gateway:
        return reconcile(rig.ledger, gateway, at=rig.time.now(), **options)


def codes(found: Reconciliation) -> list[str]:
    return [each.code for each in found.differences]


def rows(found: Reconciliation) -> dict[tuple[str, str], dict[str, Any]]:
    return {(each["kind"], each["status"]): each for each in found.to_json()["ledger"]}


def test_three_counts_of_the_same_documents_agree(rig: Rig) -> None:
    first, second, unknown = invoice(), invoice(line("-40.10")), invoice(line("7"), company="nobody")
    paid = payment((first, "119.00"))
    feed(rig, "source_files", counted("invoices", first, second, unknown), counted("payments", paid))
    rig.run(first, second, unknown, paid)
    found = compared(rig)
    assert codes(found) == []
    assert rows(found)["invoice", "posted"] == {
        "kind": "invoice",
        "company": "NW-DE",
        "cono": 100,
        "divi": "AAA",
        "currency": "EUR",
        "status": "posted",
        "ledger": {"count": 2, "amount": "71.28"},
        "m3": {"count": 2, "amount": "71.28"},
    }
    assert rows(found)["payment", "posted"]["m3"] == {"count": 1, "amount": "119.00"}
    assert rows(found)["invoice", "review"]["m3"] is None
    assert found.to_json()["source"][0] == {
        "kind": "invoice",
        "currency": "EUR",
        "counted": "79.61",
        "ledger": "79.61",
        "unreadable": "0.00",
    }
    with rig.ledger.read() as tx:
        kept = reference.kept(tx, SCOPE)
    assert kept is not None
    assert kept[0]["differences"] == []


def test_a_cent_or_a_document_that_the_ledger_lacks_is_listed(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for()
    first, second = invoice(), invoice()
    count = counted("invoices", first, second)
    rig.feed(first)
    feed(rig, "source_files", count | {"control_totals": {"EUR": Decimal("238.01")}})
    found = compared(rig)
    assert codes(found) == ["documents_differ", "amount_differs_from_file"]
    assert "counted 2 documents in /outbound/invoices.csv, the ledger has 1" in found.differences[0].text
    assert "comes to 238.01 EUR" in found.differences[1].text
    assert "in the ledger to 119.00." in found.differences[1].text


def test_a_file_without_a_count_is_listed(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for()
    rig.feed(invoice())
    assert codes(compared(rig)) == ["file_not_counted"]


def test_credits_and_copies_and_rejected_rows_count_as_in_the_file(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for()
    credit = invoice(line("50"), invoice_type="CREDIT_MEMO")  # a positive total, as some exports have it
    later = {"_sdc_source_file": "/outbound/later.csv", "_sdc_source_mtime": "2026-11-12T00:00:00+00:00"}
    rejected = {
        "stream": "invoices",
        "reason": "ambiguous_amount",
        "message": "12,5",
        "raw_text": "x",
        "_sdc_source_line": 9,
        **{name: value for name, value in (credit | later).items() if name.startswith("_sdc_source_")},
    }
    feed(rig, "source_files", counted("invoices", credit))
    feed(rig, "source_files", counted("invoices", credit | later, rejected=1))
    rig.feed(credit, credit | later)
    assert codes(compared(rig)) == ["documents_differ"]  # the rejected document has not come
    feed(rig, "rejected_rows", rejected | {"_sdc_source_line": 9})
    found = compared(rig)
    assert codes(found) == []
    assert {each.status for each in found.ledger} == {"received", "duplicate", "rejected"}


def test_what_somebody_changed_in_m3_is_listed(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for("aps450")
    gone, bent, whole = invoice(), invoice(), invoice()
    paid = payment((whole, "100.00"))
    for stream, records in (("invoices", (gone, bent, whole)), ("payments", (paid,))):
        feed(rig, "source_files", counted(stream, *records))
    rig.run(gone, bent, whole, paid)
    with sqlite3.connect(rig.sandbox.home / "m3.db", timeout=30) as books:
        books.execute("DELETE FROM invoice WHERE sino = ?", (gone["invoice_number"],))
        books.execute("UPDATE invoice SET cuam = '119.01' WHERE sino = ?", (bent["invoice_number"],))
        books.execute("UPDATE invoice SET pcua = '99.99' WHERE sino = ?", (whole["invoice_number"],))
    books.close()
    found = compared(rig)
    assert codes(found) == ["not_in_m3", "differs_in_m3", "not_settled"]
    assert "over 119.00 EUR in the ledger and over 119.01 EUR in M3" in found.differences[1].text
    assert "M3 shows 99.99 EUR paid of it, our payments come to 100.00 EUR" in found.differences[2].text
    assert rows(found)["invoice", "posted"]["m3"] == {"count": 2, "amount": "238.01"}


@pytest.mark.parametrize("happened", [True, False])
def test_a_document_in_doubt_is_listed_with_what_m3_shows(
    rig_for: Callable[..., Rig], *, happened: bool
) -> None:
    rig = rig_for(in_doubt_settle_seconds=60)
    record = invoice()
    action = "reset_after_work" if happened else "timeout_before_work"
    rig.sandbox.fault(action, "APS100MI", "AddLine")
    rig.time.on_sleep = lambda: pytest.fail("stopped before M3 is asked")
    feed(rig, "source_files", counted("invoices", record))
    with pytest.raises(pytest.fail.Exception):
        rig.run(record)
    found = compared(rig)
    assert codes(found) == ["in_doubt"]
    assert ("AP ledger has it" in found.differences[0].text) == happened


def test_since_leaves_out_what_came_before(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for()
    rig.feed(invoice())
    assert codes(compared(rig, since=rig.time.now() + timedelta(days=1))) == []
    assert compared(rig, since=rig.time.now() - timedelta(days=1)).differences


def test_the_command_exits_with_3_and_lists_what_differs(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for()
    rig.feed(invoice())
    path = rig.write_config()
    done = CliRunner().invoke(main, ["--config", str(path), "reconcile"])
    assert done.exit_code == 3
    assert "file_not_counted" in done.stdout
    done = CliRunner().invoke(main, ["--config", str(path), "reconcile", "--since", "2099-01-01"])
    assert done.exit_code == 0
    assert "agree" in done.stderr
