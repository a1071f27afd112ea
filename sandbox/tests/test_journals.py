"""GLS840MI: batches and lines numbered by the caller, booked by UpdBatch once CtrlBatch found them sound."""

from __future__ import annotations

import uuid
from typing import Any

import pytest


class Batch:
    """One interface batch and the calls on it; each answers M3's error code, or None."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.key = {"KEY1": f"K{uuid.uuid4().hex[:12]}", "DIVI": "AAA"}

    def call(self, transaction: str, **fields: str) -> Any:
        return self.server.one("GLS840MI", transaction, self.key | fields).get("errorCode")

    def open(self) -> Any:
        return self.call("AddBatchHead", CONO="100", INTN="STAMPLI", DESC="Payments")

    def line(self, number: int, side: str, amount: str, account: str = "6000", **changed: str) -> Any:
        fields = {"LINE": str(number), "INRI": "I1", "DBCR": side, "CUAM": amount, "AIT1": account}
        return self.call("AddBatchLineFld", **fields | {"CUCD": "EUR", "ACDT": "20261119"} | changed)

    def control(self) -> Any:
        return self.call("CtrlBatch", CONO="100")

    def update(self) -> Any:
        return self.call("UpdBatch", CONO="100")


@pytest.fixture
def batch(server: Any) -> Batch:
    made = Batch(server)
    assert made.open() is None
    return made


def test_a_batch_books_when_it_is_updated_and_not_before(server: Any, batch: Batch) -> None:
    assert batch.line(1, "D", "119.00") is None
    assert batch.line(2, "C", "119.00", "6600") is None
    assert batch.update() == "WKE0101"
    assert batch.control() is None
    assert batch.update() is None
    shown = next(each for each in server.ledger()["journals"] if each["key"] == batch.key["KEY1"])
    assert shown["booked"]
    assert [(each["DBCR"], each["AIT1"], each["CUAM"]) for each in shown["lines"]] == [
        ("D", "6000", "119.00"),
        ("C", "6600", "119.00"),
    ]
    assert [batch.update(), batch.control(), batch.line(3, "D", "1.00")] == ["WKE0101"] * 3


def test_repeats_are_decidable(batch: Batch) -> None:
    assert batch.open() == "XRE0104"
    assert batch.line(1, "D", "1.00") is None
    assert batch.line(1, "D", "1.00") == "XRE0104"


def test_what_does_not_balance_or_is_empty_is_not_controlled(batch: Batch) -> None:
    assert batch.control() == "WKE0101"
    batch.line(1, "D", "119.00")
    batch.line(2, "C", "119.01")
    assert batch.control() == "WKE0101"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"AIT1": "nothing"}, "WAI0103"),
        ({"AIT1": "2400"}, "WAI0101"),
        ({"DBCR": "X"}, "WDB0101"),
        ({"CUAM": "-1.00"}, "WCU0101"),
        ({"CUCD": "XYZ"}, "WCU0103"),
        ({"CUAM": "1.001"}, "WCU0101"),
    ],
)
def test_a_line_is_checked(batch: Batch, changed: dict[str, str], code: str) -> None:
    assert batch.line(1, "D", "1.00", **changed) == code
