"""The kills from a command line: at every boundary, in pairs, on PostgreSQL, or under the gateway's weather.

python -m proof.kills aps450 --step 1                 # every boundary
python -m proof.kills aps100 --pairs 50               # the first run dies, the second too
python -m proof.kills aps100 --step 3 --postgresql    # every third, the ledger on PostgreSQL
python -m proof.kills aps450 --weather 30             # faults through real sockets
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from proof.crashes import theatre
from proof.ledgers import Files, postgresql

if TYPE_CHECKING:
    from proof.crashes import Theatre


def every(stage: Theatre, step: int) -> dict[str, Any]:
    """Kill at each boundary, or each so many'th, until a run has none left."""
    passed: Counter[str] = Counter()
    red: list[str] = []
    boundary = step
    while True:
        ends, faults = stage.kill_and_restart(boundary)
        red += [f"boundary {boundary} ({ends[0]['boundary']}): {each}" for each in faults]
        if not ends[0]["killed"]:
            return {"kills": sum(passed.values()), "boundaries": dict(passed), "red": red}
        passed[ends[0]["boundary"]] += 1
        boundary += step


def pairs(stage: Theatre, count: int) -> dict[str, Any]:
    """Kill a run and the run that recovers from it, each at a boundary that a seed draws."""
    chance, red, killed_twice = Random(0), [], 0  # noqa: S311 - repeatable, not secret
    for _ in range(count):
        at = chance.randrange(1, 110), chance.randrange(1, 60)
        ends, faults = stage.kill_and_restart(*at)
        red += [f"boundaries {at}: {each}" for each in faults]
        killed_twice += ends[0]["killed"] and ends[1]["killed"]
    return {"pairs": count, "killed_twice": killed_twice, "red": red}


def weather(stage: Theatre, count: int) -> dict[str, Any]:
    """Faults through real sockets, seed by seed."""
    red = [f"weather {seed}: {each}" for seed in range(count) for each in stage.weather(seed)]
    return {"seeds": count, "red": red}


def main() -> None:
    """Run what the command line asks for; 1 where something was red."""
    parser = argparse.ArgumentParser(
        prog="proof.kills", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tenant", choices=["aps100", "aps450"])
    parser.add_argument("--step", type=int, default=1, help="kill at every so many'th boundary")
    parser.add_argument("--pairs", type=int, default=0, help="so many pairs of kills instead")
    parser.add_argument("--weather", type=int, default=0, help="so many seeds of faults instead")
    parser.add_argument("--in-flight", type=int, default=1, help="max_in_flight of the target")
    parser.add_argument("--postgresql", action="store_true", help="the ledger on PostgreSQL")
    given = parser.parse_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="proof-")))
        ledgers = stack.enter_context(postgresql()) if given.postgresql else Files(directory)
        stage = stack.enter_context(theatre(directory, given.tenant, ledgers=ledgers))
        stage.settings["max_in_flight"] = given.in_flight
        if given.pairs:
            figures = pairs(stage, given.pairs)
        elif given.weather:
            figures = weather(stage, given.weather)
        else:
            figures = every(stage, given.step)
    print(json.dumps(figures))  # noqa: T201 - its output
    sys.exit(bool(figures["red"]))


if __name__ == "__main__":
    main()
