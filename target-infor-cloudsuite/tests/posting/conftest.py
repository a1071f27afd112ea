"""Sandboxes for the whole session, and a fresh target in front of one; the helper is loaded by its path."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.posting import rig as rigs
else:
    _SPEC = importlib.util.spec_from_file_location("posting_rig", Path(__file__).with_name("rig.py"))
    rigs = sys.modules[_SPEC.name] = importlib.util.module_from_spec(_SPEC)
    _SPEC.loader.exec_module(rigs)


@pytest.fixture(scope="session")
def sandboxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., rigs.Sandbox]]:
    """The sandbox of a tenant, started at its first use."""
    known: dict[tuple[str, ...], rigs.Sandbox] = {}
    with ExitStack() as running:

        def of(tenant: str, *options: str) -> rigs.Sandbox:
            if (tenant, *options) not in known:
                made = rigs.Sandbox(tmp_path_factory.mktemp(tenant), tenant, options)
                running.callback(made.stop)
                known[tenant, *options] = made
            return known[tenant, *options]

        yield of


@pytest.fixture
def rig_for(sandboxes: Callable[..., rigs.Sandbox], tmp_path: Path) -> Iterator[Callable[..., rigs.Rig]]:
    """Fresh targets, each in front of the sandbox of a tenant that has no faults and remembers no request."""
    made: list[rigs.Rig] = []

    def make(tenant: str = "aps100", *options: str, **settings: object) -> rigs.Rig:
        sandbox = sandboxes(tenant, *options)
        sandbox.control("DELETE", "faults")
        sandbox.control("DELETE", "requests")
        directory = tmp_path / f"target{len(made)}"
        directory.mkdir()
        made.append(rigs.Rig(sandbox, directory, changed=dict(settings)))
        return made[-1]

    yield make
    for rig in made:
        rig.sandbox.control("DELETE", "faults")
        rig.ledger.close()


@pytest.fixture(params=["aps100", "aps450"])
def rig(request: pytest.FixtureRequest, rig_for: Callable[..., rigs.Rig]) -> rigs.Rig:
    """A target in front of each of the two AP programs."""
    return rig_for(request.param)
