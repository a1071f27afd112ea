from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import yaml
from tap_stampli_sftp.templates import load_templates

if TYPE_CHECKING:
    from pathlib import Path


def suggested(path: Path, stream: str = "invoices") -> str:
    command = [sys.executable, "-m", "tap_stampli_sftp.suggest", str(path), "--stream", stream]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_template_is_suggested_from_a_csv(tmp_path: Path) -> None:
    path = tmp_path / "bills.csv"
    path.write_bytes("Bill #;Supplier;Bill Date;Currency;Brutto;Line Amount;Straße\n".encode("cp1252"))
    text = suggested(path)
    assert "# Bill #: invoice_number, by an alias" in text
    assert "# Currency: currency, by its name" in text
    assert "# Straße: not known; kept in extra" in text
    template = yaml.safe_load(text)["templates"]["invoices"]
    assert template == {"encoding": "cp1252", "delimiter": ";", "columns": {"total_amount": ""}}
    template["columns"]["total_amount"] = "Brutto"
    assert load_templates({"invoices": template})


def test_a_template_is_suggested_from_xml(tmp_path: Path) -> None:
    path = tmp_path / "vendors.xml"
    path.write_text("<Vendors><Vendor><VendorID>V1</VendorID><Mood>good</Mood></Vendor></Vendors>")
    text = suggested(path, "vendors")
    assert "# VendorID: vendor_id, by its name" in text
    assert "# Mood: not known" in text
    assert load_templates(yaml.safe_load(text)["templates"])
