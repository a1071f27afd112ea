"""A real target is killed at its first boundary, its second, its third, .. until a run has none left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from proof.crashes import theatre

if TYPE_CHECKING:
    from pathlib import Path

#: The boundaries are shared between so many tests, for as many cores.
PARTS = 2


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("tenant", ["aps100", "aps450"])
def test_killed_at_every_boundary(tmp_path: Path, tenant: str, part: int) -> None:
    passed: set[str] = set()
    with theatre(tmp_path, tenant) as stage:
        boundary = part + 1
        while True:
            ends, faults = stage.kill_and_restart(boundary)
            assert not faults, f"killed at boundary {boundary} ({ends[0]['boundary']}): {faults}"
            if not ends[0]["killed"]:
                break
            passed.add(ends[0]["boundary"])
            boundary += PARTS
    assert boundary > 80, "fewer boundaries than a run over these documents has"
    assert passed == {
        "before a request leaves",
        "after M3 did it, before the answer is read",
        "after the answer, before it is written down",
        "at a commit of the ledger",
    }


@pytest.mark.parametrize("tenant", ["aps100", "aps450"])
def test_faults_of_the_gateway_through_real_sockets(tmp_path: Path, tenant: str) -> None:
    with theatre(tmp_path, tenant) as stage:
        for seed in range(100, 104):
            assert not stage.weather(seed), f"seed {seed}"
