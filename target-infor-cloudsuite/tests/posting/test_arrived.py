"""Documents that arrive mapped, and a step in between that changed them: parked, or booked as they came."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_infor_cloudsuite.posting.intake import receive

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.posting.rig import Rig, invoice, payment
else:
    from posting_rig import invoice, payment


@pytest.fixture
def rig(rig_for: Callable[..., Rig]) -> Rig:
    return rig_for()


def send(rig: Rig, record: dict[str, Any]) -> None:
    with rig.ledger.write() as tx:
        receive(tx, "ap_payments" if "payment_id" in record else "ap_invoices", [record], hand=rig.hand)


def line_with(**changed: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda record: [{**record["lines"][0], **changed}]


JUNK: list[tuple[str, Any]] = [
    ("reasons", "junk"),
    ("reasons", ["junk"]),
    ("reasons", [{"code": "x"}]),
    ("reasons", [{"code": 1, "field": "", "text": "", "suggestions": [], "releasable": True}]),
    ("lines", None),
    ("lines", ["a"]),
    ("lines", line_with(amount=None)),
    ("lines", line_with(amount="NaN")),
    ("lines", line_with(ait=["6000"])),
    ("lines", line_with(ait=None)),
    ("lines", line_with(ait=[6000, "", "", "", "", "", ""])),
    ("total", None),
    ("total", "abc"),
    ("accounting_date", None),
    ("accounting_date", "2026-13-45"),
    ("supplier", None),
    ("number", None),
    ("cono", "100"),
    ("cono", None),
    ("currency", 5),
    ("notes", 7),
]


@pytest.mark.parametrize(("field", "value"), JUNK, ids=lambda each: repr(each)[:24])
def test_a_changed_record_is_parked_and_stops_nobody(field: str, value: Any, rig: Rig) -> None:
    spoilt, sound = rig.mapped(invoice()), invoice()
    spoilt[field] = value(spoilt) if callable(value) else value
    send(rig, spoilt)
    rig.run(sound)
    rig.run()
    assert rig.status(sound) == "posted"
    (document,) = [each for each in rig.all() if each.arrived_mapped]
    if field == "notes":  # of no consequence
        assert document.status == "posted"
        return
    assert [each["code"] for each in document.reasons] == ["malformed_document"], document
    assert "between mapper and target" in document.reasons[0]["text"]


@pytest.mark.parametrize(("field", "value"), [("applications", ["a"]), ("amount", None), ("payment_date", 3)])
def test_a_changed_payment_is_parked_too(field: str, value: Any, rig: Rig) -> None:
    first = invoice()
    rig.run(first)
    send(rig, rig.mapped(payment((first, "5"))) | {field: value})
    rig.run()
    (document,) = [each for each in rig.all() if each.arrived_mapped]
    assert [each["code"] for each in document.reasons] == ["malformed_document"]


def test_the_ledger_tells_what_is_posted_not_what_was_mapped_from(rig: Rig) -> None:
    record = invoice()
    one = rig.mapped(record)
    one |= {"total": Decimal(1019), "number": f"{one['number']}-B"}
    one["lines"] = [{**one["lines"][0], "amount": Decimal(1000)}]
    send(rig, one)
    rig.run()
    (document,) = rig.all()
    assert (document.status, document.amount, document.number) == ("posted", Decimal(1019), one["number"])
    (held,) = [each for each in rig.sandbox.books()["invoices"] if each["number"] == one["number"]]
    assert Decimal(held["amount"]) == document.amount
