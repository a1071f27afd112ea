"""Master data as MI programs show it, and changed by a test."""

from __future__ import annotations

from typing import Any

import pytest
import requests


def test_supplier_list_and_details(server: Any) -> None:
    part = server.one("CRS620MI", "LstSuppliers", {"FRSU": "10008", "TOSU": "10010"})["records"]
    assert [(r["SUNO"], r["PRSU"], r["SUST"]) for r in part] == [
        ("10008", "", "0"), ("10009", "10010", "0"), ("10010", "", "0")]  # fmt: skip
    stats = {
        n: server.one("CRS620MI", "GetBasicData", {"SUNO": n})["records"][0]
        for n in ("10001", "10018", "10019")
    }
    assert [r["STAT"] for r in stats.values()] == ["20", "90", "10"]
    assert stats["10001"]["VRNO"] == "DE811234501"


def test_suppliers_changed_since(server: Any) -> None:
    before = server.one("CRS620MI", "LstSuppliers", {"LMTS": "1770000000000"})["records"]
    server.master(suppliers=[{"cono": 200, "suno": "20009", "name": "Late Arrival Inc.", "currency": "USD"}])
    assert before == []
    later = server.one("CRS620MI", "LstSuppliers", {"LMTS": "1770000000000"}, cono=200, divi="")["records"]
    assert [r["SUNO"] for r in later] == ["20009"]


def test_supplier_references(server: Any) -> None:
    listed = server.one("CRS620MI", "LstSupplierRef", {"SUNO": "10020"})["records"]
    assert [(r["RFTY"], r["RFID"], r["YRE1"]) for r in listed] == [("ST", "EXT-7001", "EXT-7001")]
    new = {"SUNO": "10024", "RFTY": "ST", "RFID": "EXT-1", "YRE1": "EXT-1"}
    assert "errorCode" not in server.one("CRS620MI", "AddSupplierRef", new)
    assert server.one("CRS620MI", "AddSupplierRef", new)["errorCode"] == "XRE0104"
    assert server.one("CRS620MI", "AddSupplierRef", new | {"SUNO": "nobody"})["errorCode"] == "WSU0103"
    key = {k: new[k] for k in ("SUNO", "RFTY", "RFID")}
    assert server.one("CRS620MI", "GetSupplierRef", key)["records"][0]["YRE1"] == "EXT-1"
    assert server.one("CRS620MI", "GetSupplierRef", key | {"RFID": "EXT-2"})["errorCode"] == "XRE0103"


def test_dimensions(server: Any) -> None:
    listed = server.one("CRS630MI", "LstAccountID", {"AITP": "1", "DIVI": "AAA"}, maxReturnedRecords=0)[
        "records"
    ]
    found = {r["AITM"]: r for r in listed}
    assert "6150" not in found
    assert (found["6100"]["ACR3"], found["6000"]["ACR3"]) == ("1", "0")
    assert (found["7900"]["LCCD"], found["7910"]["AT13"]) == ("1", "1")
    assert (found["7920"]["VFDT"], found["7920"]["VTDT"]) == ("20250101", "20251231")
    paged = server.one("CRS630MI", "LstAccountID", {"AITP": "1", "DIVI": "BBB", "AITM": "6100"})["records"]
    assert [r["AITM"] for r in paged][:2] == ["6100", "6150"]
    one = {"AITP": "1", "AITM": "6150"}
    assert server.one("CRS630MI", "GetAccountID", one | {"DIVI": "BBB"})["records"]
    assert server.one("CRS630MI", "GetAccountID", one)["errorCode"] == "XRE0103"
    assert server.one("CRS630MI", "LstAccountID", {"AITP": "8"})["errorCode"] == "WAI0101"


def test_tax_codes_companies_divisions(server: Any) -> None:
    codes = server.one("CRS030MI", "LstVat", {})["records"]
    assert [r["VTCD"] for r in codes] == ["1", "2", "3", "4", "5"]
    assert server.one("CRS030MI", "GetBasicData", {"VTCD": "9"})["errorCode"] == "WVT0103"
    divisions = server.one("MNS100MI", "LstDivisions", {"CONO": "100"})["records"]
    assert [r["DIVI"] for r in divisions] == ["AAA", "BBB"]
    assert server.one("MNS100MI", "GetBasicData", {"DIVI": "BBB"})["records"][0]["LOCD"] == "GBP"
    assert server.one("MNS100MI", "GetBasicData", {}, divi="")["records"][0]["LOCD"] == "EUR"


@pytest.mark.parametrize(
    "data",
    [{"planets": [{}]}, {"suppliers": [{"suno": "1", "colour": "red"}]}, {"suppliers": [{"suno": "1"}]}, []],
)
def test_wrong_master_data_is_refused_whole(server: Any, data: Any) -> None:
    good = {"terms": [{"cono": 100, "tepy": "77"}]}
    body = good | data if isinstance(data, dict) else data
    response = requests.put(f"{server.control_url}/master", json=body, timeout=10)
    assert (response.status_code, bool(response.json()["error"])) == (400, True)
    assert server.head(TEPY="77")["errorCode"] == "WTE0103"
