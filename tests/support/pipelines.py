"""Whole pipelines through real processes: a sandbox, the plugins' executables, state in a file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stampli_infor_sandbox.demo import tally
from stampli_infor_sandbox.ledger_view import books
from stampli_infor_sandbox.m3.database import open_for_reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stampli_infor_sandbox.home import Home

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
TAP = "tap-stampli-sftp"
TARGET = "target-infor-cloudsuite"
MAPPER = "stampli-to-infor"
_FOREIGN = ("TAP_STAMPLI_SFTP_", "TARGET_INFOR_CLOUDSUITE_", "STAMPLI_INFOR_", "MELTANO_", "SANDBOX_")


def clean_env() -> dict[str, str]:
    """The environment of a process under test: without settings that the caller's shell happens to have."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox."""

    home: Home
    described: dict[str, Any]

    def books(self) -> dict[str, Any]:
        """M3's books as they are now."""
        connection = open_for_reading(self.home.database)
        try:
            return books(connection)
        finally:
            connection.close()

    def requests(self) -> int:
        """How many requests the gateway has had."""
        count: int = self.books()["requests"]["http"]
        return count


@dataclass(slots=True)
class Finished:
    """How a pipeline ended: exit codes and what each stage wrote on stderr."""

    codes: tuple[int, ...]
    errors: tuple[str, ...]

    @property
    def said(self) -> str:
        return "\n".join(self.errors)


@dataclass(slots=True)
class Pipeline:
    """``tap | target`` with the development environment's executables; its last STATE is kept in a file."""

    directory: Path
    tap: dict[str, Any]
    target: dict[str, Any]
    mapper: bool = False
    _children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def state(self) -> Path:
        return self.directory / "state.json"

    def start(self) -> None:
        """Start every stage, all in one process group."""
        stages = [TAP, MAPPER, TARGET] if self.mapper else [TAP, TARGET]
        mapper = {
            name: value
            for name, value in self.target.items()
            if name not in {"output_dir", "in_doubt_settle_seconds", "fail_on"}
        }
        configs = {TAP: self.tap, MAPPER: mapper, TARGET: self.target}
        self._children = []
        group, previous = 0, None
        for stage in stages:
            config = self.directory / f"{stage}.json"
            config.write_text(json.dumps(configs[stage]), "utf-8")
            command = [str(BIN / stage), "--config", str(config)]
            if stage == TAP and self.state.exists():
                command += ["--state", str(self.state)]
            last = stage == stages[-1]
            with (
                (self.directory / f"{stage}.err").open("wb") as errors,
                (self.directory / "state.out").open("wb") as states,
            ):
                child = subprocess.Popen(
                    command,
                    stdin=previous.stdout if previous else subprocess.DEVNULL,
                    stdout=states if last else subprocess.PIPE,
                    stderr=errors,
                    env=clean_env(),
                    cwd=ROOT,
                    process_group=group,
                )
            if previous and previous.stdout:
                previous.stdout.close()
            group = group or child.pid
            self._children.append(child)
            previous = child

    def finish(self, timeout: float = 120) -> Finished:
        """Wait for every stage, and keep the last whole STATE."""
        deadline = time.monotonic() + timeout
        try:
            for child in reversed(self._children):
                child.wait(max(0.1, deadline - time.monotonic()))
        finally:
            if any(child.poll() is None for child in self._children):
                self.kill()
        whole = (self.directory / "state.out").read_bytes().rpartition(b"\n")[0].splitlines()
        if whole:
            self.state.write_bytes(whole[-1])
        stages = [Path(str(child.args[0])).name for child in self._children if isinstance(child.args, list)]
        errors = tuple((self.directory / f"{stage}.err").read_text("utf-8") for stage in stages)
        return Finished(tuple(child.returncode for child in self._children), errors)

    def run(self, timeout: float = 120) -> Finished:
        self.start()
        return self.finish(timeout)

    def kill(self) -> None:
        """SIGKILL to every stage at once."""
        if any(child.poll() is None for child in self._children):
            os.killpg(self._children[0].pid, signal.SIGKILL)

    def running(self) -> bool:
        return any(child.poll() is None for child in self._children)

    def ap(self, *arguments: str, ok: Sequence[int] = (0, 3)) -> Any:
        """A ``cloudsuite-ap`` command on this pipeline's ledger; its JSON."""
        config = self.directory / f"{TARGET}.json"
        config.write_text(json.dumps(self.target), "utf-8")
        done = subprocess.run(
            [str(BIN / "cloudsuite-ap"), "--config", str(config), "--format", "json", *arguments],
            env=clean_env(),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in ok, done.stderr
        return json.loads(done.stdout)


def make_pipeline(directory: Path, sandbox: Sandbox) -> Pipeline:
    """A pipeline with settings that fit a sandbox."""
    directory.mkdir(exist_ok=True)
    sftp = sandbox.described["sftp"]
    return Pipeline(
        directory,
        tap={
            name: sftp[name] for name in ("host", "port", "username", "password", "host_key", "outbound_path")
        },
        target={
            "ionapi_path": sandbox.described["ionapi_path"],
            "crosswalk_dir": str(ROOT / "transforms" / "crosswalks"),
            "ledger_url": f"sqlite:///{directory / 'ledger.db'}",
            "output_dir": str(directory / "output"),
            "requests_per_minute": 500,
            "in_doubt_settle_seconds": 2,
            "fail_on": "never",
        },
    )


def posted(books: dict[str, Any]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The AP ledger by M3's own key, without what M3 or the run numbers (voucher, batch, correlation)."""
    return {
        tally.invoice_key(invoice): {
            name: value for name, value in invoice.items() if name not in {"voucher", "inbn", "cori"}
        }
        for invoice in books["invoices"]
    }


def paid(books: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Every invoice settled by a validated statement."""
    return sorted(
        (statement["bsid"], line["payee"], detail["number"], detail["year"], detail["amount"])
        for statement in books["statements"]
        if statement["validated"]
        for line in statement["lines"]
        for detail in line["details"]
    )
