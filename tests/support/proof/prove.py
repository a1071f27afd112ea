"""`make proof`: everything that takes longer than CI may, and its figures into docs/exactly-once.md.

    python -m proof.prove --seeds 2000 --jobs 2

The figures are kept in docs/exactly-once.json, from which the page's table is written; nobody types one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import ROOT

from proof.processes import environment
from proof.safeguards import EMPHASIS, SAFEGUARDS, copy_without, run_seeds_with

PAGE, FIGURES = ROOT / "docs" / "exactly-once.md", ROOT / "docs" / "exactly-once.json"
BEGIN, END = "<!-- figures of the last `make proof` -->", "<!-- end of the figures -->"
#: Seeds of one process.
_PART = 250
_SAFEGUARD_SEEDS = 300


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the proof."""

    name: str
    command: tuple[str, ...]


def parts(seeds: int, first: int) -> list[Part]:
    """All processes, the long ones first."""
    found = [
        Part(f"{tenant} {name}", ("proof.kills", tenant, *options))
        for tenant in ("aps100", "aps450")
        for name, options in {
            "kills": ("--step", "1"),
            "kills, 4 in flight": ("--step", "8", "--in-flight", "4"),
            "kills, PostgreSQL": ("--step", "8", "--postgresql"),
            "pairs of kills": ("--pairs", "10"),
            "weather": ("--weather", "6"),
        }.items()
    ]
    for start in range(first, first + seeds, _PART):
        count = min(_PART, first + seeds - start)
        found.append(Part(f"seeds {start}", ("proof.seeds", str(start), "--count", str(count), "--json")))
    return found


def run_part(part: Part) -> dict[str, Any]:
    """Run one; what it printed, and a red line where it printed nothing."""
    done = subprocess.run(
        [sys.executable, "-m", *part.command],
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        figures = {"red": [f"{part.name} ended with {done.returncode}: {done.stderr[-2000:]}"]}
    told = "; ".join(figures["red"]) or "green"
    print(f"{part.name}: {told}", flush=True)  # noqa: T201 - whoever waits wants to see it
    return figures


def take_out(safeguard: str) -> str:
    """The first finding without a safeguard; '' where nothing noticed."""
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        done = run_seeds_with(
            copy_without(safeguard, Path(folder)), _SAFEGUARD_SEEDS, emphasis=EMPHASIS.get(safeguard, "")
        )
    red = [line for line in done.stdout.splitlines() if line.startswith("seed ")]
    print(f"without the {safeguard}: {red[0] if red else 'NOTHING NOTICED'}", flush=True)  # noqa: T201 - as above
    return red[0].split(":")[0].split(" (")[0] if red else ""


def prove(seeds: int, first: int, jobs: int) -> dict[str, Any]:
    """Run everything; the figures."""
    began = time.time()
    listed = parts(seeds, first)
    with ThreadPoolExecutor(jobs) as pool:
        results = dict(zip((part.name for part in listed), pool.map(run_part, listed), strict=True))
    simulated = [result for name, result in results.items() if name.startswith("seeds")]
    red = [each for result in results.values() for each in result["red"]]
    return {
        "commit": _commit(),
        "on": time.strftime("%Y-%m-%d", time.gmtime(began)),
        "minutes": round((time.time() - began) / 60),
        "first_seed": first,
        "seeds": sum(each.get("seeds", 0) for each in simulated),
        **{name: sum(each.get(name, 0) for each in simulated) for name in _ADDED},
        **{
            name: dict(sum((Counter(each.get(name, {})) for each in simulated), Counter()))
            for name in _COUNTED
        },
        "kills": {name: result for name, result in results.items() if not name.startswith("seeds")},
        "red": red,
    }


def safeguards(jobs: int) -> dict[str, Any]:
    """Take each safeguard out; the figures."""
    with ThreadPoolExecutor(jobs) as pool:
        noticed = dict(zip(SAFEGUARDS, pool.map(take_out, SAFEGUARDS), strict=True))
    return {"commit": _commit(), "first_red": noticed}


_ADDED = ("lost_writes", "happened", "settled", "to_a_person")
_COUNTED = ("documents", "hits", "ends")


def _commit() -> str:
    """Where we are, and the commit of main on which that stands."""
    changed = "+" if _git("status", "--porcelain") else ""
    here, base = _git("rev-parse", "--short=9", "HEAD"), _git("merge-base", "HEAD", "main")
    return f"{here}{changed}" + (f" on {base[:9]}" if not base.startswith(here) else "")


def _git(*command: str) -> str:
    done = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def page_with(figures: dict[str, Any], page: str) -> str:
    """The page with these figures between its marks."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{shown(figures)}\n\n{END}{tail}"


def shown(figures: dict[str, Any]) -> str:
    """The figures in words and tables."""
    red, documents, taken = figures["red"], figures["documents"], figures["safeguards"]
    classes = Counter(each.split(": ")[1] for each in red if ": " in each)
    lines = [
        f"Commit `{figures['commit']}`, {figures['on']}, {figures['minutes']} minutes.",
        "",
        "| what | figure |",
        "|---|---|",
        f"| seeds simulated | {figures['seeds']:,}, from {figures['first_seed']} on |",
        f"| documents in them, by where they ended | {_counts(documents)} |",
        f"| faults met | {_counts(figures['hits'])} |",
        f"| processes, by how they ended | {_counts(figures['ends'])} |",
        f"| writes whose answer was lost | {figures['lost_writes']:,} |",
        f"| of these, M3 had done | {figures['happened']:,} |",
        f"| settled by themselves | {figures['settled']:,} |",
        f"| handed to a person | {figures['to_a_person']:,} |",
        *(
            f"| documents {name} | {classes.get(name, 0)} |"
            for name in ("doubled", "lost", "half", "wrong", "stuck")
        ),
        f"| findings in all | {len(red)} |",
        "",
        "| kills | figure |",
        "|---|---|",
        *(f"| {name} | {_kills(result)} |" for name, result in sorted(figures["kills"].items())),
        "",
        f"Safeguards, commit `{taken['commit']}`:",
        "",
        "| safeguard taken out | first red |",
        "|---|---|",
        *(f"| {name} | {seed or 'nothing noticed'} |" for name, seed in sorted(taken["first_red"].items())),
    ]
    return "\n".join([*lines, *(f"\nRed: {each[:300]}" for each in red[:20])])


def _counts(counted: dict[str, int]) -> str:
    return ", ".join(
        f"{name} {count:,}" for name, count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    )


def _kills(result: dict[str, Any]) -> str:
    told = f"{len(result['red'])} findings"
    if "kills" in result:
        return f"{result['kills']} kills ({_counts(result['boundaries'])}); {told}"
    if "pairs" in result:
        return f"{result['pairs']} pairs, in {result['killed_twice']} of them both runs died; {told}"
    return f"{result.get('seeds', 0)} seeds; {told}"


def main() -> None:
    """Prove, and write the page; 1 where something was red."""
    parser = argparse.ArgumentParser(prog="proof.prove", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--first", type=int, default=10_000, help="the first seed")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--only", choices=["", "runs", "safeguards"], default="", help="one part of it anew")
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    if given.only and FIGURES.exists():
        figures = json.loads(FIGURES.read_text("utf-8"))
    if given.only != "safeguards":
        figures |= prove(given.seeds, given.first, given.jobs)
    if given.only != "runs":
        figures["safeguards"] = safeguards(given.jobs)
    FIGURES.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n", "utf-8")
    PAGE.write_text(page_with(figures, PAGE.read_text("utf-8")), "utf-8")
    print(shown(figures))  # noqa: T201 - its output
    sys.exit(bool(figures["red"]) or not all(figures["safeguards"]["first_red"].values()))


if __name__ == "__main__":
    main()
