"""Airflow itself, on loopback, with the project's DAG in it."""

from __future__ import annotations

import shlex
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines import ROOT
from stampli_infor_sandbox.demo.processes import end
from stampli_infor_sandbox.demo.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from stampli_infor_sandbox.home import Home

BIN = ROOT / ".tools" / "airflow" / "bin"
DAG_ID = "stampli_to_infor"


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port: int = listening.getsockname()[1]
        return port


def until(true: Callable[[], object], what: str, seconds: float = 240) -> None:
    """Wait for something that other processes bring about."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.25)


@dataclass(frozen=True, slots=True)
class Airflow:
    """An Airflow home whose DAG posts to one sandbox."""

    home: Path
    env: Mapping[str, str]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(BIN / "airflow"), *arguments],
            env=self.env,
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
        )

    def python(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script in Airflow's environment, with the DAGs folder importable."""
        return subprocess.run(
            [str(BIN / "python"), "-c", script],
            env={**self.env, "PYTHONPATH": self.env["AIRFLOW__CORE__DAGS_FOLDER"]},
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
        )

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """A question to Airflow's database."""
        with closing(sqlite3.connect(self.home / "airflow.db", timeout=60)) as connection, connection:
            return connection.execute(question).fetchall()

    def pairs(self, question: str) -> dict[str, Any]:
        """The same, of two columns."""
        return dict(self.ask(question))

    def tasks(self, run: str) -> dict[str, str]:
        """State of each task of a run."""
        return self.pairs(f"select task_id, state from task_instance where run_id = '{run}'")  # noqa: S608

    def log(self, run: str, task: str) -> str:
        """What every try of a task logged."""
        found = (self.home / "logs" / f"dag_id={DAG_ID}" / f"run_id={run}" / f"task_id={task}").glob("*.log")
        return "\n".join(path.read_text("utf-8") for path in sorted(found))

    @contextmanager
    def scheduling(self) -> Iterator[None]:
        """Airflow's API server, scheduler and DAG processor for as long as the block runs."""
        health = self.env["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] + "health"
        with ExitStack() as running:
            for name in ("api-server", "scheduler", "dag-processor"):
                log = running.enter_context((self.home / f"{name}.out").open("wb"))
                child = subprocess.Popen(
                    [str(BIN / "airflow"), name],
                    env=self.env,
                    cwd=self.home,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
                running.callback(end, child)
                if name == "api-server":
                    until(lambda: answers(health), "Airflow's API server")
            yield


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def make_airflow(home: Path, sandbox: Home, settings: Mapping[str, str]) -> Airflow:
    """A new Airflow, its database made, that knows the DAG and nothing else.

    Args:
        home: Its directory, made here.
        sandbox: The sandbox that the DAG's Meltano posts to.
        settings: Further environment variables.
    """
    home.mkdir()
    project = Project(ROOT, sandbox, "sandbox")
    port = str(free_port())
    env = {
        **project.env(),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "orchestrate" / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": port,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": "the same for every process of this test",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        # Other tests run beside this one.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "120",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "120",
        "STAMPLI_INFOR_PROJECT": str(ROOT),
        "STAMPLI_INFOR_MELTANO": shlex.join(project.command()),
        **settings,
    }
    airflow = Airflow(home, env)
    migrated = airflow.command("db", "migrate")
    assert migrated.returncode == 0, migrated.stderr
    return airflow
