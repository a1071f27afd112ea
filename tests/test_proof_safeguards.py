"""Each safeguard earns its place: without it, in a copy of the package, the simulation goes red."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from proof.safeguards import EMPHASIS, SAFEGUARDS, copy_without, run_seeds_with

if TYPE_CHECKING:
    from pathlib import Path

#: Enough for the slowest to be found; `tests/test_proof_seeds.py` has these seeds green.
ENOUGH = 120


@pytest.mark.timeout(300)
@pytest.mark.parametrize("emphasis", sorted(set(EMPHASIS.values())))
def test_with_all_of_them_the_same_seeds_are_green(emphasis: str) -> None:
    done = run_seeds_with(None, 30, emphasis=emphasis)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(600)
@pytest.mark.parametrize("safeguard", SAFEGUARDS)
def test_without_it_the_proof_goes_red(tmp_path: Path, safeguard: str) -> None:
    done = run_seeds_with(copy_without(safeguard, tmp_path), ENOUGH, emphasis=EMPHASIS.get(safeguard, ""))
    assert done.returncode == 1, f"{safeguard} was taken out and nothing noticed:\n{done.stdout}{done.stderr}"
    assert "\nseed " in done.stdout, done.stdout + done.stderr
