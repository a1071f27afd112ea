"""For every test: in CI nothing may be skipped, or a server that is missing there would look like a pass."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter
    from xdist.remote import Producer

#: What runs in one process, one after the other, by the beginnings of the tests' names.
_TOGETHER = {
    # This checkout's own Meltano: two processes at once would write over each other's run folder.
    "meltano": (
        "tests/test_demo.py",
        "tests/test_meltano.py",
        "tests/test_airflow.py",
        "tests/test_more_than_one_machine.py",
        "tests/test_plugins.py",
    ),
    # They share a ledger of 100,000 documents that takes long to make.
    "report": ("target-infor-cloudsuite/tests/report/",),
}


# The same examples in every run of CI, without a deadline; at a desk, new ones each time.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)


class Scheduling(LoadScopeScheduling):
    """Any test on any core, apart from those that stay together; these come first."""

    def _split_scope(self, nodeid: str) -> str:
        return next((name for name, tests in _TOGETHER.items() if nodeid.startswith(tests)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Spread the tests over the cores."""
    return Scheduling(config, log)


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() == "true"


if _in_ci():
    settings.load_profile("ci")


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Say what was skipped where nothing may be."""
    if _in_ci() and (skipped := terminalreporter.stats.get("skipped")):
        terminalreporter.section("skipped in CI, where nothing may be", sep="=", red=True)
        for report in skipped:
            terminalreporter.line(f"{report.nodeid}: {report.longrepr}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI, fail a session that skipped a test."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if _in_ci() and reporter is not None and reporter.stats.get("skipped") and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
