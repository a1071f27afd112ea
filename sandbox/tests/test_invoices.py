"""APS100MI and APS450MI: what is refused, what is taken, when M3 posts."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest

HEAD_REFUSALS = [
    ({"SUNO": "99999"}, "WSU0103", "SUNO"),
    ({"SUNO": "10018"}, "WSU0101", "SUNO"),
    ({"SUNO": "10019"}, "WSU0101", "SUNO"),
    ({"SUNO": ""}, "WSU0102", "SUNO"),
    ({"SPYN": "77777"}, "WSP0103", "SPYN"),
    ({"SPYN": "10002"}, "WSP0101", "SPYN"),
    ({"SINO": ""}, "WSI0102", "SINO"),
    ({"SINO": "X" * 25}, "WSI0101", "SINO"),
    ({"IVDT": ""}, "WIV0102", "IVDT"),
    ({"IVDT": "2026-11-01"}, "WIV0101", "IVDT"),
    ({"IVDT": "20261131"}, "WIV0101", "IVDT"),
    ({"ACDT": "20201101"}, "WAC0101", "ACDT"),
    ({"CUCD": "XXX"}, "WCU0103", "CUCD"),
    ({"CUAM": "119.001"}, "WCU0101", "CUAM"),
    ({"CUAM": "1,19"}, "WCU0101", "CUAM"),
    ({"CUAM": "1" * 18}, "WCU0101", "CUAM"),
    ({"CUCD": "JPY", "CUAM": "119.50"}, "WCU0101", "CUAM"),
    ({"TEPY": "99"}, "WTE0103", "TEPY"),
    ({"PYME": "ZZZ"}, "WPY0103", "PYME"),
    ({"IBTP": "30"}, "WIB0101", "IBTP"),
    ({"DIVI": "ZZZ"}, "WDI0103", "DIVI"),
    ({"NONE": "1"}, "WNO0101", "NONE"),
    ({"CORI": "x" * 37}, "WCO0101", "CORI"),
]
LINE_REFUSALS = [
    ({"INBN": "999"}, "XRE0103", "INBN"),
    ({"RDTP": ""}, "WRD0102", "RDTP"),
    ({"RDTP": "1"}, "WRD0101", "RDTP"),
    ({"NLAM": ""}, "WNL0102", "NLAM"),
    ({"NLAM": "1.234"}, "WNL0101", "NLAM"),
    ({"VTCD": "77"}, "WVT0103", "VTCD"),
    ({"RDTP": "3", "NLAM": "", "AIT1": "", "VTCD": ""}, "WVT0102", "VTCD"),
    ({"AIT1": ""}, "WAI0102", "AIT1"),
    ({"AIT1": "6999"}, "WAI0103", "AIT1"),
    ({"AIT1": "6150"}, "WAI0103", "AIT1"),
    ({"AIT1": "7900"}, "WAI0101", "AIT1"),
    ({"AIT1": "7910"}, "WAI0101", "AIT1"),
    ({"AIT1": "7920"}, "WAI0101", "AIT1"),
    ({"AIT1": "6100"}, "WAI0102", "AIT3"),
    ({"AIT1": "6100", "AIT3": "CC999"}, "WAI0103", "AIT3"),
    ({"AIT1": "6100", "AIT3": "CC900"}, "WAI0101", "AIT3"),
    ({"AIT1": "6000", "AIT5": "P0900"}, "WAI0101", "AIT5"),
    ({"VTXT": "x" * 41}, "WVT0101", "VTXT"),
    ({"TRNO": "5"}, "WTR0101", "TRNO"),
]


@pytest.mark.parametrize(("changed", "code", "field"), HEAD_REFUSALS)
def test_head_is_refused(server: Any, changed: dict[str, str], code: str, field: str) -> None:
    number = changed.get("SINO", f"no-{uuid.uuid4().hex[:8]}")
    result = server.head(**({"SINO": number} | changed))
    assert (result["errorCode"], result["errorField"], result["records"]) == (code, field, [])
    assert result["errorType"] == "ServerReturnedNOK"
    assert result["errorMessage"].endswith("  ")
    assert not any(batch["number"] == number for batch in server.ledger()["staged"])


@pytest.mark.parametrize(("changed", "code", "field"), LINE_REFUSALS)
def test_line_is_refused(server: Any, changed: dict[str, str], code: str, field: str) -> None:
    inbn = server.batch()
    result = server.line(inbn, **changed)
    assert (result["errorCode"], result["errorField"]) == (code, field)
    assert server.one("APS100MI", "LstLines", {"INBN": inbn})["records"] == []


def test_aps100_posts_by_itself_once_the_lines_make_up_the_total(server: Any) -> None:
    cori = str(uuid.uuid4())
    inbn = server.batch(CUAM="238.00", VTAM="38.00", CORI=cori)
    server.line(inbn)
    assert server.get_head(inbn)["SUPA"] == "10"
    assert server.get_head(inbn)["VONO"] == "0"
    assert server.line(inbn, NLAM="99.00", VTA1="18.00")["records"][0]["TRNO"] == "2"
    assert server.get_head(inbn)["SUPA"] == "10"
    assert server.line(inbn, RDTP="3", NLAM="", AIT1="", VTA1="1.00")["records"]
    assert server.get_head(inbn)["SUPA"] == "10"
    server.line(inbn, NLAM="1.00", VTA1="", VTCD="", VTXT="rest")
    head = server.get_head(inbn)
    assert (head["SUPA"], head["CORI"], head["YEA4"]) == ("90", cori, "2026")
    assert server.line(inbn)["errorField"] == "INBN"
    invoice = next(i for i in server.ledger()["invoices"] if i["inbn"] == int(inbn))
    assert (invoice["amount"], invoice["vat"], invoice["open"]) == ("238.00", "38.00", "238.00")
    assert [line["amount"] for line in invoice["lines"]] == ["100.00", "99.00", "0.00", "1.00"]
    assert invoice["lines"][3]["text"] == "rest"
    lines = server.one("APS100MI", "LstLines", {"INBN": inbn})["records"]
    assert [line["TRNO"] for line in lines] == ["1", "2", "3", "4"]
    assert "AIT1" not in lines[0]
    voucher = {"DIVI": "AAA", "YEA4": "2026", "VONO": head["VONO"]}
    booked = server.one("GLS200MI", "LstVoucherLines", voucher)["records"]
    assert [(b["AIT1"], b["CUAM"]) for b in booked][:3] == [
        ("2400", "-238.00"),
        ("6000", "100.00"),
        ("2640", "19.00"),
    ]


def test_same_number_again_opens_a_second_batch_that_m3_will_not_post(server: Any) -> None:
    number = f"twice-{uuid.uuid4().hex[:8]}"
    first, second = server.batch(SINO=number), server.batch(SINO=number)
    assert first != second
    found = server.one("APS450MI", "LstInvBySupInv", {"SPYN": "10001", "SUNO": "10001", "SINO": number})
    assert [r["INBN"] for r in found["records"]] == [first, second]
    server.line(first)
    server.line(second)
    assert server.get_head(first)["SUPA"] == "90"
    head = server.get_head(second)
    assert (head["SUPA"], head["IBHE"], head["VONO"]) == ("15", "1", "0")
    books = server.ledger()
    assert [i["inbn"] for i in books["invoices"] if i["number"] == number] == [int(first)]
    assert "already exists" in next(b["status"] for b in books["staged"] if b["inbn"] == int(second))
    assert "errorCode" not in server.one("APS100MI", "DltInvoice", {"INBN": second})
    assert server.one("APS100MI", "DltInvoice", {"INBN": first})["errorCode"] == "WIN0101"
    assert server.one("APS100MI", "GetHead", {"INBN": second})["errorCode"] == "XRE0103"


def test_same_number_in_another_year_is_another_invoice(server: Any) -> None:
    number = f"year-{uuid.uuid4().hex[:8]}"
    for date in ("20261101", "20251101"):
        inbn = server.batch(SINO=number, IVDT=date)
        server.line(inbn)
        assert server.get_head(inbn)["SUPA"] == "90"


def test_credit_and_payee_and_other_division(server: Any) -> None:
    credit = server.batch(CUAM="-119.00", VTAM="-19.00")
    server.line(credit, NLAM="-100.00", VTA1="-19.00")
    assert server.get_head(credit)["SUPA"] == "90"
    paid_as = server.batch(SUNO="10009")
    assert server.get_head(paid_as)["SPYN"] == "10010"
    elsewhere = server.batch(SUNO="10007", DIVI="BBB", CUCD="GBP")
    server.line(elsewhere, AIT1="6150", VTCD="3", DIVI="BBB")
    assert server.line(elsewhere)["errorCode"] == "XRE0103"
    books = server.ledger()["invoices"]
    assert next(i for i in books if i["inbn"] == int(credit))["kind"] == "CREDIT_MEMO"
    assert next(i for i in books if i["inbn"] == int(elsewhere))["divi"] == "BBB"


def wait_for(server: Any, inbn: str) -> dict[str, str]:
    deadline = time.monotonic() + 10
    while (head := server.get_head(inbn, "APS450MI"))["SUPA"] == "20":
        assert time.monotonic() < deadline
    record: dict[str, str] = head
    return record


def submit(server: Any, inbn: str) -> dict[str, Any]:
    result: dict[str, Any] = server.one("APS455MI", "ValidByBatchNo", {"INBN": inbn})
    return result


def test_aps450_posts_after_validation_only(server: Any) -> None:
    inbn = server.batch("APS450MI")
    server.line(inbn, "APS450MI")
    assert server.get_head(inbn, "APS450MI")["SUPA"] == "10"
    assert "errorCode" not in submit(server, inbn)
    head = wait_for(server, inbn)
    assert (head["SUPA"], head["VSER"], head["YEA4"]) == ("90", "API", "2026")
    assert int(head["VONO"]) > 0
    assert submit(server, inbn)["errorCode"] == "WIN0101"
    assert submit(server, "42")["errorCode"] == "XRE0103"


def test_aps450_unbalanced_batch_is_flagged_and_can_be_completed(server: Any) -> None:
    inbn = server.batch("APS450MI", CUAM="219.00")
    server.line(inbn, "APS450MI")
    submit(server, inbn)
    head = wait_for(server, inbn)
    assert (head["SUPA"], head["IBHE"], head["IBLE"]) == ("15", "1", "0")
    server.line(inbn, "APS450MI", VTA1="")
    submit(server, inbn)
    assert wait_for(server, inbn)["SUPA"] == "90"


def test_a_line_gone_bad_meanwhile_is_flagged_on_the_line(server: Any) -> None:
    account = {"cono": 100, "aitp": 1, "aitm": "6001", "name": "Soon closed"}
    server.master(dimensions=[account])
    inbn = server.batch("APS450MI")
    server.line(inbn, "APS450MI", AIT1="6001")
    server.master(dimensions=[account | {"blocked": True}])
    submit(server, inbn)
    assert wait_for(server, inbn)["IBLE"] == "1"
    lines = server.one("APS450MI", "LstLines", {"INBN": inbn})["records"]
    assert lines[0]["IBLE"] == "1"


def test_batches_by_payee(server: Any) -> None:
    inbn = server.batch("APS450MI", SUNO="10032")
    listed = server.one("APS450MI", "LstInvBatchNo", {"SPYN": "10032", "SUPA": "10"})["records"]
    assert inbn in [r["INBN"] for r in listed]
    unknown = {"SPYN": "10032", "SUNO": "10032", "SINO": "never"}
    assert server.one("APS450MI", "LstInvBySupInv", unknown)["errorCode"] == "XRE0103"


def test_invoice_from_elsewhere_is_in_the_ledger(server: Any) -> None:
    key = {"DIVI": "AAA", "SPYN": "10021", "SUNO": "10021", "SINO": "RT-884201", "INYR": "2026"}
    record = server.one("APS200MI", "GetInvTotInfo", key)["records"][0]
    assert (record["CUAM"], record["PCUA"], record["OCUA"]) == ("238.00", "0.00", "238.00")
    assert server.one("APS200MI", "LstInvoiceTrans", key)["records"][0]["TRCD"] == "40"
    assert server.one("APS200MI", "GetInvTotInfo", key | {"INYR": "2025"})["errorCode"] == "XRE0103"
    blank = {k: v for k, v in key.items() if k != "DIVI"}
    assert server.one("APS200MI", "GetInvTotInfo", blank)["errorCode"] == "WDI0102"
