"""What the benches post, and the processes they post it with: a sandbox, and the target before it."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from bench.environments import ROOT, TARGET

if TYPE_CHECKING:
    import resource
    from collections.abc import Iterator

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


_HEADER = {
    "Company": "company",
    "Invoice ID": "invoice_id",
    "Invoice Number": "invoice_number",
    "Vendor ID": "vendor_id",
    "Vendor External ID": "vendor_external_id",
    "Vendor Name": "vendor_name",
    "Invoice Date": "invoice_date",
    "GL Posting Date": "posting_date",
    "Currency": "currency",
    "Invoice Amount": "total_amount",
    "Tax Amount": "tax_amount",
    "Status": "status",
}
_LINE = {
    "Line Number": "line_number",
    "Line Amount": "amount",
    "Line Tax Amount": "tax_amount",
    "Tax Code": "tax_code",
    "GL Account": "gl_account",
    "Department": "department",
}


def write_exports(outbound: Path, *, invoice_count: int, payment_count: int) -> None:
    """Export files of so many invoices of two lines, and of payments that each settle one of them.

    One invoice in 300 is of an unknown vendor, one in 500 has an amount that cannot be read.
    """
    rows: list[dict[str, Any]] = []
    paid: list[dict[str, Any]] = []
    for nth, each in enumerate(invoices(invoice_count, lines=2)):
        if nth % 300 == 1:
            each |= {
                "vendor_external_id": "99999",
                "vendor_name": "Nobody Knows Them Ltd",
                "vendor_id": "V-0",
            }
        header = {column: each[name] for column, name in _HEADER.items()}
        if nth % 500 == 2:  # noqa: PLR2004 - none of those above
            header["Invoice Amount"] = "12.5O"
        elif nth % 300 != 1 and len(paid) < payment_count:
            paid.append(_payment(each))
        rows += [header | {column: line[name] for column, name in _LINE.items()} for line in each["lines"]]
    for name, content in (("invoices_bench.csv", rows), ("payments_bench.csv", paid)):
        path = outbound / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, content[0])
            writer.writeheader()
            writer.writerows(content)
        os.utime(path, (path.stat().st_mtime - 600,) * 2)


def _payment(invoice: dict[str, Any]) -> dict[str, Any]:
    names = (
        "Company",
        "Vendor ID",
        "Vendor External ID",
        "Vendor Name",
        "Currency",
        "Invoice ID",
        "Invoice Number",
    )
    return {name: invoice[_HEADER[name]] for name in names} | {
        "Payment ID": f"SP-{invoice['invoice_id']}",
        "Payment Date": "2026-11-20",
        "Payment Method": "ACH",
        "Payment Amount": invoice["total_amount"],
        "Applied Amount": invoice["total_amount"],
        "Status": "Paid",
    }


def misfortunes(*, seed: int, count: int = 60) -> list[dict[str, Any]]:
    """Faults of the sandbox's gateway, spread over a long run."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    kinds: list[dict[str, Any]] = [
        {"action": "refuse"},
        {"action": "reset_after_work"},
        {"action": "timeout_before_work"},
        {"action": "timeout_after_work"},
        {"action": "status", "status": 503, "when": "after"},
        {"action": "status", "status": 502, "when": "before"},
        {"action": "status", "status": 429, "when": "before", "retry_after": 1},
        {"action": "work_after_answer", "delay_ms": 1000},
        {"action": "truncated_json"},
        {"action": "html_200"},
        {"action": "terminate_bulk_after", "n": 7},
        {"action": "drop_results_after", "n": 3},
    ]
    targets = (
        "AddHead",
        "AddLine",
        "LstLines",
        "GetHead",
        "AddStatmtLine",
        "AddStatmtDetail",
        "GetInvTotInfo",
    )
    return [
        {
            "match": {"transaction": chance.choice(targets), "nth": chance.randrange(1, 150)},
            **chance.choice(kinds),
        }
        for _ in range(count)
    ]


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

    def fault(self, *rules: dict[str, Any]) -> None:
        """Order faults of the sandbox."""
        requests.post(f"{self.url}/faults", json=list(rules), timeout=60).raise_for_status()

    def faults(self) -> list[dict[str, Any]]:
        """The faults ordered, each with its hits."""
        found: list[dict[str, Any]] = requests.get(f"{self.url}/faults", timeout=60).json()
        return found

    def run(self, messages: Path) -> dict[str, float]:
        """Run the target on these messages; CPU seconds of that process, and its peak memory in MB."""
        config = self.directory / "target.json"
        config.write_text(json.dumps(self.settings), "utf-8")
        with messages.open() as stdin, (self.directory / "target.err").open("a") as stderr:
            process = subprocess.Popen(
                [TARGET / "target-infor-cloudsuite", "--config", config],
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
    command = [
        str(Path(sys.executable).with_name("stampli-infor-sandbox")),
        "serve",
        "--home",
        str(home),
        "--scenario",
        scenario,
    ]
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
