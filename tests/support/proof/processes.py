"""The environment of the proof's own processes."""

from __future__ import annotations

import os
from pathlib import Path

from pipelines import clean_env

_SUPPORT = Path(__file__).resolve().parents[1]


def environment(*folders: Path) -> dict[str, str]:
    """Ours, in which these folders come first, then the tests' support, then what the caller has set."""
    caller = os.environ.get("PYTHONPATH", "")
    path = [*map(str, folders), str(_SUPPORT), *([caller] if caller else [])]
    return clean_env() | {"PYTHONPATH": os.pathsep.join(path)}
