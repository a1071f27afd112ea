"""What posting costs: requests, quota, CPU, memory. Everything runs on 127.0.0.1, against the sandbox.

python -m bench.posting.bench economy [--tenant aps450]
python -m bench.posting.bench quota --per-minute 500 --minutes 4
python -m bench.posting.bench cost | memory | idle | books
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import tempfile
from collections import Counter
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.environments import TAP, TARGET, environment
from bench.posting.bare import BARE_TAP, BARE_TARGET
from bench.posting.pairs import Pair, Project, script
from bench.posting.workload import LINES, misfortunes, world, write_exports, write_messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.posting.workload import World

_INVOICES = 1_000
_REQUESTS_AN_INVOICE = 0.245  # measured by `economy`; only says how long a backlog has to be
_LATENCY_MS = 200
_MILLION = 1_000_000
_TIMES = 7


def economy(directory: Path, options: argparse.Namespace) -> None:
    """Requests for 1,000 invoices of 5 lines, against one call for each of the same transactions."""
    with world(directory, tenant=options.tenant, latency_ms=_LATENCY_MS, requests_per_minute=0) as made:
        made.settings["requests_per_minute"] = 500
        _post(made, _INVOICES)
        sent = made.requests()
    transactions: Counter[str] = Counter()
    requests: Counter[str] = Counter()
    for each in sent:
        names = [step["transaction"] for step in each["transactions"]]
        transactions.update(f"{each['program']}/{name}" for name in names)
        requests[f"{each['program']}/{'+'.join(sorted(set(names)))}"] += 1
    total = sum(transactions.values())
    print(f"{options.tenant}: {_INVOICES} invoices of {LINES} lines")
    print(f"  requests {len(sent)}, one call a transaction {total}: {total / len(sent):.1f} times fewer")
    writes = sum(n for name, n in transactions.items() if name.split("/")[1] in _WRITES)
    print(
        f"  of the transactions {writes} write; the bare writes alone: {writes / len(sent):.1f} times fewer"
    )
    for name, count in requests.most_common():
        print(f"  {count:6} {name}")
    for name, count in transactions.most_common():
        print(f"  {count:6} transactions {name}")


_WRITES = {"AddHead", "AddLine", "ValidByBatchNo"}


def quota(directory: Path, options: argparse.Namespace) -> None:
    """The share of the allowed requests that is used while a backlog of several minutes is worked off."""
    limit = options.per_minute
    count = int(limit * options.minutes / _REQUESTS_AN_INVOICE)
    with world(directory, latency_ms=_LATENCY_MS, requests_per_minute=limit) as made:
        made.settings["requests_per_minute"] = limit
        used = _post(made, count)
        sent = made.requests()
    moments = sorted(datetime.fromisoformat(each["at"]).timestamp() for each in sent)
    refused = sum(each.get("status") == 429 for each in sent)  # noqa: PLR2004 - HTTP's number for it
    minutes = (moments[-1] - moments[0]) / 60
    through = len(sent) - refused
    by_minute = Counter(int((moment - moments[0]) // 60) for moment in moments)
    cpu = f"{used['cpu']:.0f} s of the target's CPU"
    print(f"{limit} a minute: {count} invoices in {minutes:.1f} minutes, {cpu}")
    print(f"  {through} requests went through, {through / minutes / limit:.1%} of the quota")
    print(f"  429: {refused} of {len(sent)}, {refused / len(sent):.2%}")
    print(f"  minute by minute: {', '.join(str(by_minute[at]) for at in sorted(by_minute))}")


def cost(directory: Path, _options: argparse.Namespace) -> None:
    """The target's own CPU time, the sandbox's not counted, with no latency and no limit."""
    with world(directory, latency_ms=0, requests_per_minute=0) as made:
        nothing = _post(made, 0)
        for count, first in ((500, 0), (2_000, 10_000)):
            used = _post(made, count, first=first)
            each = (used["cpu"] - nothing["cpu"]) / count
            print(
                f"{count} invoices: {used['cpu']:.1f} s CPU, a run with none {nothing['cpu']:.1f} s; "
                f"{each * 1000:.2f} ms an invoice, {60 / each:.0f} a minute on one core; "
                f"with the start {count / used['cpu'] * 60:.0f}; peak {used['peak_mb']:.0f} MB"
            )


def memory(directory: Path, _options: argparse.Namespace) -> None:
    """The same 500 invoices with an empty ledger and with one of a million documents."""
    with world(directory, latency_ms=0, requests_per_minute=0) as made:
        _post(made, 1)
        small = _post(made, 500, first=1_000)
        _fill(directory / "ledger.db", _MILLION)
        large = _post(made, 500, first=2_000)
        nothing = _post(made, 0)
    for label, used in (("501", small), ("a million", large), ("a million, nothing new", nothing)):
        print(f"{label} documents in the ledger: peak {used['peak_mb']:.0f} MB, {used['cpu']:.1f} s CPU")


def idle(directory: Path, _options: argparse.Namespace) -> None:
    """A run with nothing new, tap and target, against a bare SDK tap and target that do nothing.

    As Meltano runs them, and without Meltano: its own start is a good part of either run.
    """
    python = environment("bare", f"singer-sdk=={version('singer-sdk')}") / "python"
    with world(directory, scenario="sample", latency_ms=0, requests_per_minute=0) as made:
        pairs = {
            "ours": Pair(
                TAP / "tap-stampli-sftp",
                TARGET / "target-infor-cloudsuite",
                made.tap_settings(),
                made.settings,
            ),
            "bare": Pair(
                script(directory / "tap-bare", python, BARE_TAP),
                script(directory / "target-bare", python, BARE_TARGET),
            ),
        }
        projects = {name: Project(directory / name, pair) for name, pair in pairs.items()}
        for project in projects.values():
            project.run()  # what there is comes in, and is in the state
        found = {name: [project.run() for _ in range(_TIMES)] for name, project in projects.items()}
        alone = {name: [project.run_alone() for _ in range(_TIMES)] for name, project in projects.items()}
    for name in pairs:
        wall, cpu = (median(each[at] for each in found[name]) for at in (0, 1))
        tap_cpu, target_cpu = (median(each[at] for each in alone[name]) for at in (0, 1))
        print(
            f"{name}: meltano run {wall:.2f} s, {cpu:.2f} s of CPU; "
            f"without Meltano tap {tap_cpu:.2f} s, target {target_cpu:.2f} s of CPU"
        )
    for at, what in enumerate(("seconds", "CPU seconds")):
        ratio = median(each[at] for each in found["ours"]) / median(each[at] for each in found["bare"])
        print(f"meltano run: {ratio:.2f} times the bare pair's {what}")
    ratio = median(sum(each) for each in alone["ours"]) / median(sum(each) for each in alone["bare"])
    print(f"without Meltano: {ratio:.2f} times the bare pair's CPU seconds")


def books(directory: Path, options: argparse.Namespace) -> None:
    """10,000 documents from files to M3, through a gateway that fails in many ways; the books compared."""
    with world(directory, tenant=options.tenant, latency_ms=0, requests_per_minute=0) as made:
        made.settings |= {"in_doubt_settle_seconds": 2, "request_timeout_seconds": 3}
        write_exports(directory / "sandbox" / "sftp" / "outbound", invoice_count=9_000, payment_count=1_000)
        (directory / "tap.json").write_text(json.dumps(made.tap_settings()), "utf-8")
        rules = misfortunes(seed=1)
        made.fault(*rules)
        with (directory / "messages.jsonl").open("wb") as messages:
            tap = [TAP / "tap-stampli-sftp", "--config", directory / "tap.json"]
            subprocess.run(tap, stdout=messages, stderr=subprocess.DEVNULL, check=True)
        for _ in range(2):  # again, for what the first run had to leave; what it has is not taken twice
            made.run(directory / "messages.jsonl")
        hits = Counter(each["action"] for each in made.faults() if each["hits"])
        command = [TARGET / "cloudsuite-ap", "--config", directory / "target.json", "--format", "json"]
        done = subprocess.run([*command, "reconcile"], capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    print(f"{options.tenant}: faults met: {', '.join(f'{name} {n}' for name, n in sorted(hits.items()))}")
    for row in found["source"]:
        print(f"  {row['kind']} {row['currency']}: files {row['counted']}, ledger {row['ledger']}, "
              f"of it unreadable {row['unreadable']}")  # fmt: skip
    for row in found["ledger"]:
        print(f"  {row['kind']} {row['company']} {row['status']}: ledger {row['ledger']}, M3 {row['m3']}")
    print(f"reconcile ended with {done.returncode}, {len(found['differences'])} differences")
    for each in found["differences"][:10]:
        print(f"  {each}")


def _post(made: World, count: int, *, first: int = 0) -> dict[str, float]:
    messages = made.directory / "messages.jsonl"
    write_messages(messages, count, first=first)
    return made.run(messages)


def _fill(path: Path, count: int) -> None:
    """Copies of one posted document, each with keys of its own, its identities and attempts with it."""
    with sqlite3.connect(path) as ledger:
        columns = [row[1] for row in ledger.execute("PRAGMA table_info(documents)")]
        own = {
            "id": "10000000 + n",
            "source_key": "source_key || n",
            "delivery": "printf('%064d', n)",
            "m3_key": "m3_key || n",
            "folded_key": "folded_key || n",
            "number": "number || n",
            "amount": "amount + n",
            "cori": "printf('%036d', n)",
        }
        chosen = ", ".join(own.get(name, name) for name in columns)
        ledger.execute(
            "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ?)"  # noqa: S608 - own columns
            f" INSERT INTO documents ({', '.join(columns)})"
            f" SELECT {chosen} FROM counted, (SELECT * FROM documents WHERE status = 'posted' LIMIT 1)",
            (count,),
        )
        ledger.execute(
            "INSERT INTO identities SELECT 'source:' || source_key, id FROM documents WHERE id > 10000000"
            " UNION ALL SELECT 'm3:' || m3_key, id FROM documents WHERE id > 10000000"
        )
    ledger.close()


_BENCHES: dict[str, Callable[[Path, Any], None]] = {
    "economy": economy,
    "quota": quota,
    "cost": cost,
    "memory": memory,
    "idle": idle,
    "books": books,
}


def main() -> None:
    """Run one bench in a directory that is removed afterwards."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bench", choices=_BENCHES)
    parser.add_argument("--tenant", default="aps100", choices=["aps100", "aps450"])
    parser.add_argument("--per-minute", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-posting-") as directory:
        _BENCHES[options.bench](Path(directory), options)


if __name__ == "__main__":
    main()
