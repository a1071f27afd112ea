from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from target_infor_cloudsuite.m3.catalog import USED, Catalog
from target_infor_cloudsuite.m3.trim import trim
from target_infor_cloudsuite.m3.values import Field

if TYPE_CHECKING:
    from target_infor_cloudsuite.ion.gateway import Gateway
    from tests.gateway.ion_server import Exchange, IonServer

TENANT = {
    "APS450MI": {"AddHead": ["SUNO", "SINO"], "AddLine": ["INBN", "AIT1"], "GetHead": ["INBN"], "Other": []},
    "APS455MI": {"ValidByBatchNo": ["INBN"]},
}


def repository(ion: IonServer, tenant: dict[str, dict[str, list[str]]]) -> Any:
    """Answer as MRS001MI does for a tenant that exposes these fields."""

    def result(name: str, record: dict[str, str]) -> dict[str, Any]:
        transactions = tenant.get(record["MINM"])
        if transactions is None:
            return ion.nok(name, "XRE0103", "Record does not exist")
        if name == "LstTransactions":
            return ion.done(name, *({"MINM": record["MINM"], "TRNM": each} for each in transactions))
        fields = transactions[record["TRNM"]]
        if record["TRTP"] == "O":
            fields = ["SUPA", "CORI"] if "SINO" in transactions["AddHead"] else ["SUPA"]
        return ion.done(
            name,
            *(
                {"FLNM": each, "TYPE": "A", "LENG": " 10", "MAND": "1" if each == "INBN" else "0"}
                for each in fields
            ),
        )

    def answer(exchange: Exchange) -> None:
        asked = exchange.body["transactions"]
        exchange.answer({"results": [result(each["transaction"], each["record"]) for each in asked]})

    return answer


def test_what_the_tenant_exposes(ion: IonServer, gateway: Gateway) -> None:
    ion.default = repository(ion, TENANT)
    catalog = Catalog.read(gateway, 100)
    assert catalog.source == "tenant"
    assert catalog.exposes("APS450MI", "AddHead", "AddLine")
    assert not catalog.exposes("APS450MI", "AddHead", "LstLines")
    assert not catalog.exposes("APS100MI")
    assert catalog.fields("APS450MI", "AddLine") == {
        "INBN": Field("INBN", "A", 10, mandatory=True),
        "AIT1": Field("AIT1", "A", 10, mandatory=False),
    }
    assert catalog.fields("APS450MI", "Other") == {}
    assert catalog.correlated == {"APS450MI"}
    assert len(ion.requests) == 2
    assert Catalog.from_json(json.loads(json.dumps(catalog.to_json()))) == catalog


def test_a_head_that_answers_no_cori_is_not_correlated(ion: IonServer, gateway: Gateway) -> None:
    ion.default = repository(ion, {"APS450MI": {"AddHead": ["SUNO"], "GetHead": ["INBN"]}})
    assert Catalog.read(gateway, 100).correlated == frozenset()


@pytest.mark.parametrize("how", ["403", "not authorised", "not exposed", "fields refused"])
def test_a_hidden_repository_means_the_shipped_catalogue(
    ion: IonServer, gateway: Gateway, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    def refuse(exchange: Exchange) -> None:
        code = "XRE0103" if how == "not exposed" else "XAU0001"
        names = [each["transaction"] for each in exchange.body["transactions"]]
        exchange.answer({"results": [ion.nok(name, code) for name in names]})

    if how == "403":
        ion.default = lambda x: x.answer({}, status=403)
    else:
        ion.default = refuse
    if how == "fields refused":
        ion.script.append(repository(ion, TENANT))
    with caplog.at_level(logging.WARNING):
        catalog = Catalog.read(gateway, 100)
    assert catalog == Catalog.shipped()
    assert "MRS001MI" in caplog.text


def test_the_shipped_catalogue_claims_only_what_is_certain() -> None:
    catalog = Catalog.shipped()
    assert catalog.source == "shipped"
    assert catalog.exposes("APS450MI", "AddHead", "AddLine", "GetHead", "LstLines", "LstInvBySupInv")
    assert catalog.exposes("ABS100MI", *USED["ABS100MI"])
    assert not catalog.exposes("APS450MI", "DltInvoice")
    assert not catalog.exposes("APS100MI", "AddHead")
    assert "AIT1" not in catalog.fields("APS450MI", "AddLine")
    assert "AIT1" in catalog.fields("APS100MI", "AddLine")
    assert catalog.fields("APS450MI", "AddHead")["CORI"] == Field("CORI", "A", 36, mandatory=False)
    assert catalog.fields("APS450MI", "AddHead")["SUNO"].mandatory
    assert Catalog.from_json(json.loads(json.dumps(catalog.to_json()))) == catalog


def test_the_shipped_catalogue_covers_whatever_is_used() -> None:
    catalog = Catalog.shipped()
    used = {(program, name) for program, names in USED.items() for name in names}
    assert set(catalog.layouts) | set(catalog.unproven) == used


def test_trimming_names_what_an_export_lacks() -> None:
    with pytest.raises(KeyError, match="APS100MI"):
        trim({})
