"""Fixtures for tests of whole pipelines."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from pipelines import Sandbox, make_pipeline
from stampli_infor_sandbox.demo.processes import running_sandbox
from stampli_infor_sandbox.home import Home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipelines import Pipeline


@pytest.fixture
def start_sandbox(tmp_path: Path) -> Iterator[Callable[..., Sandbox]]:
    """Start sandboxes that end with the test."""
    with ExitStack() as running:

        def start(name: str = "sandbox", *options: str) -> Sandbox:
            home = Home(tmp_path / name)
            return Sandbox(home, running.enter_context(running_sandbox(home, *options)))

        yield start


@pytest.fixture
def sandbox(start_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A running sandbox with the sample exports."""
    return start_sandbox()


@pytest.fixture
def pipeline(tmp_path: Path, sandbox: Sandbox) -> Pipeline:
    """A pipeline for it."""
    return make_pipeline(tmp_path / "pipeline", sandbox)
