"""In CI a skipped test is a failure."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from pipelines import ROOT, clean_env

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_skip_fails_the_session_in_ci_only(tmp_path: Path, ci: str, code: int) -> None:
    shutil.copy2(ROOT / "conftest.py", tmp_path)
    (tmp_path / "test_it.py").write_text(
        "import pytest\n\ndef test_it():\n    pytest.skip('no server')\n", "utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", "--rootdir", str(tmp_path), str(tmp_path)],
        env={**clean_env(), "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout
    assert ("no server" in done.stdout) == bool(code)
