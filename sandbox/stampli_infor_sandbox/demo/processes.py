"""The processes that the demo starts, and how it ends them: by the ids it started, whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from stampli_infor_sandbox.home import Home

_READY_SECONDS = 60
_GRACE_SECONDS = 10
_POLL_SECONDS = 0.1


class ProcessError(RuntimeError):
    """A process of the demo did not do what it had to; the text says which one and where its log is."""


@contextmanager
def running_sandbox(home: Home, *options: str) -> Iterator[dict[str, Any]]:
    """Serve a sandbox from ``home`` for as long as the block runs.

    Args:
        home: Its directory.
        options: Further options of ``stampli-infor-sandbox serve``.

    Yields:
        What ``sandbox.json`` says: ports, keys, paths.

    Raises:
        ProcessError: It ended, or was not ready in time.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    log = home.root / "sandbox.log"
    command = [
        sys.executable,
        "-m",
        "stampli_infor_sandbox.demo.serve",
        "serve",
        "--home",
        str(home.root),
        *options,
    ]
    with log.open("wb") as output:
        child = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _await_ready(child, home, log)
        yield json.loads(home.description.read_text("utf-8"))
    finally:
        end(child)


def _await_ready(child: subprocess.Popen[bytes], home: Home, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not home.description.exists():
        if child.poll() is not None:
            raise ProcessError(f"The sandbox ended with code {child.returncode}: {_last_lines(log)}")
        if time.monotonic() > deadline:
            raise ProcessError(f"The sandbox was not ready after {_READY_SECONDS} s; its log is {log}.")
        time.sleep(_POLL_SECONDS)


def run_logged(
    command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path, tick: Callable[[], None]
) -> int:
    """Run a command with its output in a file.

    Args:
        command: Program and arguments.
        env: Its whole environment.
        cwd: Where it runs.
        log: Gets stdout and stderr.
        tick: Called several times a second while it runs.

    Returns:
        The exit code.
    """
    with log.open("wb") as output:
        child = subprocess.Popen(  # noqa: S603 - the caller's own command
            command,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        while child.poll() is None:
            tick()
            time.sleep(_POLL_SECONDS)
    finally:
        end(child)
    return child.returncode


def capture(command: Sequence[str], *, env: Mapping[str, str], cwd: Path, ok: Sequence[int] = (0,)) -> str:
    """Run a command and give its stdout.

    Raises:
        ProcessError: It ended with a code that is not in ``ok``.
    """
    done = subprocess.run(  # noqa: S603 - the caller's own command
        command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode not in ok:
        raise ProcessError(
            f"{' '.join(command)} ended with code {done.returncode}: {done.stderr[-2000:].strip()}"
        )
    return done.stdout


def end(child: subprocess.Popen[bytes]) -> None:
    """End a child that leads its own process group, and what it started; gently first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if child.poll() is None:
            try:
                os.killpg(child.pid, number)
                child.wait(_GRACE_SECONDS)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue


def _last_lines(log: Path) -> str:
    return " / ".join(log.read_text("utf-8", errors="replace").splitlines()[-5:])
