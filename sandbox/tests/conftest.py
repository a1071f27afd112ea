"""A sandbox as a process of its own, started by the command line, and a small client for its gateway."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import requests
from stampli_infor_sandbox.ledger_view import books
from stampli_infor_sandbox.m3.database import open_for_reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CLI = [sys.executable, "-c", "from stampli_infor_sandbox.cli import main; main()"]
STARTUP_SECONDS = 60


@dataclass
class Server:
    """A served home; talks to the gateway with a token of its own."""

    home: Path
    process: subprocess.Popen[str]
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        deadline = time.monotonic() + STARTUP_SECONDS
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the sandbox did not start: {self.process.communicate()}")
            time.sleep(0.02)
        self.described = json.loads((self.home / "sandbox.json").read_text())
        self.keys = json.loads((self.home / "sandbox.ionapi").read_text())
        self.url = f"{self.keys['iu']}/{self.keys['ti']}/M3/m3api-rest/v2/execute"
        self.control_url = f"{self.keys['iu']}/sandbox"
        self.login()

    def _is_ready(self) -> bool:
        # A killed sandbox leaves its description behind: only this process's own counts.
        path = self.home / "sandbox.json"
        return path.exists() and json.loads(path.read_text())["pid"] == self.process.pid

    def token(self, **changed: str) -> requests.Response:
        form = {
            "grant_type": "password",
            "username": self.keys["saak"],
            "password": self.keys["sask"],
            "client_id": self.keys["ci"],
            "client_secret": self.keys["cs"],
        }
        return self.session.post(self.keys["pu"] + self.keys["ot"], data=form | changed, timeout=10)

    def login(self) -> None:
        self.session.headers["Authorization"] = f"Bearer {self.token().json()['access_token']}"

    def post(self, program: str, *steps: tuple[str, dict[str, str]], **options: Any) -> requests.Response:
        timeout = options.pop("timeout", 10)
        body = {
            "program": program,
            "cono": 100,
            "divi": "AAA",
            "transactions": [{"transaction": name, "record": record} for name, record in steps],
        }
        return self.session.post(self.url, json=body | options, timeout=timeout)

    def bulk(self, program: str, *steps: tuple[str, dict[str, str]], **options: Any) -> list[dict[str, Any]]:
        response = self.post(program, *steps, **options)
        assert response.status_code == 200, response.text
        results: list[dict[str, Any]] = response.json()["results"]
        return results

    def one(self, program: str, name: str, record: dict[str, str], **options: Any) -> dict[str, Any]:
        return self.bulk(program, (name, record), **options)[0]

    def faults(self, *rules: dict[str, Any]) -> None:
        requests.delete(f"{self.control_url}/faults", timeout=10).raise_for_status()
        requests.post(f"{self.control_url}/faults", json=list(rules), timeout=10).raise_for_status()

    def control(self, method: str, path: str, **options: Any) -> Any:
        response = requests.request(method, f"{self.control_url}/{path}", timeout=10, **options)
        response.raise_for_status()
        return response.json()

    def master(self, **kinds: list[dict[str, Any]]) -> None:
        self.control("PUT", "master", json=kinds)

    def head(self, program: str = "APS100MI", **changed: str) -> dict[str, Any]:
        record = {"SUNO": "10001", "IVDT": "20261101", "ACDT": "20261101", "SINO": uuid.uuid4().hex[:12]}
        record |= {"CUAM": "119.00", "VTAM": "19.00"} | changed
        return self.one(program, "AddHead", {k: v for k, v in record.items() if v})

    def batch(self, program: str = "APS100MI", **changed: str) -> str:
        inbn: str = self.head(program, **changed)["records"][0]["INBN"]
        return inbn

    def line(self, inbn: str, program: str = "APS100MI", **changed: str) -> dict[str, Any]:
        record = {"INBN": inbn, "RDTP": "8", "NLAM": "100.00", "VTA1": "19.00", "VTCD": "1", "AIT1": "6000"}
        return self.one(program, "AddLine", {k: v for k, v in (record | changed).items() if v})

    def get_head(self, inbn: str, program: str = "APS100MI") -> dict[str, str]:
        record: dict[str, str] = self.one(program, "GetHead", {"INBN": inbn})["records"][0]
        return record

    def ledger(self) -> dict[str, Any]:
        connection = open_for_reading(self.home / "m3.db")
        try:
            return books(connection)
        finally:
            connection.close()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.session.close()
        self.process.send_signal(number)
        code = self.process.wait(timeout=20)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        return code


def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CLI, *arguments], capture_output=True, text=True, check=False, timeout=60)


def start(home: Path, *arguments: str) -> Server:
    command = [*CLI, "serve", "--home", str(home), "--requests-per-minute", "0", *arguments]
    process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return Server(home, process)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The tenant that has everything, shared; tests use numbers of their own."""
    running = start(tmp_path_factory.mktemp("sandbox"), "--validation-delay-ms", "20")
    yield running
    running.stop()


@pytest.fixture
def no_faults(server: Server) -> Iterator[None]:
    """Leaves no fault behind."""
    yield
    server.control("DELETE", "faults")


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts a sandbox with arguments of the test's own; the home is the test's, unless given."""
    running: list[Server] = []

    def launched(*arguments: str, home: Path | None = None) -> Server:
        running.append(start(home or tmp_path / "home", *arguments))
        return running[-1]

    yield launched
    for one in running:
        if one.process.poll() is None:
            one.stop()


@pytest.fixture(scope="session")
def command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line to its end."""
    return cli
