"""``tap-stampli-sftp-check``: finds what is there and what is wrong, and changes nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.conftest import Server

INVOICES = (
    "Invoice ID,Invoice Number,Vendor ID,Invoice Date,Currency,Invoice Amount,Line Amount,GL Account\n"
    "1,A-1,V1,2026-11-01,EUR,{amount},10.00,4000\n"
)


def check(config: dict[str, Any], tmp_path: Path) -> tuple[int, dict[str, dict[str, Any]], dict[str, Any]]:
    path = tmp_path / "tap.json"
    path.write_text(json.dumps(config), "utf-8")
    program = Path(sys.executable).with_name("tap-stampli-sftp-check")
    done = subprocess.run([str(program), "--config", str(path)], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    found = json.loads(done.stdout)
    assert all(each["what_to_do"] for each in found["findings"] if each["result"] != "ok")
    return done.returncode, {each["check"]: each for each in found["findings"]}, found["samples"]


def test_what_is_there_is_found(server: Server, tmp_path: Path) -> None:
    server.put("invoices_1.csv", INVOICES.format(amount="10.00"))
    server.put("other.csv", "x")
    before = {path: path.stat().st_mtime_ns for path in server.directory.iterdir()}
    code, found, samples = check(server.config(), tmp_path)
    assert {path: path.stat().st_mtime_ns for path in server.directory.iterdir()} == before
    assert code == 0
    assert {each["result"] for name, each in found.items() if name != "stream payments"} == {"ok"}
    assert found["stream payments"]["result"] == "warning"
    assert "1 files match invoices_*" in found["stream invoices"]["text"]
    assert samples["invoices"]["invoice_number"] == "A-1"


def test_what_is_wrong_is_found(server: Server, tmp_path: Path) -> None:
    server.put("invoices_1.csv", INVOICES.format(amount="ten"))
    code, found, samples = check(server.config(), tmp_path)
    assert (code, found["stream invoices"]["result"], samples) == (1, "failed", {})
    assert "ten" in found["stream invoices"]["text"]
    for wrong, name in (
        ({"host_key": f"SHA256:{'A' * 43}"}, "host key"),
        ({"username": "nobody-42"}, "login"),
        ({"outbound_path": "/nowhere"}, "directory"),
        ({"min_age_seconds": "x"}, "settings"),
    ):
        code, found, _ = check(server.config(**wrong), tmp_path)
        assert (code, found[name]["result"]) == (1, "failed"), found
