"""Real processes for the tests: the sandbox, the package's executables, the tap's own messages."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import ExitStack, chdir
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from pipelines import BIN, ROOT, Sandbox, clean_env
from stampli_infor_sandbox.demo.processes import running_sandbox
from stampli_infor_sandbox.home import Home
from target_infor_cloudsuite.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

Message = dict[str, Any]


@dataclass(slots=True)
class Programs:
    """The package's executables with one set of settings, in a directory of their own."""

    directory: Path
    config: dict[str, Any]
    env: dict[str, str] = field(default_factory=dict)

    def write_config(self, name: str = "config.json") -> Path:
        path = self.directory / name
        path.write_text(json.dumps(self.config), "utf-8")
        return path

    def call(self, program: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(BIN / program), *arguments],
            input=text,
            env=clean_env() | self.env,
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def target(
        self, messages: Iterable[Message] | str = (), **settings: Any
    ) -> subprocess.CompletedProcess[str]:
        self.config |= settings
        config = str(self.write_config())
        return self.call("target-infor-cloudsuite", "--config", config, text=as_text(messages))

    def mapper(self, messages: Iterable[Message], **settings: Any) -> subprocess.CompletedProcess[str]:
        config = self.directory / "mapper.json"
        names = {"output_dir", "in_doubt_settle_seconds", "fail_on", "dry_run"}
        own = {name: value for name, value in self.config.items() if name not in names}
        config.write_text(json.dumps(own | settings), "utf-8")
        return self.call("stampli-to-infor", "--config", str(config), text=as_text(messages))

    def ap(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """A command with these settings, in this process: starting one costs more than the command itself."""
        return self.command("--config", str(self.write_config()), *arguments, text=text)

    def command(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        foreign = dict.fromkeys(name for name in os.environ if name not in clean_env())
        with chdir(self.directory):
            done = CliRunner(env=foreign | self.env).invoke(main, arguments, input=text)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)

    def json(self, *arguments: str) -> Any:
        done = self.ap("--format", "json", *arguments)
        assert done.returncode in {0, 3}, done.stderr
        return json.loads(done.stdout)

    def counts(self) -> dict[str, dict[str, int]]:
        found = self.json("status")["documents"]
        return {kind: {name: each["count"] for name, each in of.items()} for kind, of in found.items()}


def as_text(messages: Iterable[Message] | str) -> str:
    if isinstance(messages, str):
        return messages
    return "".join(json.dumps(message) + "\n" for message in messages)


def errors_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines in which a person is told that something went wrong."""
    return [line for line in done.stderr.splitlines() if " | ERROR " in line or line.startswith("Error:")]


@pytest.fixture(scope="session")
def quiet_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox for tests that post nothing."""
    home = Home(tmp_path_factory.mktemp("quiet") / "sandbox")
    with running_sandbox(home) as described:
        yield Sandbox(home, described)


@pytest.fixture
def start_sandbox(tmp_path: Path) -> Iterator[Callable[..., Sandbox]]:
    with ExitStack() as running:

        def start(name: str = "sandbox", *options: str) -> Sandbox:
            home = Home(tmp_path / name)
            return Sandbox(home, running.enter_context(running_sandbox(home, *options)))

        yield start


@pytest.fixture
def programs_for(tmp_path: Path) -> Callable[..., Programs]:
    """Programs whose settings fit a sandbox."""

    def make(sandbox: Sandbox, name: str = "work") -> Programs:
        directory = tmp_path / name
        directory.mkdir()
        return Programs(
            directory,
            {
                "ionapi_path": sandbox.described["ionapi_path"],
                "crosswalk_dir": str(ROOT / "transforms" / "crosswalks"),
                "ledger_url": f"sqlite:///{directory / 'ledger.db'}",
                "output_dir": str(directory / "output"),
                "requests_per_minute": 500,
                "in_doubt_settle_seconds": 2,
                "fail_on": "never",
            },
        )

    return make


@pytest.fixture
def quiet(quiet_sandbox: Sandbox, programs_for: Callable[..., Programs]) -> Programs:
    """Programs at a sandbox to which nothing is posted."""
    return programs_for(quiet_sandbox)


@pytest.fixture(scope="session")
def sample(quiet_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> tuple[Message, ...]:
    """What the tap sends of the sample exports."""
    config = tmp_path_factory.mktemp("tap") / "tap.json"
    config.write_text(json.dumps(tap_settings(quiet_sandbox)), "utf-8")
    done = subprocess.run(
        [str(BIN / "tap-stampli-sftp"), "--config", str(config)],
        env=clean_env(),
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(json.loads(line) for line in done.stdout.splitlines())


def tap_settings(sandbox: Sandbox) -> dict[str, Any]:
    sftp = sandbox.described["sftp"]
    names = ("host", "port", "username", "password", "host_key", "outbound_path")
    return {name: sftp[name] for name in names}


@pytest.fixture(scope="session")
def few(sample: tuple[Message, ...]) -> tuple[Message, ...]:
    """Of the sample: two invoices to post, one to review, a payment, and what else the tap sends."""
    wanted = {"SI-5001", "SI-5002", "SI-5022", "SP-8001"}
    kept: list[Message] = []
    seen: set[str] = set()
    for message in sample:
        if message["type"] == "RECORD" and message["stream"] in {"invoices", "payments"}:
            identity = message["record"].get("invoice_id") or message["record"]["payment_id"]
            if identity not in wanted or identity in seen:
                continue
            seen.add(identity)
        kept.append(message)
    assert seen == wanted
    return tuple(kept)
