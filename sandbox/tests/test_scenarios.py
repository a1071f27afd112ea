"""The sample's files, master data and crosswalks fit each other; scenario real leaves its gaps."""

from __future__ import annotations

import csv
import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(str(resources.files("stampli_infor_sandbox"))) / "samples"
CROSSWALKS = Path(__file__).parents[2] / "transforms" / "crosswalks"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_crosswalks_lead_to_what_m3_has() -> None:
    master = json.loads((SAMPLES / "master.json").read_text(encoding="utf-8"))["master"]
    values = {(d["cono"], d["aitp"], d["aitm"]) for d in master["dimensions"]}
    banks = {(b["cono"], b["divi"], b["bsid"]) for b in master["banks"]}
    for row in rows(CROSSWALKS / "companies.csv"):
        assert (int(row["cono"]), row["divi"], row["bank_bsid"]) in banks
    for row in rows(CROSSWALKS / "banks.csv"):
        assert (int(row["cono"]), row["divi"], row["bsid"]) in banks
    for row in rows(CROSSWALKS / "dimensions.csv"):
        assert (int(row["cono"]), int(row["ait"][3:]), row["value"]) in values
    for name in ("gl_accounts.csv", "allocations.csv"):
        for row in rows(CROSSWALKS / name):
            for n in range(1, 8):
                assert not row[f"ait{n}"] or (int(row["cono"]), n, row[f"ait{n}"]) in values
    suppliers = {(s["cono"], s["suno"]): s.get("payee", "") for s in master["suppliers"]}
    for row in rows(CROSSWALKS / "suppliers.csv"):
        assert suppliers[int(row["cono"]), row["suno"]] == row["payee"]
    terms = {(t["cono"], t["tepy"]) for t in master["terms"]}
    for row in rows(CROSSWALKS / "payment_terms.csv"):
        assert (int(row["cono"]), row["tepy"]) in terms
    codes = {(t["cono"], t["vtcd"]) for t in master["tax_codes"]}
    for row in rows(CROSSWALKS / "tax_codes.csv"):
        assert (int(row["cono"]), int(row["vtcd"])) in codes


def test_sample_files_have_the_template_s_columns_and_the_documents_promised() -> None:
    first, second = (rows(SAMPLES / f"invoices_2026-11-{day}.csv") for day in (18, 20))
    documents = {row["Invoice ID"] for row in first + second}
    assert len(documents) == 47
    assert {row["Invoice ID"] for row in first} & {row["Invoice ID"] for row in second} == {"SI-5002"}
    assert {r["Currency"] for r in first + second} == {"EUR", "GBP", "USD", "JPY", ""}
    assert any("\r\n" in r["Memo"] for r in first)
    assert list(first[0])[:3] == ["Company", "Invoice ID", "Invoice Number"]
    payments = rows(SAMPLES / "payments_2026-11-20.csv")
    assert len({row["Payment ID"] for row in payments}) == 11


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Two small files of the published shape."""
    head = "Body,Name of Body,Date,Transaction Number,Invoice Number,Amount,Supplier Name,Supplier ID,"
    tail = "Expense Area,Expense Type,Expense Code,Creditor Type\r\n"
    old = "18,C,03/05/2011,T1,N1,500,OLD \u2013 SEVEN,100007,1,Chief Executives,Old nine,1809,LTD\r\n"
    old += "," * 12 + "\r\n"
    new = "".join(
        f"18,C,2024-09-02 00:00:00,T{n},N{n},1.50,S{n},{supplier},,Corporate Services,Type,{code},LTD\r\n"
        for n, (supplier, code) in enumerate([("200001", "5701"), ("200007", "5709"), ("100007", "1809")])
    )
    (tmp_path / "spend-2011-05.csv").write_bytes((head + "VAT Reg no," + tail + old).encode("cp1252"))
    (tmp_path / "spend-2024-09.csv").write_bytes((head + "Vat Reg No," + tail + new).encode("utf-8-sig"))
    return tmp_path


def test_real_scenario_has_the_older_file_and_gaps_in_the_newer(
    launch: Any, published: Path, tmp_path: Path
) -> None:
    running = launch("--scenario", "real", "--data", str(published), home=tmp_path / "home")
    suppliers = running.one("CRS620MI", "LstSuppliers", {})["records"]
    assert [(r["SUNO"], r["CUCD"]) for r in suppliers] == [("100007", "GBP"), ("200001", "GBP")]
    accounts = running.one("CRS630MI", "LstAccountID", {"AITP": "1"})["records"]
    assert [r["AITM"] for r in accounts] == ["1809", "5701"]
    areas = running.one("CRS630MI", "LstAccountID", {"AITP": "4"})["records"]
    assert "Chief Executives" in [r["TX40"] for r in areas]
    outbound = running.home / "sftp" / "outbound"
    assert sorted(p.name for p in outbound.iterdir()) == ["invoices_2011-05.csv", "invoices_2024-09.csv"]
    assert (outbound / "invoices_2011-05.csv").read_bytes() == (published / "spend-2011-05.csv").read_bytes()
