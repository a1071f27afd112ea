"""Purchase orders that an invoice or its lines name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.posting.rig import Rig, invoice, line
else:
    from posting_rig import invoice, line


def test_the_orders_of_head_and_lines_are_carried(rig: Rig) -> None:
    order = {"po_number": "4500017", "po_line": "20"}
    lines = [line("100") | order, line("100"), line("100") | order | {"po_line": "A"}]
    record = invoice(*lines, po_number="4500016")
    rig.run(record)
    assert rig.status(record) == "posted"
    assert rig.sandbox.sent("AddHead", SINO=record["invoice_number"], PUNO="4500016") == 1
    inbn = rig.document(record).inbn
    assert rig.sandbox.sent("AddLine", INBN=inbn) == 3
    assert rig.sandbox.sent("AddLine", INBN=inbn, PUNO="4500017") == 2
    assert rig.sandbox.sent("AddLine", INBN=inbn, PNLI="20") == 1
    assert rig.is_whole(record)


def test_the_policy_holds_them(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for(po_invoices="review")
    record = invoice(line("100") | {"po_number": "4500017"})
    rig.run(record)
    assert rig.status(record) == "review po_invoice"
    rig.decide("release", record, "po_invoice")
    rig.run()
    assert rig.status(record) == "posted"
