"""Reference data read over a real socket from a small M3 that caps its lists."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from stampli_infor_transforms.reference import Company, DimensionValue, Supplier, TaxCode
from target_infor_cloudsuite.ion.errors import GatewayRefused, GatewayUnavailable
from target_infor_cloudsuite.m3.reference import (
    read_company,
    read_dimensions,
    read_suppliers,
    since_mark,
    supplier_details,
    supplier_references,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_infor_cloudsuite.ion.gateway import Gateway
    from tests.gateway.ion_server import Exchange, IonServer

Rows = list[dict[str, str]]

SUPPLIER = {"SUNM": "Example", "PRSU": "", "CUCD": "EUR", "TEPY": "T30", "PYME": "", "VTCD": "0", "SUST": "1"}
ACCOUNT = {
    "DIVI": "", "TX40": "Travel", "LCCD": "0", "AT13": "0", "VFDT": "20200101", "VTDT": "99999999",
    "ACR2": "1", "ACR3": "2", "ACR4": "0", "ACR5": "", "ACR6": "1", "ACR7": "0",
}  # fmt: skip


class SmallM3:
    """Lists that start at a key, the key included, and end at a cap."""

    def __init__(self, ion: IonServer, *, cap: int = 10_000) -> None:
        self.ion = ion
        self.cap = cap
        self.suppliers: Rows = []
        self.dimensions: Rows = []
        self.lists_by_division = False
        ion.default = self.answer

    def answer(self, exchange: Exchange) -> None:
        body = exchange.body
        most = min(body["maxReturnedRecords"] or self.cap, self.cap)
        results = []
        for asked in body["transactions"]:
            handler = getattr(self, f"{body['program']}_{asked['transaction']}")
            results.append({**handler(asked["record"]), "transaction": asked["transaction"]})
            results[-1]["records"] = results[-1]["records"][:most]
        exchange.answer({"results": results})

    def CRS620MI_LstSuppliers(self, record: dict[str, str]) -> Any:  # noqa: N802 - M3's names
        return self.ion.done("", *(row for row in self.suppliers if row["SUNO"] >= record.get("FRSU", "")))

    def CRS620MI_GetBasicData(self, record: dict[str, str]) -> Any:  # noqa: N802
        found = [row for row in self.suppliers if row["SUNO"] == record["SUNO"]]
        return self.ion.done("", *found) if found else self.ion.nok("", "WSU0103")

    def CRS620MI_LstSupplierRef(self, record: dict[str, str]) -> Any:  # noqa: N802
        if record["SUNO"] == "NONE":
            return self.ion.nok("", "XRE0103")
        return self.ion.done("", {"RFTY": "ST", "RFID": f"V-{record['SUNO']}"}, {"RFTY": "ST", "RFID": ""})

    def CRS630MI_LstAccountID(self, record: dict[str, str]) -> Any:  # noqa: N802
        rows = [row for row in self.dimensions if row["AITP"] == record["AITP"]]
        if self.lists_by_division:
            rows = [row for row in rows if row["DIVI"] == record.get("DIVI", "")]
        rows = [row for row in rows if row["AITM"] >= record.get("AITM", "")]
        return self.ion.done("", *rows) if rows else self.ion.nok("", "XRE0103")

    def CRS030MI_LstVat(self, _: dict[str, str]) -> Any:  # noqa: N802
        return self.ion.done("", {"VTCD": "0", "TX40": "None"}, {"VTCD": "21", "TX40": "21 %"})

    def MNS095MI_Lst(self, _: dict[str, str]) -> Any:  # noqa: N802
        return self.ion.done("", {"CONO": "100", "CCUC": "EUR"}, {"CONO": "200", "CCUC": ""})

    def MNS100MI_LstDivisions(self, _: dict[str, str]) -> Any:  # noqa: N802
        return self.ion.done("", {"DIVI": ""}, {"DIVI": "AAA"}, {"DIVI": "BBB"})

    def MNS100MI_GetBasicData(self, _: dict[str, str]) -> Any:  # noqa: N802
        return self.ion.done("", {"LOCD": "SEK"})


@pytest.fixture
def m3(ion: IonServer) -> SmallM3:
    return SmallM3(ion)


def test_a_whole_company(m3: SmallM3, gateway: Gateway) -> None:
    m3.suppliers = [{**SUPPLIER, "SUNO": "Y1"}]
    m3.dimensions = [{**ACCOUNT, "AITP": "1", "AITM": "4000", "DIVI": "AAA"}]
    read = read_company(gateway, 100)
    assert read.company == Company(cono=100, currency="EUR", divisions=("AAA", "BBB"))
    assert list(read.suppliers.values()) == [
        Supplier(suno="Y1", name="Example", payee="Y1", currency="EUR", terms="T30")
    ]
    assert list(read.dimensions.values()) == [
        DimensionValue(
            dimension=1,
            code="4000",
            divi="AAA",
            name="Travel",
            valid_from=date(2020, 1, 1),
            required=frozenset({2, 6}),
        )
    ]
    assert list(read.tax_codes.values()) == [TaxCode(code="0", name="None"), TaxCode(code="21", name="21 %")]
    assert gateway.requests_sent == 6  # the token's and one for each program


def test_the_currency_of_a_company_without_a_central_one(m3: SmallM3, gateway: Gateway) -> None:
    assert m3.cap
    assert read_company(gateway, 200).company.currency == "SEK"


def test_a_company_that_is_not_there(m3: SmallM3, gateway: Gateway) -> None:
    assert m3.cap
    with pytest.raises(GatewayRefused, match="no company 300"):
        read_company(gateway, 300)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6, 7, 20])
def test_pages_follow_until_the_end(m3: SmallM3, gateway: Gateway, count: int) -> None:
    m3.suppliers = [{**SUPPLIER, "SUNO": f"Y{number:03}"} for number in range(count)]
    found = read_suppliers(gateway, 100, page_size=3)
    assert [supplier.suno for supplier in found] == [f"Y{number:03}" for number in range(count)]


@pytest.mark.parametrize("count", [99, 100, 101, 199, 200, 250])
def test_a_cap_of_m3s_own_below_what_was_asked(m3: SmallM3, gateway: Gateway, count: int) -> None:
    m3.cap = 100
    m3.suppliers = [{**SUPPLIER, "SUNO": f"Y{number:03}"} for number in range(count)]
    assert len(read_suppliers(gateway, 100)) == count


def test_pages_that_do_not_move_on_are_an_error(ion: IonServer, gateway: Gateway) -> None:
    same = [{**SUPPLIER, "SUNO": f"Y{number}"} for number in range(3)]
    ion.default = lambda x: x.answer({"results": [ion.done("LstSuppliers", *same)]})
    with pytest.raises(GatewayUnavailable, match="CRS620MI/LstSuppliers answers with the same 3 records"):
        read_suppliers(gateway, 100, page_size=3)
    assert len(ion.requests) == 2


def test_only_what_changed(m3: SmallM3, ion: IonServer, gateway: Gateway) -> None:
    assert m3.cap
    mark = since_mark(datetime(2026, 1, 5, tzinfo=UTC))
    read_suppliers(gateway, 100, mark)
    assert mark == "1767570600000"
    assert ion.requests[0]["transactions"][0]["record"] == {"LMTS": mark}


@pytest.mark.parametrize(("status", "expected"), [("20", "20"), ("90", "90"), ("1", ""), ("", "")])
def test_a_list_shows_the_status_only_where_it_is_one(
    m3: SmallM3, gateway: Gateway, status: str, expected: str
) -> None:
    m3.suppliers = [{**SUPPLIER, "SUNO": "Y1", "SUST": status}]
    assert read_suppliers(gateway, 100)[0].status == expected


def test_details_of_suppliers(m3: SmallM3, ion: IonServer, gateway: Gateway) -> None:
    more = {"STAT": "90", "VRNO": "NL1", "PRSU": "P1", "VTCD": "21"}
    m3.suppliers = [{**SUPPLIER, "SUNO": "Y1", **more}]
    (found,) = supplier_details(gateway, 100, ["Y1", "GONE"])
    assert (found.status, found.tax_number, found.payee, found.tax_code) == ("90", "NL1", "P1", "21")
    assert len(ion.requests) == 1


def test_references_of_suppliers(m3: SmallM3, gateway: Gateway) -> None:
    assert m3.cap
    assert supplier_references(gateway, 100, ["Y1", "NONE"]) == {"Y1": ("V-Y1",), "NONE": ()}


@pytest.mark.parametrize("by_division", [False, True])
def test_dimensions_of_company_and_divisions(
    m3: SmallM3,
    ion: IonServer,
    gateway: Gateway,
    by_division: bool,  # noqa: FBT001
) -> None:
    m3.lists_by_division = by_division
    m3.dimensions = [
        {**ACCOUNT, "AITP": dimension, "AITM": code, "DIVI": divi}
        for dimension in ("1", "2")
        for code in ("A", "B", "C", "D")
        for divi in ("", "AAA")
    ]
    found = read_dimensions(gateway, 100, ["AAA"], page_size=3)
    assert len(found) == 16
    assert all(value.required == (frozenset({2, 6}) if value.dimension == 1 else set()) for value in found)
    assert len(ion.requests) < 10


def test_blocked_and_closed_values(m3: SmallM3, gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    m3.dimensions = [
        {**ACCOUNT, "AITP": "3", "AITM": "A", "LCCD": "1", "VFDT": "0", "VTDT": "20251231"},
        {**ACCOUNT, "AITP": "3", "AITM": "B", "AT13": "1", "VTDT": "20251399"},
    ]
    first, second = read_dimensions(gateway, 100)
    assert (first.blocked, first.blocked_manual, first.valid_from, first.valid_to) == (
        True,
        False,
        None,
        date(2025, 12, 31),
    )
    assert (second.blocked, second.blocked_manual, second.valid_to) == (False, True, None)
    assert "20251399" in caplog.text


def test_a_list_that_m3_refuses(ion: IonServer, make_gateway: Callable[..., Gateway]) -> None:
    ion.default = lambda x: x.answer({"results": [ion.nok("LstSuppliers", "XAU0001", "No access")]})
    with pytest.raises(GatewayRefused, match=r"CRS620MI/LstSuppliers: XAU0001 .*No access"):
        read_suppliers(make_gateway(), 100)
