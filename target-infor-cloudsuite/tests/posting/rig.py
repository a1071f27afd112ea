"""A sandbox as a process, and a target before it: in this process with its own clock, or as a process."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from stampli_infor_sandbox.ledger_view import books
from stampli_infor_sandbox.m3.database import open_for_reading
from stampli_infor_transforms.identity import source_key
from stampli_infor_transforms.mapping import map_invoice, map_payment
from target_infor_cloudsuite.ap_streams import ap_record
from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.ledger import Ledger, documents, events
from target_infor_cloudsuite.ledger.documents import Hand
from target_infor_cloudsuite.ledger.states import Status
from target_infor_cloudsuite.posting import decisions
from target_infor_cloudsuite.posting.intake import receive
from target_infor_cloudsuite.posting.run import work_off
from target_infor_cloudsuite.settings import read_settings
from target_infor_cloudsuite.setup import open_gateway, prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent
_NUMBERS = itertools.count(1)
#: Sandboxes are shared by the tests of a session; a document's number tells whose it is.
_SESSION = uuid.uuid4().hex[:6].upper()


@dataclass
class Sandbox:
    """A served home. Ends with `stop`, by its own process id."""

    home: Path
    tenant: str
    options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        command = [
            str(BIN / "stampli-infor-sandbox"),
            "serve",
            "--home",
            str(self.home),
            "--scenario",
            "empty",
        ]
        command += ["--tenant", self.tenant, "--requests-per-minute", "0", "--validation-delay-ms", "0"]
        self.process = subprocess.Popen(
            [*command, *self.options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline(), "the sandbox did not start"
        described = json.loads((self.home / "sandbox.json").read_text())
        self.ionapi = described["ionapi_path"]
        keys = json.loads(Path(self.ionapi).read_text())
        self.url = f"{keys['iu']}/sandbox"

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=30)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        with requests.Session() as session:
            answer = session.request(method, f"{self.url}/{path}", json=body, timeout=20)
        answer.raise_for_status()
        return answer.json()

    def faults(self, *rules: dict[str, Any]) -> None:
        self.control("DELETE", "faults")
        self.control("POST", "faults", list(rules))

    def fault(self, action: str, program: str = "", transaction: str = "", **more: Any) -> None:
        """One rule; ``nth`` (1 unless told), ``times`` and ``record`` are part of its match."""
        match = {"program": program, "transaction": transaction, "nth": more.pop("nth", 1)}
        match |= {name: more.pop(name) for name in ("times", "record") if name in more}
        self.faults({"match": match, "action": action, **more})

    def books(self) -> dict[str, Any]:
        """M3's books, as the sandbox's own command tells them."""
        connection = open_for_reading(self.home / "m3.db")
        try:
            return books(connection)
        finally:
            connection.close()

    def sent(self, transaction: str, **record: str) -> int:
        """How often a transaction reached the gateway, run or not."""
        return sum(
            step["transaction"] == transaction and record.items() <= step["record"].items()
            for entry in self.control("GET", "requests")
            for step in entry["transactions"]
            if "record" in step
        )


@dataclass
class Time:
    """A clock that a test owns: sleeping moves it on; ``on_sleep`` waits for what happens by then."""

    moment: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    slept: float = 0.0
    on_sleep: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.on_sleep()
        self.slept += seconds
        self.moment += timedelta(seconds=seconds)


@dataclass
class Rig:
    """A target with a ledger of its own in front of a sandbox."""

    sandbox: Sandbox
    directory: Path
    time: Time = field(default_factory=Time)
    changed: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.config["ledger_url"])
        self.ledger.open()

    @property
    def config(self) -> dict[str, Any]:
        return {
            "ionapi_path": self.sandbox.ionapi,
            "crosswalk_dir": str(ROOT / "transforms" / "crosswalks"),
            "ledger_url": f"sqlite:///{self.directory / 'ledger.db'}",
            "output_dir": str(self.directory / "output"),
            "requests_per_minute": 60_000,
            "request_timeout_seconds": 2,
            "in_doubt_settle_seconds": 60,
            "fail_on": "never",
        } | self.changed

    @property
    def settings(self) -> Settings:
        return read_settings(self.config)

    @property
    def hand(self) -> Hand:
        return Hand(actor="test", at=self.time.now())

    # -- feeding and running -----------------------------------------------------------------------------

    def feed(self, *records: dict[str, Any]) -> None:
        """Take records into the ledger, as the sink does."""
        with self.ledger.write() as tx:
            for record in records:
                receive(tx, _stream(record), [record], hand=self.hand)

    def run(self, *records: dict[str, Any]) -> None:
        """One run of the target in this process, on this rig's clock."""
        self.feed(*records)
        clock = Clock(self.time.now, self.time.sleep)
        settings = self.settings
        with open_gateway(settings, self.ledger) as gateway:
            work_off(prepare(settings, self.ledger, gateway, clock=clock))

    def doubts(self) -> list[str]:
        """How each write in doubt was decided, in the words of the event by which its document left doubt."""
        with self.ledger.read() as tx:
            return [
                each.details.get("doubt", "untold")
                for each in events.since(tx, 0)
                if each.details.get("from") == "in_doubt"
            ]

    def write_config(self) -> Path:
        path = self.directory / "target.json"
        path.write_text(json.dumps(self.config), "utf-8")
        return path

    def start(self, *records: dict[str, Any]) -> subprocess.Popen[str]:
        """The target's executable with these records on its standard input."""
        path = self.write_config()
        messages = self.directory / "messages.jsonl"
        messages.write_text(
            "".join(f"{json.dumps(each, default=float)}\n" for each in _messages(records)), "utf-8"
        )
        with messages.open() as stdin, (self.directory / "target.err").open("a") as stderr:
            return subprocess.Popen(
                [str(BIN / "target-infor-cloudsuite"), "--config", str(path)],
                stdin=stdin,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                text=True,
            )

    @contextmanager
    def running(self, *records: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
        """As `start`; what still runs afterwards is killed."""
        process = self.start(*records)
        try:
            yield process
        finally:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
            process.wait(timeout=30)

    def decide(self, what: str, record: dict[str, Any], *rest: str) -> None:
        """`cloudsuite-ap replay|release|dismiss` for the document of a record."""
        number = self.document(record).id
        with self.ledger.write() as tx:
            if what == "replay":
                decisions.replay(tx, [number], hand=self.hand, why="test")
            elif what == "release":
                decisions.release(tx, number, rest[0], hand=self.hand, why="test")
            else:
                decisions.dismiss(tx, number, hand=self.hand, why="test")

    def account(self, code: str, *, blocked: bool = False) -> None:
        """A GL account of M3, as it is from now on; what the target knows of it is its cached copy."""
        row = {"cono": 100, "aitp": 1, "aitm": code, "name": code, "blocked": blocked}
        self.sandbox.control("PUT", "master", {"dimensions": [row]})

    def mapped(self, record: dict[str, Any]) -> dict[str, Any]:
        """A record as the mapper sends it on."""
        stream = _stream(record)
        with open_gateway(self.settings, self.ledger) as gateway:
            context = prepare(self.settings, self.ledger, gateway)
        mapping = (map_payment if stream == "payments" else map_invoice)(
            record,
            crosswalks=context.crosswalks,
            reference=context.reference,
            policy=self.settings.policy,
            today=self.time.now().date(),
        )
        return ap_record(stream, record, mapping, crosswalk_version=context.crosswalks.version)

    # -- looking -----------------------------------------------------------------------------------------

    def all(self) -> list[Document]:
        with self.ledger.read() as tx:
            return documents.find(tx)

    def document(self, record: dict[str, Any]) -> Document:
        """The document of this very delivery."""
        key = source_key(_stream(record), record)
        own = [
            each
            for each in self.all()
            if each.source_key == key and each.source_mtime == record["_sdc_source_mtime"]
        ]
        assert len(own) == 1, own
        return own[0]

    def status(self, record: dict[str, Any]) -> str:
        """Its status, and what it is held for: ``posted``, ``review near_duplicate``."""
        found = self.document(record)
        codes = (each["code"] for each in found.reasons) if found.status is Status.REVIEW else ()
        return " ".join([found.status.value, *codes])

    def actions(self, record: dict[str, Any]) -> list[str]:
        with self.ledger.read() as tx:
            return [each.action for each in events.of_document(tx, self.document(record).id)]

    def in_m3(self, record: dict[str, Any]) -> list[dict[str, Any]]:
        """What M3's AP ledger holds under an invoice's number."""
        return [
            each for each in self.sandbox.books()["invoices"] if each["number"] == record["invoice_number"]
        ]

    def staged(self, record: dict[str, Any]) -> list[dict[str, Any]]:
        return [each for each in self.sandbox.books()["staged"] if each["number"] == record["invoice_number"]]

    def statements(self, *records: dict[str, Any]) -> list[dict[str, Any]]:
        """Validated statements with a payment of one of these records."""
        wanted = {record["reference"] for record in records}
        return [
            each
            for each in self.sandbox.books()["statements"]
            if each["validated"] and wanted & {row["reference"] for row in each["lines"]}
        ]

    def is_whole(self, record: dict[str, Any]) -> bool:
        """Whether M3 holds the invoice exactly once, with exactly its lines, and nothing beside it."""
        held = self.in_m3(record)
        wanted = sorted(
            (line["amount"], line["tax_amount"], line["gl_account"], line["department"])
            for line in record["lines"]
        )
        return (
            len(held) == 1
            and not self.staged(record)
            and Decimal(held[0]["amount"]) == record["total_amount"]
            and sorted(_booked(line) for line in held[0]["lines"]) == wanted
        )

    def paid(self, record: dict[str, Any]) -> Decimal:
        held = self.in_m3(record)
        assert len(held) == 1, held
        return Decimal(held[0]["paid"])


_DEPARTMENTS = {
    "": None,
    "ADM": "Administration",
    "MKT": "Marketing",
    "ENG": "Engineering",
    "OPS": "Operations",
}


def _booked(line: dict[str, Any]) -> tuple[Decimal, Decimal, str, Any]:
    return (Decimal(line["amount"]), Decimal(line["tax"]), line["ait"][0], _DEPARTMENTS[line["ait"][3]])


def _stream(record: dict[str, Any]) -> str:
    return "payments" if "payment_id" in record else "invoices"


def _messages(records: tuple[dict[str, Any], ...]) -> Iterator[dict[str, Any]]:
    for stream in ("invoices", "payments"):
        own = [record for record in records if _stream(record) == stream]
        if own:
            schema = {"type": "object", "properties": {name: {} for name in own[0]}}
            yield {"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": []}
        for record in own:
            yield {"type": "RECORD", "stream": stream, "record": record}
    yield {"type": "STATE", "value": {"bookmarks": {}}}


def line(
    net: str, *, tax: str | None = None, account: str = "6000", department: str | None = "Administration"
) -> dict[str, Any]:
    """A line of 19 % tax unless told."""
    amount = Decimal(net)
    given = (amount * Decimal("0.19")).quantize(Decimal("0.01")) if tax is None else Decimal(tax)
    return {
        "amount": amount,
        "tax_amount": given,
        "tax_code": "DE19",
        "description": "Paper",
        "gl_account": account,
        "department": department,
        "cost_center": None,
        "location": None,
        "project": None,
        "company": None,
        "allocation": None,
        "extra": {},
    }


def invoice(*lines: dict[str, Any], number: str = "", **changed: Any) -> dict[str, Any]:
    """An approved invoice over its lines, under a number that no other test has."""
    nth = next(_NUMBERS)
    rows = [{"line_number": str(place), **each} for place, each in enumerate(lines or [line("100")], start=1)]
    total = sum((each["amount"] + each["tax_amount"] for each in rows), Decimal(0))
    tax = sum((each["tax_amount"] for each in rows), Decimal(0))
    return {
        "company": "NW-DE",
        "invoice_id": f"SI-{_SESSION}-{nth}",
        "invoice_number": number or new_number(),
        "invoice_type": "CREDIT_MEMO" if total < 0 else "INVOICE",
        "vendor_id": "V-1001",
        "vendor_external_id": "10001",
        "vendor_name": "Müller & Söhne GmbH",
        "invoice_date": "2026-11-02",
        "due_date": "2026-12-02",
        "posting_date": "2026-11-03",
        "approved_at": "2026-11-17",
        "currency": "EUR",
        "total_amount": total,
        "tax_amount": tax,
        "po_number": None,
        "payment_terms": "Net 30",
        "memo": None,
        "status": "Approved",
        "lines": rows,
        "extra": {},
        **_origin("invoices.csv", nth),
    } | changed


def new_number() -> str:
    """An invoice number that folds to nothing another one folds to."""
    return f"{_SESSION}-{next(_NUMBERS)}-X"


def payment(*applied: tuple[dict[str, Any], str], **changed: Any) -> dict[str, Any]:
    """A payment of pairs of an invoice's record and the amount taken of it."""
    nth = next(_NUMBERS)
    total = sum((Decimal(amount) for _, amount in applied), Decimal(0))
    return {
        "company": "NW-DE",
        "payment_id": f"SP-{_SESSION}-{nth}",
        "payment_date": "2026-11-19",
        "payment_method": "ACH",
        "reference": f"ACH-{nth}",
        "vendor_id": "V-1001",
        "vendor_external_id": "10001",
        "vendor_name": "Müller & Söhne GmbH",
        "currency": "EUR",
        "payment_amount": total,
        "bank_account": "Deutsche Bank 4711",
        "status": "Paid",
        "applications": [
            {
                "invoice_id": record["invoice_id"],
                "invoice_number": record["invoice_number"],
                "amount": Decimal(amount),
                "extra": {},
            }
            for record, amount in applied
        ],
        "extra": {},
        **_origin("payments.csv", nth),
    } | changed


def again(record: dict[str, Any], day: int, **changed: Any) -> dict[str, Any]:
    """The same document out of a file of that day of November."""
    return record | {"_sdc_source_file": f"/outbound/{day}.csv", "_sdc_source_mtime": _mtime(day)} | changed


def _origin(name: str, row: int) -> dict[str, Any]:
    return {
        "_sdc_source_file": f"/outbound/{name}",
        "_sdc_source_line": row,
        "_sdc_source_mtime": _mtime(10),
        "_sdc_source_sha256": "0" * 64,
    }


def _mtime(day: int) -> str:
    return f"2026-11-{day:02d}T08:00:00+00:00"
