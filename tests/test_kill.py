"""SIGKILL of tap and target at any moment, then again: every invoice once, nothing in doubt.

`test_proof_crashes.py` kills the target alone, at each of its boundaries.
"""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from pipelines import Sandbox, make_pipeline, paid, posted
from stampli_infor_sandbox.demo import tally
from stampli_infor_sandbox.demo.processes import running_sandbox
from stampli_infor_sandbox.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines import Pipeline

SEEDS = range(20)
AT_ONCE = 2  # as many cores as this is meant to run on
LEFT_OPEN = {"received", "ready", "posting", "in_doubt"}


@contextmanager
def set_up(directory: Path) -> Iterator[tuple[Sandbox, Pipeline]]:
    directory.mkdir()
    home = Home(directory / "sandbox")
    with running_sandbox(home) as described:
        sandbox = Sandbox(home, described)
        yield sandbox, make_pipeline(directory / "pipeline", sandbox)


def undisturbed(directory: Path) -> tuple[dict[str, Any], int, float]:
    """What an untouched run leaves in M3, the requests it needs and how long it takes."""
    with set_up(directory) as (sandbox, pipeline):
        started = time.monotonic()
        done = pipeline.run()
        assert done.codes == (0, 0), done.said
        return sandbox.books(), sandbox.requests(), time.monotonic() - started


def killed_and_run_again(
    directory: Path, seed: int, requests: int, seconds: float
) -> tuple[str, dict[str, Any], Any, Any]:
    """Kill a run at the moment that the seed says, run it again; what then stands in M3 and in the ledger."""
    # Half of the moments are on the clock, half just after a certain request has reached M3.
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    after_request, on_the_clock = chance.randrange(1, requests), chance.uniform(0.2, seconds)
    pause = chance.uniform(0, 0.05)
    by_clock = seed % 2 == 0
    with set_up(directory) as (sandbox, pipeline):
        pipeline.start()
        started = time.monotonic()
        while pipeline.running():
            if by_clock and time.monotonic() - started >= on_the_clock:
                break
            if not by_clock and sandbox.requests() >= after_request:
                time.sleep(pause)
                break
            time.sleep(0.005)
        pipeline.kill()
        pipeline.finish()
        moment = f"{time.monotonic() - started:.2f} s, {sandbox.requests()} of {requests} requests"
        told = f"seed {seed}, killed at {moment}"
        again = pipeline.run()
        assert again.codes == (0, 0), f"{told}\n{again.said}"
        audit = tally.in_audit(pipeline.directory / "output" / "audit")
        return told, sandbox.books(), pipeline.ap("status"), audit


@pytest.mark.timeout(1200)
def test_sigkill_at_any_moment_and_then_again_posts_everything_once(tmp_path: Path) -> None:
    books, requests, seconds = undisturbed(tmp_path / "undisturbed")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(
            pool.map(
                lambda seed: killed_and_run_again(tmp_path / f"seed-{seed}", seed, requests, seconds), SEEDS
            )
        )
    for told, found, status, audit in outcomes:
        assert posted(found) == posted(books), told
        assert paid(found) == paid(books), told
        assert found["staged"] == [], told
        for kind, cells in status["documents"].items():
            assert not LEFT_OPEN & cells.keys(), f"{told}: {kind}"
        assert tally.in_ledger(status).counts == audit.counts, told
