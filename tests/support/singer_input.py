"""Singer messages for a target on its own, and what its standard error must look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

SCHEMA = {"type": "object", "properties": {}}


def schema(stream: str) -> dict[str, Any]:
    return {"type": "SCHEMA", "stream": stream, "schema": SCHEMA, "key_properties": []}


def errors(stderr: str) -> list[str]:
    return [line for line in stderr.splitlines() if " | ERROR " in line]


def assert_one_clear_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 1, done.stderr
    (line,) = errors(done.stderr)
    assert all(word in line for word in words), line
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def state(*paths: str, **more: Any) -> dict[str, Any]:
    files = {path: {"size": 1, "mtime": 1, "sha256": "0" * 64} for path in paths}
    return {"type": "STATE", "value": {"bookmarks": {"invoices": {"files": files, **more}}}}


def new_ledger(directory: Path) -> str:
    """The URL of a ledger that is not there yet."""
    number = len(list(directory.glob("*.db")))
    return f"sqlite:///{directory / f'{number}.db'}"
