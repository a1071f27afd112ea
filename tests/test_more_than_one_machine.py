"""Two runs at once on one ledger, and machines that share a ledger on PostgreSQL and STATE on S3."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from pipelines import ROOT
from postgres import new_database, running_cluster
from s3 import keys, running_s3
from scheduler import until
from stampli_infor_sandbox.demo import tally
from stampli_infor_sandbox.demo.processes import end
from stampli_infor_sandbox.demo.project import TWO_STAGES, Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipelines import Sandbox

pytestmark = pytest.mark.skipif(
    not (ROOT / ".meltano" / ".installed").exists(), reason="Meltano is not set up here: run `make setup`"
)
BUCKET = "stampli-infor"


@dataclass(frozen=True)
class Machine:
    """Where Meltano runs: what it shares with other machines is in ``shared``, its output is its own."""

    name: str
    sandbox: Sandbox
    shared: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> Project:
        return Project(ROOT, self.sandbox.home, "sandbox")

    @property
    def output(self) -> Path:
        return self.sandbox.home.root / f"output-{self.name}"

    def env(self) -> dict[str, str]:
        output = {"TARGET_INFOR_CLOUDSUITE_OUTPUT_DIR": str(self.output)}
        return {**self.project.env(), **output, **self.shared}

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.sandbox.home.root / f"{self.name}.log").open("ab") as log:
            return subprocess.Popen(
                self.project.command(*arguments),
                env=self.env(),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def meltano(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.project.command(*arguments),
            env=self.env(),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def shared_by(kind: str, directory: Path) -> Iterator[dict[str, str]]:
    """What machines share: nothing but the disk, or PostgreSQL and S3."""
    if kind == "one disk":
        yield {}
        return
    with running_cluster() as cluster, running_s3(directory / "s3.log", BUCKET) as url:
        yield {
            "MELTANO_DATABASE_URI": new_database(cluster),
            "MELTANO_STATE_BACKEND_URI": f"s3://{BUCKET}/state",
            "MELTANO_STATE_BACKEND_S3_ENDPOINT_URL": url,
            "MELTANO_STATE_BACKEND_S3_AWS_ACCESS_KEY_ID": "tests",
            "MELTANO_STATE_BACKEND_S3_AWS_SECRET_ACCESS_KEY": "tests",
            "TARGET_INFOR_CLOUDSUITE_LEDGER_URL": new_database(cluster),
        }


@pytest.mark.parametrize("kind", ["one disk", "PostgreSQL and S3"])
def test_two_runs_at_once_post_everything_once(
    kind: str, tmp_path: Path, start_sandbox: Callable[..., Sandbox]
) -> None:
    sandbox = start_sandbox("slow", "--latency-ms", "400")
    before = sandbox.books()
    with shared_by(kind, tmp_path) as shared:
        one, other = Machine("one", sandbox, shared), Machine("other", sandbox, shared)
        running = one.start("run", *TWO_STAGES)
        try:
            until(lambda: sandbox.requests() > before["requests"]["http"], "the first run is at work")
            refused = other.meltano("run", *TWO_STAGES)
            assert running.poll() is None
            forced = other.meltano("run", "--force", *TWO_STAGES)
            assert running.wait(240) == 0, (sandbox.home.root / "one.log").read_text("utf-8")
        finally:
            end(running)
        assert refused.returncode != 0
        assert "already running" in refused.stdout + refused.stderr
        assert forced.returncode == 0, forced.stderr

        books = sandbox.books()
        assert books["staged"] == []
        status = json.loads(one.meltano("invoke", "cloudsuite-ap", "--format", "json", "status").stdout)
        assert one.meltano("invoke", "cloudsuite-ap", "audit", "export").returncode == 0
        ledger, audit = tally.in_ledger(status), tally.in_audit(one.output / "audit")
        assert ledger.counts["invoice"] > 20
        assert tally.disagreements(ledger, audit, tally.in_m3(before, books)) == []

        # Another machine goes on where these stopped: the STATE says that every file was read.
        third = Machine("third", sandbox, shared)
        again = third.meltano("run", *TWO_STAGES)
        assert again.returncode == 0, again.stderr
        assert {name: sandbox.books()[name] for name in ("invoices", "statements")} == {
            name: books[name] for name in ("invoices", "statements")
        }
        read = third.meltano("invoke", "cloudsuite-ap", "--format", "json", "status").stdout
        assert json.loads(read)["documents"] == status["documents"]
        if kind != "one disk":
            url = shared["MELTANO_STATE_BACKEND_S3_ENDPOINT_URL"]
            assert "state/sandbox:tap-stampli-sftp-to-target-infor-cloudsuite/" in keys(url, BUCKET)
