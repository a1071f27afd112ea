"""Where the commands begin: each is loaded here, and only then run.

What is loaded stays until the process ends, half a million objects of it. To look through them for garbage,
again and again while they come and whenever a run makes new ones, took a tenth of a run with nothing new.
"""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Any


def target() -> Any:
    """Run ``target-infor-cloudsuite``."""
    return _loaded("target").TargetInforCloudSuite.cli()


def mapper() -> Any:
    """Run ``stampli-to-infor``."""
    return _loaded("mapper").StampliToInforMapper.cli()


def operate() -> Any:
    """Run ``cloudsuite-ap``."""
    return _loaded("cli").main()


def _loaded(name: str) -> Any:
    gc.disable()
    try:
        return import_module(f"target_infor_cloudsuite.{name}")
    finally:
        gc.freeze()
        gc.enable()
