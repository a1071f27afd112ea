"""Stampli's lists beside M3's, and M3's lists for Stampli: as commands, with a real ledger and sandbox."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from stampli_infor_transforms.crosswalks import Crosswalks
from stampli_infor_transforms.reference import Company, CompanyReference, DimensionValue, Reference, Supplier
from target_infor_cloudsuite.import_lists import write_lists
from target_infor_cloudsuite.ledger import Ledger
from target_infor_cloudsuite.ledger.documents import Hand
from target_infor_cloudsuite.posting.intake import receive

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Message, Programs


@pytest.fixture
def exported(quiet: Programs, sample: tuple[Message, ...]) -> Programs:
    """Programs whose ledger has Stampli's vendors and GL accounts of the sample, and three odd ones."""
    more: list[dict[str, str | None]] = [
        {"company": "NW-DE", "vendor_id": "V-1", "vendor_name": "=cmd|' /C calc'!A0", "status": "Active"},
        {"company": None, "vendor_id": "V-2", "vendor_name": "Nobody's", "status": "Active"},
    ]
    ledger = Ledger(quiet.config["ledger_url"])
    ledger.open()
    with ledger.write() as tx:
        for stream in ("vendors", "gl_accounts"):
            records = [each["record"] for each in sample if each.get("stream") == stream and "record" in each]
            records += more if stream == "vendors" else []
            receive(tx, stream, records, hand=Hand("test", datetime.now(UTC)))
    ledger.close()
    return quiet


def test_align_tells_what_fits_and_what_does_not(exported: Programs) -> None:
    found = exported.json("reference", "align")
    by_code = {(each["company"], each["code"]): each for each in found}
    assert by_code["NW-DE", "V-1001"]["outcome"] == "matched"
    assert by_code["NW-DE", "V-1018"]["outcome"] == "blocked"
    unknown = by_code["NW-DE", "V-9999"]
    assert (unknown["outcome"], bool(unknown["suggestions"])) == ("unmatched", True)
    foreign = by_code["NW-FR", "V-1029"]
    assert (foreign["cono"], foreign["outcome"]) == (None, "unmatched")
    assert "companies.csv" in foreign["text"]
    assert by_code["NW-DE", "6000"]["outcome"] == "matched"
    assert by_code["NW-DE", "7910"]["outcome"] == "blocked"
    nobody = [each["cono"] for each in found if each["code"] == "V-2"]
    assert nobody == [100, 200]  # it names no company: it is every company's
    seen = Counter((each["stream"], each["company"], each["code"]) for each in found)
    assert {key for key, count in seen.items() if count > 1} == {("vendors", "", "V-2")}


def test_align_as_table_and_as_csv_safe_to_open(exported: Programs) -> None:
    exported.env["COLUMNS"] = "100"
    told = exported.ap("reference", "align")
    assert told.returncode == 3
    assert "V-9999" in told.stdout
    assert "V-1001" not in told.stdout
    assert "V-1001" in exported.ap("reference", "align", "--all").stdout
    done = exported.ap("reference", "align", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == len(exported.json("reference", "align"))
    (odd,) = [row for row in rows if row["code"] == "V-1"]
    assert odd["name"] == "'=cmd|' /C calc'!A0"


def test_proposals_are_for_review_and_fit_the_crosswalks(exported: Programs) -> None:
    found = exported.json("reference", "align", "--output", "proposed")
    directory = exported.directory / "proposed"
    assert sorted(path.name for path in directory.iterdir()) == ["gl_accounts.csv", "suppliers.csv"]
    loaded = Crosswalks.load(directory)
    wanted = sum(bool(each["proposed"]) for each in found)
    assert wanted > 3
    assert len(loaded.rows("suppliers.csv")) + len(loaded.rows("gl_accounts.csv")) == wanted
    crosswalks = exported.config["crosswalk_dir"]
    refused = exported.ap("reference", "align", "--output", crosswalks)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "review" in refused.stderr


def test_nothing_exported_yet_is_told(quiet: Programs) -> None:
    done = quiet.ap("--format", "json", "reference", "align")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    assert "no vendors" in done.stderr


def test_lists_for_stampli_name_what_m3_has(quiet: Programs) -> None:
    done = quiet.ap("reference", "export", "--for", "stampli", "--output", "lists")
    assert done.returncode == 0, done.stderr
    vendors, accounts = (
        list(csv.DictReader((quiet.directory / "lists" / name).read_text("utf-8").splitlines()))
        for name in ("vendors.csv", "gl_accounts.csv")
    )
    assert (
        {row["Company"] for row in vendors}
        == {row["Company"] for row in accounts}
        == {
            "NW-DE",
            "NW-UK",
            "NW-US",
        }
    )
    states = {(row["Company"], row["GL Account"]): row["Status"] for row in accounts}
    assert (states["NW-DE", "6000"], states["NW-DE", "7900"], states["NW-DE", "7920"]) == (
        "Active",
        "Inactive",
        "Inactive",
    )
    of_suppliers = {(row["Company"], row["Vendor External ID"]): row["Status"] for row in vendors}
    assert (of_suppliers["NW-DE", "10001"], of_suppliers["NW-DE", "10018"]) == ("Active", "Inactive")
    # 6150 is the British division's own account
    assert ("NW-UK", "6150") in states
    assert ("NW-DE", "6150") not in states


def test_lists_are_safe_to_open_and_codes_stay(tmp_path: Path) -> None:
    company = CompanyReference(
        company=Company(100, "EUR"),
        suppliers=[Supplier("-007", "=1+1 GmbH", terms="30N"), Supplier("B", "Blocked", status="90")],
        dimensions=[DimensionValue(1, "0012", name="@sum"), DimensionValue(3, "CC1")],
    )
    crosswalks = Crosswalks.parse(
        {
            "suppliers.csv": "cono,stampli_vendor_id,suno,payee\n100,V7,-007,\n",
            "payment_terms.csv": "cono,stampli_terms,tepy\n100,Net 30,30N\n",
        }
    )
    paths = write_lists(
        tmp_path / "new" / "lists", crosswalks, Reference({100: company}), on=date(2026, 1, 1)
    )
    vendors, accounts = (path.read_text("utf-8").splitlines()[1:] for path in paths)
    assert vendors == [",V7,-007,'=1+1 GmbH,,,Net 30,Active", ",,B,Blocked,,,,Inactive"]
    assert accounts == [",0012,'@sum,0012,Active"]
