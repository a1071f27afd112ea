"""One seed: documents, a target and an M3 in this process, faults of every kind, rest, then the judge."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from target_infor_cloudsuite.ion.errors import IonError
from target_infor_cloudsuite.ledger import LedgerError
from target_infor_cloudsuite.settings import read_settings

from proof import exports
from proof.checker import LEDGER_QUERY, check, suppliers_of, told_by_ledger
from proof.exports import identity
from proof.faults import Line
from proof.lives import LEASE, AtOnce, Baton, DiedError, Fate, Life, warm_ledger
from proof.names import CROSSWALKS
from proof.wanted import Books
from proof.world import IONAPI, new_world

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from proof.checker import Findings
    from proof.world import World

TENANTS = ("aps100", "aps450")
#: Calm runs after the storm: what they leave is not at rest.
CALM_RUNS = 3


@dataclass(slots=True)
class Outcome:
    """What a seed came to."""

    seed: int
    tenant: str
    findings: Findings
    documents: dict[str, int]
    lost_writes: int = 0
    happened: int = 0
    settled: int = 0
    to_a_person: int = 0
    unhit_in_review: list[str] = field(default_factory=list)
    hits: dict[str, int] = field(default_factory=dict)
    ends: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """Everything that must not be."""
        return [*self.findings.all(), *(f"held without need: {each}" for each in self.unhit_in_review)]


@dataclass(slots=True)
class Simulation:
    """A target in front of a world, with the misfortunes of a seed.

    ``emphasis`` makes one of them frequent: ``workers`` (two, that stand still) or ``strangers``.
    """

    seed: int
    directory: Path
    tenant: str = ""
    emphasis: str = ""
    documents: Callable[[Random], exports.Export] = exports.some
    chance: Random = field(init=False)
    world: World = field(init=False)
    line: Line = field(init=False)
    settings: Any = field(init=False)
    export: exports.Export = field(init=False)
    fate: Fate = field(init=False)
    workers: int = 1
    ends: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)  # noqa: S311 - repeatable, not secret
        self.fate = Fate(self.chance)
        self.tenant = self.tenant or self.chance.choice(TENANTS)
        self.world = new_world(self.tenant)
        settle = self.chance.choice([20, 60, 180])
        self.line = Line(self.world, self.chance, latest=1.9 * settle)
        self.settings = read_settings(self._config(settle))
        for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
            (self.directory / name).unlink(missing_ok=True)
        self.export = self.documents(self.chance)
        self.world.hold(self.export.elsewhere)
        shutil.copyfile(warm_ledger(self.tenant, self.directory), self.ledger_path)

    @property
    def ledger_path(self) -> Path:
        """The ledger, one file for one seed after the other."""
        return self.directory / "ledger.db"

    def _config(self, settle: int) -> dict[str, Any]:
        return {
            "ionapi": IONAPI,
            "crosswalk_dir": str(CROSSWALKS),
            "ledger_url": f"sqlite:///{self.ledger_path}",
            "output_dir": str(self.directory / "output"),
            "requests_per_minute": 60_000,
            "max_in_flight": 1,
            "max_transactions_per_request": self.chance.choice([1, 2, 3, 5, 50]),
            "in_doubt_settle_seconds": settle,
            "claim_lease_seconds": LEASE,
            "reference_max_age_minutes": 10**6,
        }

    # -- one seed --------------------------------------------------------------------------------------

    def run(self) -> Outcome:
        """The storm, the calm, the judge."""
        with patch("target_infor_cloudsuite.posting.run.ThreadPoolExecutor", AtOnce):
            return self._run()

    def _run(self) -> Outcome:
        export = self.export
        self.workers = 2 if self.chance.random() < 0.25 else 1
        self.line.budget = self.chance.randrange(0, 9)
        self.line.rate = self.chance.choice([0.1, 0.3, 0.7])
        self.fate.deaths = self.chance.choice([0, 0, 1, 1, 2, 3])
        self.fate.death_rate = self.chance.choice([0.005, 0.02, 0.05])
        self.fate.ledger_faults = self.chance.choice([0, 0, 0, 1, 2])
        if self.emphasis == "workers":  # nothing else: what goes wrong then is for want of a fence
            self.workers, self.fate.stop_at = 2, self.chance.randrange(3, 14)
            self.line.budget = self.fate.deaths = self.fate.ledger_faults = 0
        elif self.emphasis == "strangers":
            self.line.strangers = 1.0
        for number, delivered in enumerate([export.first, export.later]):
            self._storm(delivered, first=not number)
            self.world.time.sleep(self.chance.choice([1, LEASE + 1, 3600]))
        self.line.calm()
        self.fate.deaths = self.fate.ledger_faults = 0
        self.world.time.step = timedelta()
        # A lease that was written by a clock two hours ahead ends two hours later.
        self.world.time.sleep(3 * 3600)
        for number in range(CALM_RUNS):
            self.world.time.sleep(LEASE + 1)
            self._one_run([] if number else export.records, worker=0)  # what was not received comes again
            # Now and then once more: a run with nothing left to do must do nothing.
            if not self._is_open() and (number or self.seed % 4):
                break
        return self._judge()

    def undisturbed(self) -> None:
        """The same without a fault."""
        self._one_run(self.export.records, worker=0)

    def evidence(self) -> dict[str, Any]:
        """What the judge is given, by the names of its arguments."""
        connection = sqlite3.connect(self.ledger_path)
        told = told_by_ledger(connection.execute(LEDGER_QUERY))
        connection.close()
        return {
            "records": self.export.records,
            "books": Books(CROSSWALKS, suppliers_of(self.world.connection)),
            "m3": self.world.books(),
            "told": told,
        }

    def _storm(self, delivered: Sequence[exports.Record], *, first: bool) -> None:
        if first and self.chance.random() < 0.2:
            self.world.time.later(self.chance.choice([1, 2, 30, 100]), self._step_the_clock)
        if self.workers == 1:
            self._one_run(delivered, worker=0)
            return
        self.fate.met("two workers at once")
        baton = Baton(self.world, self.chance)
        threads = [
            threading.Thread(target=self._in_turn, args=(baton, delivered if not n else [], n))
            for n in range(self.workers)
        ]
        for number in range(self.workers):
            baton.enter(number)
        for thread in threads:
            thread.start()
        baton.start()
        for thread in threads:
            thread.join()

    def _step_the_clock(self) -> None:
        """The target's wall clock is set while it runs."""
        self.world.time.step = timedelta(seconds=self.chance.choice([-7200, -30, 30, 7200]))
        self.fate.met("clock step")

    def _in_turn(self, baton: Baton, delivered: Sequence[exports.Record], number: int) -> None:
        baton.wait(number)
        try:
            if number and (self.emphasis == "workers" or self.chance.random() < 0.5):
                baton.pass_on(number, LEASE + 1)  # it begins when the first one's leases may have ended
            self._one_run(delivered, worker=number, baton=baton)
        finally:
            baton.leave(number)

    def _one_run(
        self, delivered: Sequence[exports.Record], *, worker: int, baton: Baton | None = None
    ) -> None:
        """One process of the target, from its start to its end, whatever that is."""
        process = Life(self.fate, self.line, self.settings, self.ledger_path, worker, baton)
        try:
            process.run(delivered)
            self.ends.append("well")
        except DiedError as death:
            self.ends.append(f"died {death}")
        except (IonError, LedgerError) as fault:
            self.ends.append(type(fault).__name__)
        finally:
            process.close()

    def _is_open(self) -> bool:
        """Whether a document is on its way; those that wait for another one are not."""
        connection = sqlite3.connect(self.ledger_path)
        query = "SELECT count(*) FROM documents WHERE status IN ('received', 'ready', 'posting', 'in_doubt')"
        (count,) = connection.execute(query).fetchone()
        connection.close()
        return bool(count)

    # -- the judge -------------------------------------------------------------------------------------

    def _judge(self) -> Outcome:
        export, evidence = self.export, self.evidence()
        findings, told = check(**evidence), evidence["told"]
        connection = sqlite3.connect(self.ledger_path)
        counts: dict[str, int] = {}
        for tellings in told.values():
            for each in tellings:
                counts[each.status] = counts.get(each.status, 0) + 1
        outcome = Outcome(
            self.seed, self.tenant, findings, counts, hits=self.line.hits | self.fate.hits, ends=self.ends
        )
        hit = self._account_for_lost_writes(connection, outcome)
        paid = {
            identity(each): [f"{each['company']} {part['invoice_id']}" for part in each["applications"]]
            for each in export.first
            if "applications" in each
        }
        for name in sorted(export.sound):
            statuses = [each.status for each in told.get(name, ())]
            if "posted" not in statuses and not hit & {name, *paid.get(name, ())}:
                outcome.unhit_in_review.append(
                    f"{name} is {statuses}: {[t.text[:300] for t in told.get(name, ())]}"
                )
        connection.close()
        return outcome

    def _account_for_lost_writes(self, connection: sqlite3.Connection, outcome: Outcome) -> set[str]:
        """Count what became of the writes whose answers were lost; the documents that had trouble in M3."""
        documents = {
            number: (identity(json.loads(raw)), status, reasons)
            for number, raw, status, reasons in connection.execute(
                "SELECT id, raw, status, reasons FROM documents"
            )
        }
        on_statement: dict[int, set[int]] = {}
        sent: dict[tuple[str, str], set[int]] = {}
        troubled: set[int] = set()
        rows = connection.execute(
            "SELECT document_id, statement_id, transaction_name, request, outcome FROM attempts"
        ).fetchall()
        for document, statement, *_ in rows:
            if statement is not None and document is not None:
                on_statement.setdefault(statement, set()).add(document)
        for document, statement, name, request, result in rows:
            owners = {document} if document is not None else on_statement.get(statement, set())
            sent.setdefault((name, _canonical(json.loads(request))), set()).update(owners)
            if result != "done":
                troubled |= owners
        for lost in self.line.lost:
            owners = sent.get((lost.transaction, _canonical(lost.record)), set())
            outcome.lost_writes += 1
            outcome.happened += lost.happened
            undecided = any("in_doubt_unresolved" in documents[each][2] for each in owners)
            outcome.to_a_person += undecided
            outcome.settled += not undecided
        return {documents[each][0] for each in troubled}


def _canonical(record: dict[str, str]) -> str:
    return json.dumps(record, sort_keys=True)
