"""The tap's own check, as a process of its own: this package knows nothing of the tap but its JSON."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from target_infor_cloudsuite.doctor.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

_TAP = "tap-stampli-sftp"
_CHECK = f"{_TAP}-check"
_SECONDS = 300
_VARIABLES = "TAP_STAMPLI_SFTP_"


def ask_the_tap(tap_config: Path | None, samples: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    """What the tap finds; a document of each stream that it could read is put into ``samples``."""
    program = _program()
    # Meltano and CI hand the tap its settings in the environment.
    known = any(name.startswith(_VARIABLES) for name in os.environ)
    config = str(tap_config) if tap_config else "ENV" if known else None
    if program is None or config is None:
        what = f"{_CHECK} is not installed here" if program is None else "its settings are not known here"
        hint = f"Run `meltano invoke {_TAP} --test`, or give --tap-config."
        yield Finding("tap", "warning", f"not checked: {what}", hint)
        return
    try:
        ended = subprocess.run(  # noqa: S603 - our own program
            [program, "--config", config],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        found = json.loads(ended.stdout)
        findings = [Finding(**{**each, "check": f"tap, {each['check']}"}) for each in found["findings"]]
        samples.update(found["samples"])
    except subprocess.TimeoutExpired:
        yield Finding("tap", "failed", f"no answer within {_SECONDS} s", "Check host, port and firewall.")
        return
    except (ValueError, KeyError, TypeError):
        said = next((line for line in reversed(ended.stderr.splitlines()) if line.strip()), "it said nothing")
        yield Finding("tap", "failed", f"{_CHECK} ended with {ended.returncode}: {said}", "See its own log.")
        return
    yield from findings


def _program() -> str | None:
    """On the path, beside this program, or where Meltano keeps its plugins."""
    folders = [str(Path(sys.executable).parent)]
    if root := os.environ.get("MELTANO_PROJECT_ROOT"):
        folders.append(str(Path(root, ".meltano", "extractors", _TAP, "venv", "bin")))
    return shutil.which(_CHECK) or shutil.which(_CHECK, path=os.pathsep.join(folders))
