"""Reference data and versions of crosswalks held against each other."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from stampli_infor_transforms.alignment import align_accounts, align_suppliers
from stampli_infor_transforms.changes import Change, diff_mappings
from stampli_infor_transforms.crosswalk_checks import check_crosswalks
from stampli_infor_transforms.crosswalks import Crosswalks

if TYPE_CHECKING:
    from .conftest import Records, World

GL = "cono,divi,stampli_gl_account,ait1,ait2,ait3,ait4,ait5,ait6,ait7,allocation"
SUPPLIERS = "cono,stampli_vendor_id,suno,payee"
COMPANIES = "stampli_company,cono,divi,bank_bsid\nHere,100,AAA,\nThere,200,AAA,"


@pytest.mark.parametrize(
    ("vendor", "outcome", "suno", "proposed"),
    [
        ({"vendor_external_id": "Y2001", "vendor_name": "Example Limited"}, "matched", "Y2001", ""),
        ({"vendor_name": "Example Ltd"}, "matched", "Y2001", "Y2001"),
        ({"vendor_external_id": "Y2001", "vendor_name": "Sample AG"}, "renamed", "Y2001", ""),
        ({"vendor_name": "Blocked Ltd"}, "blocked", "Y2003", "Y2003"),
        ({"vendor_external_id": "Y2004"}, "blocked", "Y2004", ""),
        ({"vendor_name": "Twin Inc"}, "ambiguous", "", "Y2005"),
        ({"vendor_name": "Exampel Ltd"}, "unmatched", "", "Y2001"),
        ({"vendor_name": "Zzzzzz"}, "unmatched", "", ""),
    ],
)
def test_suppliers(vendor: dict[str, Any], outcome: str, suno: str, proposed: str, world: World) -> None:
    (row,) = align_suppliers(
        [{"vendor_id": "V1", **vendor}], world.reference.companies[100], Crosswalks.parse({}), world.policy
    )
    assert (row.outcome, row.m3_code, row.proposed.get("suno", "")) == (outcome, suno, proposed)
    assert bool(row.text) == (outcome != "matched")
    if row.proposed:
        merged = Crosswalks.parse({"suppliers.csv": f"{SUPPLIERS}\n{','.join(row.proposed.values())}"})
        (again,) = align_suppliers(
            [{"vendor_id": "V1", **vendor}], world.reference.companies[100], merged, world.policy
        )
        assert again.m3_code == proposed
        assert again.proposed == {}
    assert row.to_json()["outcome"] == outcome


@pytest.mark.parametrize(
    ("code", "name", "outcome", "account", "proposed"),
    [
        ("6100", "Travel", "matched", "6100", ""),
        ("6200", "", "matched", "6200", ""),
        ("6100", "Journeys", "renamed", "6100", ""),
        ("6300", "Old", "blocked", "6300", ""),
        ("06100", "Travel", "unmatched", "", "6100"),
        ("", "", "unmatched", "", ""),
        ("BOTH", "", "matched", "6100", ""),
    ],
)
def test_accounts(code: str, name: str, outcome: str, account: str, proposed: str, world: World) -> None:
    crosswalks = Crosswalks.parse({"gl_accounts.csv": f"{GL}\n100,,BOTH,6100,PLANT1,,,,,,"})
    (row,) = align_accounts(
        [{"gl_account": code, "gl_account_name": name}],
        world.reference.companies[100],
        crosswalks,
        world.policy,
        on=date(2026, 1, 1),
    )
    assert (row.outcome, row.proposed.get("ait1", "")) == (outcome, proposed)
    assert row.m3_code == account or outcome == "unmatched"
    if row.proposed:
        Crosswalks.parse({"gl_accounts.csv": f"{GL}\n{','.join(row.proposed.values())}"})


def test_other_companies_are_left_out(world: World) -> None:
    crosswalks = Crosswalks.parse({"companies.csv": COMPANIES})
    vendors = [{"company": name, "vendor_id": name} for name in ("Here", "There", "Nowhere")]
    rows = align_suppliers(vendors, world.reference.companies[100], crosswalks, world.policy)
    assert [row.code for row in rows] == ["Here"]


def test_what_a_new_version_would_change(world: World, records: Records) -> None:
    record = records.invoice(lines=[records.line(gl_account="T")])
    old = world.table("gl_accounts", GL, "100,,T,6100,,,,,,,").invoice(record)
    new = world.table("gl_accounts", GL, "100,,T,6200,,CC10,,,,,").invoice(record)
    gone = world.invoice(record)
    assert diff_mappings(old, new) == (
        Change("lines.1.ait1", "6100", "6200"),
        Change("lines.1.ait3", "", "CC10"),
    )
    assert diff_mappings(old, old) == ()
    assert [change.field for change in diff_mappings(old, gone)] == [
        "lines.1.ait1",
        "reasons.gl_account_not_found.lines.1.ait1",
    ]
    unmapped = world.invoice([])
    changes = diff_mappings(old, unmapped)
    assert changes[0].to_json() == {"field": "cono", "old": "100", "new": ""}
    assert changes[-1].field == "reasons.malformed_document"


def test_crosswalks_against_m3(world: World) -> None:
    crosswalks = Crosswalks.parse(
        {
            "companies.csv": "stampli_company,cono,divi,bank_bsid\nA,100,ZZZ,\nB,200,ZZZ,",
            "suppliers.csv": f"{SUPPLIERS}\n100,V1,Y2001,\n100,V2,Y999,",
            "gl_accounts.csv": f"{GL}\n100,,A,6500,,,,,,,\n100,AAA,B,6500,,,,,,,\n100,,C,006100,,,,,,,",
            "dimensions.csv": "cono,divi,dimension,stampli_code,ait,value\n100,,project,P,ait3,CC99",
            "gl_rules.csv": "cono,divi,gl_account,vendor,company,text,ait,value\n100,,6100,,,,ait3,CC98",
            "tax_codes.csv": "cono,divi,stampli_tax_code,vtcd\n100,,T,99\n100,,N,none",
        }
    )
    problems = check_crosswalks(crosswalks, world.reference)
    assert [problem.split(",")[0] for problem in problems] == [
        "companies.csv:2: column 'divi' is 'ZZZ'",
        "companies.csv:3: column 'cono' is '200'",
        "suppliers.csv:3: column 'suno' is 'Y999'",
        "gl_accounts.csv:3: column 'ait1' is '6500'",
        "gl_accounts.csv:4: column 'ait1' is '006100'",
        "dimensions.csv:2: column 'value' is 'CC99'",
        "gl_rules.csv:2: column 'value' is 'CC98'",
        "tax_codes.csv:2: column 'vtcd' is '99'",
    ]
    assert problems[4].endswith("It has 6100, which differs in leading zeros alone.")
