"""The seeded simulation from a command line: one seed again, or a night of them.

python -m proof.seeds 4711              # this seed, told whole
python -m proof.seeds 0 --count 100000  # a night's run
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proof.simulation import Simulation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proof.simulation import Outcome


@dataclass(slots=True)
class Figures:
    """What some seeds came to, added up."""

    seeds: int = 0
    documents: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    lost_writes: int = 0
    happened: int = 0
    settled: int = 0
    to_a_person: int = 0
    red: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As plain dictionaries."""
        return {
            name: dict(value) if isinstance(value, Counter) else value
            for name in type(self).__slots__
            for value in [getattr(self, name)]
        }

    def add(self, outcome: Outcome) -> None:
        """One more seed."""
        self.seeds += 1
        self.documents.update(outcome.documents)
        self.hits.update(outcome.hits)
        self.ends.update("died" if end.startswith("died") else end for end in outcome.ends)
        self.lost_writes += outcome.lost_writes
        self.happened += outcome.happened
        self.settled += outcome.settled
        self.to_a_person += outcome.to_a_person
        self.red += [f"seed {outcome.seed} ({outcome.tenant}): {each}" for each in outcome.faults]


def how_to_repeat(seed: int) -> str:
    """The command line that runs a seed again."""
    return f"PYTHONPATH=tests/support .venv/bin/python -m proof.seeds {seed}"


def run_seeds(
    seeds: Iterable[int], directory: Path, *, until_red: bool = False, emphasis: str = ""
) -> Figures:
    """Simulate these seeds, one after the other."""
    logging.disable(logging.CRITICAL)  # faults are what this is made of
    figures = Figures()
    try:
        for seed in seeds:
            try:
                figures.add(Simulation(seed, directory, emphasis=emphasis).run())
            except Exception:  # noqa: BLE001 - a defect is a red seed like any other
                figures.red.append(f"seed {seed}: {traceback.format_exc()}")
            if figures.red and until_red:
                break
    finally:
        logging.disable(logging.NOTSET)
    return figures


def main() -> None:
    """Run what the command line asks for; 1 where something was red."""
    parser = argparse.ArgumentParser(prog="proof.seeds", description=__doc__)
    parser.add_argument("first", type=int, help="the first seed")
    parser.add_argument("--count", type=int, default=1, help="how many seeds")
    parser.add_argument("--until-red", action="store_true", help="end at the first seed that finds something")
    parser.add_argument("--emphasis", choices=["", "workers", "strangers"], default="")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="proof-") as directory:
        seeds = range(given.first, given.first + given.count)
        figures = run_seeds(seeds, Path(directory), until_red=given.until_red, emphasis=given.emphasis)
    print(json.dumps(figures.to_json()) if given.json else _told(figures))  # noqa: T201 - its output
    sys.exit(bool(figures.red))


def _told(figures: Figures) -> str:
    shown = figures.to_json()
    red = shown.pop("red")
    return "\n".join([*(f"{name}: {value}" for name, value in shown.items()), *red])


if __name__ == "__main__":
    main()
