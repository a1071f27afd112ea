"""The environments that programs are measured in: ours as Meltano installs them, the others' made here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# Everybody's second run is measured: nothing is compiled in it.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

ROOT = Path(__file__).resolve().parents[1]
#: Made by `make setup`.
TAP = ROOT / ".meltano/extractors/tap-stampli-sftp/venv/bin"
TARGET = ROOT / ".meltano/loaders/target-infor-cloudsuite/venv/bin"


def environment(name: str, *packages: str) -> Path:
    """The ``bin`` of an environment that holds these packages and nothing else; made once."""
    home = ROOT / "bench" / ".venv" / name
    python = home / "bin" / "python"
    done = home / ".installed"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        done.touch()
    return home / "bin"
