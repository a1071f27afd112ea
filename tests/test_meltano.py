"""Through Meltano itself: killed and run again, the commands, and a project that is not this checkout."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from pipelines import ROOT, clean_env, paid, posted
from stampli_infor_sandbox.demo import tally
from stampli_infor_sandbox.demo.project import TWO_STAGES, Project

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pipelines import Sandbox

TARGET = "target-infor-cloudsuite"
SETTINGS = {
    "tap-stampli-sftp": {
        "host": "string",
        "port": "integer",
        "username": "string",
        "password": "string",
        "host_key": "string",
    },
    TARGET: {
        "ionapi_path": "string",
        "crosswalk_dir": "string",
        "requests_per_minute": "integer",
        "fail_on": "string",
    },
}
pytestmark = pytest.mark.skipif(
    not (ROOT / ".meltano" / ".installed").exists(), reason="Meltano is not set up here: run `make setup`"
)


def project(sandbox: Sandbox) -> Project:
    return Project(ROOT, sandbox.home, "sandbox")


def meltano(sandbox: Sandbox, *arguments: str) -> subprocess.CompletedProcess[str]:
    here = project(sandbox)
    return subprocess.run(
        here.command(*arguments), env=here.env(), cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_meltano_killed_and_run_again(seed: int, start_sandbox: Callable[..., Sandbox]) -> None:
    whole, sandbox = start_sandbox("whole"), start_sandbox("killed")
    assert meltano(whole, "run", *TWO_STAGES).returncode == 0
    stop_after = random.Random(seed).randrange(1, whole.requests())  # noqa: S311 - repeatable, not secret
    here = project(sandbox)
    with (sandbox.home.root / "killed.log").open("wb") as log:
        child = subprocess.Popen(
            here.command("run", *TWO_STAGES),
            env=here.env(),
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        while child.poll() is None and sandbox.requests() < stop_after:
            time.sleep(0.005)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    # Meltano takes the killed run for a running one until its heartbeat is five minutes old, unless forced.
    assert meltano(sandbox, "run", *TWO_STAGES).returncode != 0
    again = meltano(sandbox, "run", "--force", *TWO_STAGES)
    told = f"seed {seed}, killed after request {stop_after}"
    assert again.returncode == 0, f"{told}\n{again.stderr}"
    assert posted(sandbox.books()) == posted(whole.books()), told
    assert paid(sandbox.books()) == paid(whole.books()), told
    assert sandbox.books()["staged"] == [], told


def test_the_mapping_runs_as_a_stage_and_the_commands_as_plugin_and_as_utility(sandbox: Sandbox) -> None:
    before = sandbox.books()
    ran = meltano(sandbox, "run", "tap-stampli-sftp", "stampli-to-infor", TARGET)
    assert ran.returncode == 0, ran.stderr
    by_command = meltano(sandbox, "invoke", f"{TARGET}:status", "--format", "json")
    by_utility = meltano(sandbox, "invoke", "cloudsuite-ap", "status", "--format", "json")
    assert by_command.stdout == by_utility.stdout, by_command.stderr + by_utility.stderr
    ledger = tally.in_ledger(json.loads(by_command.stdout))
    audit = tally.in_audit(sandbox.home.root / "output" / "audit")
    assert tally.disagreements(ledger, audit, tally.in_m3(before, sandbox.books())) == []
    assert ledger.counts["invoice"] > 20


def test_the_jobs_run_and_the_second_tells_when_a_person_is_needed(sandbox: Sandbox) -> None:
    scheduled = meltano(sandbox, "run", "post-to-infor")
    assert scheduled.returncode == 0, scheduled.stderr
    assert len(sandbox.books()["invoices"]) > 20
    with_review = meltano(sandbox, "run", "post-to-infor-and-review")
    assert with_review.returncode != 0
    assert "supplier_not_found" in with_review.stdout + with_review.stderr


def test_meltano_s_own_files_hold_tokens_only(sandbox: Sandbox) -> None:
    here = project(sandbox)
    key = Fernet.generate_key()
    password = sandbox.described["sftp"]["password"]
    token = f"enc:{Fernet(key).encrypt(password.encode()).decode()}"
    env = {**here.env(), "STAMPLI_INFOR_KEY": key.decode(), "TAP_STAMPLI_SFTP_PASSWORD": token}

    def invoke(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = here.command("invoke", *arguments)
        return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)

    # What it shows here is what it writes to .meltano/run while the plugin runs.
    written = invoke("--dump=config", "tap-stampli-sftp").stdout
    assert token in written
    assert password not in written
    tried = invoke("tap-stampli-sftp", "--test")
    assert tried.returncode == 0, tried.stderr
    assert password not in tried.stdout + tried.stderr


def test_doctor_is_content_with_the_sandbox(sandbox: Sandbox) -> None:
    asked = meltano(sandbox, "invoke", f"{TARGET}:doctor")
    # 3: it warns that payment_method is blank.
    assert asked.returncode in {0, 3}, asked.stdout + asked.stderr


def test_a_project_of_your_own_installs_from_git(tmp_path: Path, sandbox: Sandbox) -> None:
    here = tmp_path / "elsewhere"
    here.mkdir()
    git = f"git+file://{ROOT}@{head()}#subdirectory="
    (here / "meltano.yml").write_text(
        json.dumps(
            {
                "send_anonymous_usage_stats": False,
                "default_environment": "here",
                "environments": [{"name": "here"}],
                "plugins": {
                    "extractors": [plugin("tap-stampli-sftp", [f"{git}tap-stampli-sftp"])],
                    "loaders": [plugin(TARGET, [f"{git}transforms", f"{git}{TARGET}"])],
                },
            }
        ),
        "utf-8",
    )
    settings = {
        "TAP_STAMPLI_SFTP_HOST": "127.0.0.1",
        "TAP_STAMPLI_SFTP_PORT": str(sandbox.described["sftp"]["port"]),
        "TAP_STAMPLI_SFTP_USERNAME": "stampli",
        "TAP_STAMPLI_SFTP_PASSWORD": sandbox.described["sftp"]["password"],
        "TAP_STAMPLI_SFTP_HOST_KEY": sandbox.described["sftp"]["host_key"],
        "TARGET_INFOR_CLOUDSUITE_IONAPI_PATH": sandbox.described["ionapi_path"],
        "TARGET_INFOR_CLOUDSUITE_CROSSWALK_DIR": str(ROOT / "transforms" / "crosswalks"),
        "TARGET_INFOR_CLOUDSUITE_REQUESTS_PER_MINUTE": "500",
        "TARGET_INFOR_CLOUDSUITE_FAIL_ON": "never",
    }
    # Git reads a checkout that belongs to somebody else only where it is told to.
    trust = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    env = {**clean_env(), **settings, **trust}
    (here / "ledger").mkdir()
    before = sandbox.books()
    for arguments in (["install"], ["run", *TWO_STAGES]):
        done = subprocess.run(
            [str(ROOT / ".tools" / "meltano" / "bin" / "meltano"), *arguments],
            env=env,
            cwd=here,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert len(sandbox.books()["invoices"]) > len(before["invoices"]) + 20
    assert list((here / "output" / "audit").glob("*.jsonl"))


def head() -> str:
    return subprocess.run(
        ["git", "-c", "safe.directory=*", "rev-parse", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def plugin(name: str, urls: Sequence[str]) -> dict[str, object]:
    return {
        "name": name,
        "namespace": name.replace("-", "_"),
        "pip_url": " ".join(urls),
        "executable": name,
        "capabilities": ["catalog", "discover", "state"] if name.startswith("tap") else [],
        "settings": [{"name": key, "kind": kind} for key, kind in SETTINGS[name].items()],
    }


def test_the_tap_alone_writes_files_with_target_jsonl(tmp_path: Path, sandbox: Sandbox) -> None:
    here = project(sandbox)
    env = {**here.env(), "TARGET_JSONL_DESTINATION_PATH": str(tmp_path)}
    for arguments in (["install", "target-jsonl"], ["run", "tap-stampli-sftp", "target-jsonl"]):
        done = subprocess.run(
            here.command(*arguments), env=env, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    lines = (tmp_path / "invoices.jsonl").read_text("utf-8").splitlines()
    assert len(lines) > 20
    assert all(json.loads(line)["lines"] for line in lines)


def test_mapped_documents_are_written_without_any_cloudsuite(tmp_path: Path, sandbox: Sandbox) -> None:
    """The mapper works from a snapshot of the reference data: no .ionapi, no request, no ledger."""
    here, snapshot = project(sandbox), tmp_path / "reference.json"
    exported = meltano(
        sandbox, "invoke", "target-infor-cloudsuite:reference", "export", "--output", str(snapshot)
    )
    assert exported.returncode == 0, exported.stdout + exported.stderr
    requests = sandbox.requests()
    env = {
        **here.env(),
        "TARGET_JSONL_DESTINATION_PATH": str(tmp_path),
        "STAMPLI_INFOR_MAPPER_REFERENCE_PATH": str(snapshot),
        "STAMPLI_INFOR_MAPPER_IONAPI_PATH": str(tmp_path / "none.ionapi"),
        "STAMPLI_INFOR_MAPPER_LEDGER_URL": f"sqlite:///{tmp_path}/none/ledger.db",
    }
    pipeline = ["run", "--force", "--full-refresh", "tap-stampli-sftp", "stampli-to-infor", "target-jsonl"]
    for arguments in (["install", "target-jsonl"], pipeline):
        done = subprocess.run(
            here.command(*arguments), env=env, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert sandbox.requests() == requests
    assert not (tmp_path / "none").exists()
    found = [json.loads(line) for line in (tmp_path / "ap_invoices.jsonl").read_text("utf-8").splitlines()]
    ready = [each for each in found if not each["reasons"]]
    assert len(ready) > 10
    assert all(each["supplier"] and each["lines"][0]["trace"] for each in ready)
    assert any(each["reasons"][0]["suggestions"] for each in found if each["reasons"])
    assert (tmp_path / "ap_payments.jsonl").exists()
