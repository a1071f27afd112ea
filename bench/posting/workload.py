"""What the benches post, and the processes they post it with: a sandbox, and the target before it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    import resource
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
LINES = 5
_ACCOUNTS = ("6000", "6100", "6200")
_DEPARTMENTS = ("Administration", "Marketing", "Engineering", "Operations")


def invoices(count: int, *, first: int = 0, lines: int = LINES) -> Iterator[dict[str, Any]]:
    """Invoices of so many lines each, every one with its own number and its own amounts."""
    for nth in range(first, first + count):
        rows = [_line(nth, place) for place in range(1, lines + 1)]
        total = sum((row["amount"] + row["tax_amount"] for row in rows), Decimal(0))
        yield {
            "company": "NW-DE",
            "invoice_id": f"SI-{nth:08d}",
            "invoice_number": f"B{nth:08d}-X",
            "invoice_type": "INVOICE",
            "vendor_id": "V-1001",
            "vendor_external_id": "10001",
            "vendor_name": "Müller & Söhne GmbH",
            "invoice_date": "2026-11-02",
            "due_date": "2026-12-02",
            "posting_date": "2026-11-03",
            "approved_at": "2026-11-17",
            "currency": "EUR",
            "total_amount": total,
            "tax_amount": sum((row["tax_amount"] for row in rows), Decimal(0)),
            "po_number": None,
            "payment_terms": "Net 30",
            "memo": None,
            "status": "Approved",
            "lines": rows,
            "extra": {},
            "_sdc_source_file": "/outbound/invoices_bench.csv",
            "_sdc_source_line": nth * lines + 2,
            "_sdc_source_mtime": "2026-11-10T08:00:00+00:00",
            "_sdc_source_sha256": "0" * 64,
        }


def _line(nth: int, place: int) -> dict[str, Any]:
    net = Decimal(1000 + nth % 5000 + place * 137) / 100
    return {
        "line_number": str(place),
        "amount": net,
        "tax_amount": (net * Decimal("0.19")).quantize(Decimal("0.01")),
        "tax_code": "DE19",
        "description": f"Order {nth}, item {place}",
        "gl_account": "6000",
        "department": _DEPARTMENTS[place % len(_DEPARTMENTS)],
        "cost_center": None,
        "location": None,
        "project": None,
        "company": None,
        "allocation": None,
        "extra": {},
    }


def write_messages(path: Path, count: int, *, first: int = 0) -> None:
    """The Singer messages of so many invoices."""
    schema = {"type": "object", "properties": {}}
    messages = [
        {"type": "SCHEMA", "stream": "invoices", "schema": schema, "key_properties": []},
        *({"type": "RECORD", "stream": "invoices", "record": each} for each in invoices(count, first=first)),
        {"type": "STATE", "value": {"bookmarks": {}}},
    ]
    with path.open("w", encoding="utf-8") as file:
        for message in messages:
            file.write(json.dumps(message, default=float) + "\n")


@dataclass
class World:
    """A served sandbox and the settings of a target before it."""

    directory: Path
    url: str
    settings: dict[str, Any] = field(default_factory=dict)

    def requests(self) -> list[dict[str, Any]]:
        """Every request that reached the gateway since it was last asked, tokens included."""
        found: list[dict[str, Any]] = requests.get(f"{self.url}/requests", timeout=60).json()
        requests.delete(f"{self.url}/requests", timeout=60)
        return found

    def fault(self, **rule: Any) -> None:
        """Order a fault of the sandbox."""
        requests.post(f"{self.url}/faults", json=[rule], timeout=60).raise_for_status()

    def run(self, messages: Path) -> dict[str, float]:
        """Run the target on these messages; CPU seconds of that process, and its peak memory in MB."""
        config = self.directory / "target.json"
        config.write_text(json.dumps(self.settings), "utf-8")
        with messages.open() as stdin, (self.directory / "target.err").open("a") as stderr:
            process = subprocess.Popen(
                [BIN / "target-infor-cloudsuite", "--config", config],
                stdin=stdin,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
            usage = _ended(process)
        if process.returncode:
            text = (self.directory / "target.err").read_text("utf-8")[-2_000:]
            raise RuntimeError(f"the target ended with {process.returncode}: {text}")
        return {"cpu": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss / 1024}

    def tap_settings(self) -> dict[str, Any]:
        """Settings of tap-stampli-sftp for this sandbox's files."""
        sftp = json.loads((self.directory / "sandbox" / "sandbox.json").read_text())["sftp"]
        names = ("host", "port", "username", "password", "host_key", "outbound_path")
        return {name: sftp[name] for name in names}


def cpu_of(process: subprocess.Popen[Any]) -> float:
    """CPU seconds of a process, when it has ended."""
    usage = _ended(process)
    return usage.ru_utime + usage.ru_stime


def _ended(process: subprocess.Popen[Any]) -> resource.struct_rusage:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage


@contextmanager
def world(
    directory: Path, *, tenant: str = "aps100", scenario: str = "empty", **options: Any
) -> Iterator[World]:
    """A sandbox as a process, with options of `stampli-infor-sandbox serve`; ended by its own process id."""
    home = directory / "sandbox"
    command = [str(BIN / "stampli-infor-sandbox"), "serve", "--home", str(home), "--scenario", scenario]
    command += ["--tenant", tenant]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError("the sandbox did not start")
        ionapi = json.loads((home / "sandbox.json").read_text())["ionapi_path"]
        base = json.loads(Path(ionapi).read_text())["iu"]
        yield World(
            directory,
            f"{base}/sandbox",
            {
                "ionapi_path": ionapi,
                "crosswalk_dir": str(ROOT / "transforms" / "crosswalks"),
                "ledger_url": f"sqlite:///{directory / 'ledger.db'}",
                "output_dir": str(directory / "output"),
                "requests_per_minute": 60_000,
                "near_duplicates": "hold",
                "fail_on": "never",
            },
        )
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
