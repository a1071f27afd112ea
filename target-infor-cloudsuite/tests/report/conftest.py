"""Ledgers of any size with their pages, and one browser; the helpers are loaded by their paths."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pipelines import ROOT
from target_infor_cloudsuite.ledger import Ledger
from target_infor_cloudsuite.report.write import write_report
from target_infor_cloudsuite.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_infor_cloudsuite.report.figures import Figures
    from target_infor_cloudsuite.settings import Settings
    from tests.report import browser as browsers
    from tests.report import ledgers
else:

    def _load(name: str) -> object:
        spec = importlib.util.spec_from_file_location(
            f"report_{name}", Path(__file__).with_name(f"{name}.py")
        )
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    ledgers, browsers = _load("ledgers"), _load("browser")


@dataclass(frozen=True, slots=True)
class Made:
    """A page, what it says, and the ledger it was made from."""

    path: Path
    figures: Figures
    ledger: Path

    @property
    def text(self) -> str:
        return self.path.read_text("utf-8")


@pytest.fixture(scope="session")
def settings() -> Settings:
    crosswalks = str(ROOT / "transforms" / "crosswalks")
    return read_settings({"crosswalk_dir": crosswalks, "cono": 100}, need_ionapi=False)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Callable[[int], Made]:
    """The page of a ledger with so many documents; each is made once."""
    known: dict[int, Made] = {}

    def of(count: int) -> Made:
        if count not in known:
            folder = tmp_path_factory.mktemp(f"of{count}")
            path = folder / "ledger.db"
            with closing(Ledger(f"sqlite:///{path}")) as ledger:
                ledger.open()
                ledgers.fill(ledger, count)
                ledgers.keep_reference(ledger)
                page = folder / "report.html"
                known[count] = Made(page, write_report(ledger, settings, page, now=ledgers.NOW), path)
        return known[count]

    return of


@pytest.fixture(scope="session")
def browser() -> Iterator[browsers.Browser]:
    if not Path(browsers.PROGRAM).exists():
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with browsers.running() as running:
        yield running
