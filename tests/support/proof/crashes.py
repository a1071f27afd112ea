"""Kills at every boundary: the k-th run dies there, the next comes to rest, and the judge looks at M3."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import requests
from stampli_infor_sandbox.demo.processes import running_sandbox
from stampli_infor_sandbox.home import Home
from stampli_infor_sandbox.ledger_view import books
from stampli_infor_sandbox.m3.database import open_for_reading

from proof import exports
from proof.checker import LEDGER_QUERY, check, suppliers_of, told_by_ledger
from proof.ledgers import Files
from proof.names import CROSSWALKS, WRITES
from proof.processes import environment
from proof.wanted import Books

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proof.ledgers import Databases

_STATE = ("batch", "batch_line", "invoice", "statement", "statement_line", "statement_detail", "counter")


@dataclass(slots=True)
class Launcher:
    """The process whose children are targets."""

    process: subprocess.Popen[str]

    def run(self, **order: Any) -> dict[str, Any]:
        """One target from its start to its end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@contextmanager
def launcher(directory: Path) -> Iterator[Launcher]:
    """Start it."""
    with (directory / "launcher.err").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "proof.mortal"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment(),
        )
    try:
        yield Launcher(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=60)
        assert process.stdout is not None
        process.stdout.close()


@dataclass(slots=True)
class Theatre:
    """A sandbox, the launcher, and documents of every kind."""

    directory: Path
    home: Home
    ionapi: str
    launcher: Launcher
    export: exports.Export
    ledgers: Files | Databases
    settings: dict[str, Any] = field(default_factory=dict)
    _warm: bool = False

    def kill_and_restart(self, *kills: int) -> tuple[list[dict[str, Any]], list[str]]:
        """Runs that die at these boundaries, one after the other, then one that is left alone.

        Returns:
            How the runs ended, and what the judge finds.
        """
        ledger = self._fresh()
        ends = [self._run(ledger, self.export.first, kill_at=kill) for kill in kills]
        ends.append(self._run(ledger, self.export.records))
        return ends, self._judge(ends)

    def weather(self, seed: int) -> list[str]:
        """One run under faults of the gateway that a seed draws, through real sockets, and two in calm.

        Returns:
            What the judge finds; a document that a fault hit may have gone to a person.
        """
        ledger = self._fresh()
        self._control("POST", "faults", _rules(Random(seed)))  # noqa: S311 - repeatable, not secret
        first = self._run(ledger, self.export.first, timeout=1.0, settle=0.6)
        hit = sum(rule["hits"] for rule in self._control("GET", "faults"))
        self._control("DELETE", "faults")
        ends = [first, *(self._run(ledger, self.export.records, settle=0.6) for _ in range(2))]
        return [each for each in self._judge(ends) if not (hit and each.startswith("held without need"))]

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        url = f"{json.loads(Path(self.ionapi).read_text('utf-8'))['iu']}/sandbox/{path}"
        with requests.Session() as session:
            answer = session.request(method, url, json=body, timeout=20)
        answer.raise_for_status()
        return answer.json()

    def _run(
        self,
        ledger: str,
        records: list[exports.Record],
        *,
        kill_at: int = 0,
        timeout: float = 30.0,
        settle: float = 0.1,
    ) -> dict[str, Any]:
        config = self.directory / "target.json"
        settings = {
            "ionapi_path": self.ionapi,
            "crosswalk_dir": str(CROSSWALKS),
            "ledger_url": ledger,
            "output_dir": str(self.directory / "output"),
            "requests_per_minute": 60_000,
            "max_in_flight": 1,
            "request_timeout_seconds": timeout,
            "in_doubt_settle_seconds": settle,
            "reference_max_age_minutes": 10**6,
            "fail_on": "never",
        }
        config.write_text(json.dumps(settings | self.settings), "utf-8")
        messages = self.directory / "messages.jsonl"
        lines = (json.dumps(each, default=float) for each in _messages(records))
        messages.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return self.launcher.run(
            argv=["--config", str(config)], stdin=str(messages), stderr=str(self._err), kill_at=kill_at
        )

    @property
    def _err(self) -> Path:
        return self.directory / "target.err"

    def _fresh(self) -> str:
        """M3 as it was before, and a ledger that knows the reference data, so that no run reads it anew."""
        if not self._warm:
            ended = self._run(self.ledgers.template(), [])
            assert ended["code"] == 0, self._err.read_text("utf-8")
            self._warm = True
        self._rewind()
        shutil.rmtree(self.directory / "output", ignore_errors=True)
        self._err.unlink(missing_ok=True)
        return self.ledgers.fresh()

    def _rewind(self) -> None:
        """M3 as it was before: what earlier runs posted is gone."""
        connection = sqlite3.connect(self.home.database, isolation_level=None, timeout=30)
        connection.execute("BEGIN IMMEDIATE")
        for table in _STATE:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - the names above
        for row in self.export.elsewhere:
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO invoice ({names}) VALUES ({marks})", tuple(row.values()))  # noqa: S608
        connection.execute("COMMIT")
        connection.close()

    def _judge(self, ends: list[dict[str, Any]]) -> list[str]:
        m3 = open_for_reading(self.home.database)
        told = told_by_ledger(self.ledgers.rows(LEDGER_QUERY))
        wanted = Books(CROSSWALKS, suppliers_of(m3))
        findings = check(self.export.records, books=wanted, m3=books(m3), told=told).all()
        m3.close()
        held = [
            f"{name} is {[(each.status, each.text[:300]) for each in told.get(name, ())]}"
            for name in sorted(self.export.sound)
            if all(each.status != "posted" for each in told.get(name, ()))
        ]
        if ends[-1]["code"]:
            findings.append(f"the last run ended with {ends[-1]}: {self._err.read_text('utf-8')[-1500:]}")
        return [*findings, *(f"held without need: {each}" for each in held)]


#: What the sandbox can do to a request.
_ACTIONS: tuple[dict[str, Any], ...] = (
    {"action": "refuse"},
    {"action": "reset_after_work"},
    {"action": "timeout_before_work"},
    {"action": "timeout_after_work"},
    *({"action": "status", "status": status, "when": when}
      for status in (500, 502, 503, 504) for when in ("before", "after")),
    {"action": "work_after_answer", "delay_ms": 400},
    {"action": "truncated_json"},
    {"action": "html_200"},
    {"action": "status", "status": 401},
    {"action": "status", "status": 403},
    {"action": "status", "status": 429, "retry_after": 1},
    {"action": "status", "status": 429, "retry_after": "date"},
    {"action": "status", "status": 429},
    {"action": "terminate_bulk_after", "n": 1},
    {"action": "drop_results_after", "n": 1},
    {"action": "delay", "delay_ms": 300},
)  # fmt: skip


def _rules(chance: Random) -> list[dict[str, Any]]:
    return [
        {"match": {"transaction": chance.choice(sorted(WRITES)), "nth": chance.randrange(1, 3)}}
        | chance.choice(_ACTIONS)
        for _ in range(chance.randrange(1, 4))
    ]


@contextmanager
def theatre(
    directory: Path, tenant: str, *, ledgers: Files | Databases | None = None, seed: int = 1
) -> Iterator[Theatre]:
    """Everything that kills need, for one tenant."""
    home = Home(directory / "sandbox")
    options = {"scenario": "empty", "tenant": tenant, "requests-per-minute": "0", "validation-delay-ms": "0"}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    export = exports.of_every_kind(Random(seed))  # noqa: S311 - repeatable, not secret
    with running_sandbox(home, *words) as described, launcher(directory) as own:
        yield Theatre(directory, home, described["ionapi_path"], own, export, ledgers or Files(directory))


def _messages(records: list[exports.Record]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for stream, key in (("invoices", "invoice_id"), ("payments", "payment_id")):
        own = [record for record in records if key in record]
        if not own:
            continue
        schema = {"type": "object", "properties": {name: {} for name in own[0]}}
        found.append({"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": []})
        found += [{"type": "RECORD", "stream": stream, "record": record} for record in own]
    return [*found, {"type": "STATE", "value": {"bookmarks": {}}}]
