"""A tap and a target before each other: by Meltano in a project of their own, and by a pipe alone."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.environments import ROOT
from bench.posting.workload import cpu_of

if TYPE_CHECKING:
    from pathlib import Path

_MELTANO = ROOT / ".tools/meltano/bin/meltano"


@dataclass(frozen=True)
class Pair:
    """Two executables, and their settings."""

    tap: Path
    target: Path
    tap_settings: dict[str, Any] = field(default_factory=dict)
    target_settings: dict[str, Any] = field(default_factory=dict)


def script(path: Path, python: Path, code: str) -> Path:
    """An executable of Python code."""
    path.write_text(f"#!{python}\n{code}", "utf-8")
    path.chmod(0o755)
    return path


class Project:
    """A Meltano project of one pair; its state is Meltano's own."""

    def __init__(self, directory: Path, pair: Pair) -> None:
        self._directory, self._pair = directory, pair
        directory.mkdir()
        plugins = {
            "extractors": [_plugin(pair.tap, pair.tap_settings, ["catalog", "discover", "state"])],
            "loaders": [_plugin(pair.target, pair.target_settings, [])],
        }
        # YAML holds JSON.
        (directory / "meltano.yml").write_text(
            json.dumps({"environments": [{"name": "bench"}], "plugins": plugins}), "utf-8"
        )

    def run(self) -> tuple[float, float]:
        """`meltano run` tap target; wall seconds, and CPU seconds of Meltano, tap and target."""
        command = [_MELTANO, "--environment=bench", "run", self._pair.tap.name, self._pair.target.name]
        return self._timed(command)

    def run_alone(self) -> tuple[float, float]:
        """CPU seconds of the tap, with the state of the last run, and of the target behind it."""
        state = self._directory / "state.json"
        name = f"bench:{self._pair.tap.name}-to-{self._pair.target.name}"
        got = subprocess.run(
            [_MELTANO, "--environment=bench", "state", "get", name],
            cwd=self._directory, env=self._environment(), capture_output=True, text=True, check=True,
        )  # fmt: skip
        state.write_text(json.dumps(json.loads(got.stdout)["singer_state"]), "utf-8")
        paths = []
        for label, settings in (("tap", self._pair.tap_settings), ("target", self._pair.target_settings)):
            paths.append(self._directory / f"{label}.json")
            paths[-1].write_text(json.dumps(settings), "utf-8")
        with subprocess.Popen(
            [self._pair.tap, "--config", paths[0], "--state", state],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ) as tap:  # fmt: skip
            target = subprocess.Popen(
                [self._pair.target, "--config", paths[1]],
                stdin=tap.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            return cpu_of(tap), cpu_of(target)

    def _timed(self, command: list[Any]) -> tuple[float, float]:
        log = self._directory / "run.log"
        with log.open("wb") as out:
            began = time.perf_counter()
            process = subprocess.Popen(
                command, cwd=self._directory, env=self._environment(), stdout=out, stderr=out
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if status:
            raise RuntimeError(f"{command} failed: {log.read_text()[-2_000:]}")
        return seconds, usage.ru_utime + usage.ru_stime

    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "MELTANO_PROJECT_ROOT": str(self._directory), "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false"
        }  # fmt: skip


def _plugin(path: Path, settings: dict[str, Any], capabilities: list[str]) -> dict[str, Any]:
    return {
        "name": path.name, "namespace": path.name.replace("-", "_"), "executable": str(path),
        "capabilities": capabilities, "config": settings,
    }  # fmt: skip
