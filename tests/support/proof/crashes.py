"""Kills at every boundary: the k-th run dies there, the next comes to rest, and the judge looks at M3."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from pipelines import ROOT, clean_env
from stampli_infor_sandbox.demo.processes import running_sandbox
from stampli_infor_sandbox.home import Home
from stampli_infor_sandbox.ledger_view import books
from stampli_infor_sandbox.m3.database import open_for_reading

from proof import exports
from proof.checker import LEDGER_QUERY, check, suppliers_of, told_by_ledger
from proof.simulation import CROSSWALKS
from proof.wanted import Books

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
def launcher(directory: Path, *, package: Path | None = None) -> Iterator[Launcher]:
    """Start it; ``package`` is a folder that holds another copy of the target's package."""
    path = os.pathsep.join(str(each) for each in (package, ROOT / "tests" / "support") if each)
    with (directory / "launcher.err").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "proof.mortal"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=clean_env() | {"PYTHONPATH": path},
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
    settings: dict[str, Any] = field(default_factory=dict)
    _warm: Path | None = None

    def kill_and_restart(self, *kills: int) -> tuple[list[dict[str, Any]], list[str]]:
        """Runs that die at these boundaries, one after the other, then one that is left alone.

        Returns:
            How the runs ended, and what the judge finds.
        """
        self._rewind()
        stage = self.directory / "stage"
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir()
        if self._warm is None:
            self._warm = self._warm_up()
        shutil.copyfile(self._warm, stage / "ledger.db")
        ends = [self._run(stage, self.export.first, kill_at=kill) for kill in kills]
        ends.append(self._run(stage, self.export.records))
        return ends, self._judge(stage, ends)

    def _run(self, stage: Path, records: list[exports.Record], *, kill_at: int = 0) -> dict[str, Any]:
        config = stage / "target.json"
        config.write_text(json.dumps(self._config(stage)), "utf-8")
        messages = stage / "messages.jsonl"
        lines = (json.dumps(each, default=float) for each in _messages(records))
        messages.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return self.launcher.run(
            argv=["--config", str(config)], stdin=str(messages), stderr=str(stage / "err"), kill_at=kill_at
        )

    def _config(self, stage: Path) -> dict[str, Any]:
        return {
            "ionapi_path": self.ionapi,
            "crosswalk_dir": str(CROSSWALKS),
            "ledger_url": f"sqlite:///{stage / 'ledger.db'}",
            "output_dir": str(stage / "output"),
            "requests_per_minute": 60_000,
            "max_in_flight": 1,
            "request_timeout_seconds": 30,
            "in_doubt_settle_seconds": 0.1,
            "reference_max_age_minutes": 10**6,
            "fail_on": "never",
        } | self.settings

    def _warm_up(self) -> Path:
        """A ledger that knows the tenant's reference data, so that no run reads it anew."""
        stage = self.directory / "warm"
        stage.mkdir()
        ended = self._run(stage, [])
        assert ended["code"] == 0, (stage / "err").read_text("utf-8")
        connection = sqlite3.connect(stage / "ledger.db")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return stage / "ledger.db"

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

    def _judge(self, stage: Path, ends: list[dict[str, Any]]) -> list[str]:
        ledger, m3 = sqlite3.connect(stage / "ledger.db"), open_for_reading(self.home.database)
        told = told_by_ledger(ledger.execute(LEDGER_QUERY))
        findings = check(
            self.export.records,
            books=Books(CROSSWALKS, suppliers_of(m3)),
            m3=books(m3),
            told=told,
        ).all()
        ledger.close()
        m3.close()
        held = [
            f"{name} is {[(each.status, each.text[:300]) for each in told.get(name, ())]}"
            for name in sorted(self.export.sound)
            if all(each.status != "posted" for each in told.get(name, ()))
        ]
        if ends[-1]["code"]:
            findings.append(
                f"the last run ended with {ends[-1]}: {(stage / 'err').read_text('utf-8')[-1500:]}"
            )
        return [*findings, *(f"held without need: {each}" for each in held)]


@contextmanager
def theatre(directory: Path, tenant: str, *, seed: int = 1, package: Path | None = None) -> Iterator[Theatre]:
    """Everything that kills need, for one tenant."""
    home = Home(directory / "sandbox")
    options = (
        "--scenario",
        "empty",
        "--tenant",
        tenant,
        "--requests-per-minute",
        "0",
        "--validation-delay-ms",
        "0",
    )
    export = exports.of_every_kind(Random(seed))  # noqa: S311 - repeatable, not secret
    with running_sandbox(home, *options) as described, launcher(directory, package=package) as own:
        yield Theatre(directory, home, described["ionapi_path"], own, export)


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
