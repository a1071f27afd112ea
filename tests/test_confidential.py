"""No secret and no bank account in anything a run leaves behind, every setting encrypted, logs at DEBUG."""

from __future__ import annotations

import csv
import json
import resource
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet
from pipelines import BIN, ROOT, clean_env, make_pipeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines import Pipeline, Sandbox

KEY, OLD_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()
AUDIT_KEY = "audit-key-geheim-0123456789-0123456789"
NOTIFY = "json://someone:notify-geheim-42@127.0.0.1:1/notify-token-42"
SAMPLES = ROOT / "sandbox" / "stampli_infor_sandbox" / "samples"


def enc(text: str, key: str = KEY) -> str:
    return f"enc:{Fernet(key.encode()).encrypt(text.encode()).decode()}"


def bank_accounts(folder: Path) -> set[str]:
    found = set()
    for path in folder.glob("payments_*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            found |= {row["Bank Account"] for row in csv.DictReader(file) if row["Bank Account"]}
    return found


def encrypted(pipeline: Pipeline, sandbox: Sandbox) -> set[str]:
    """Turn every secret of the pipeline into a token; the secrets."""
    ionapi = sandbox.home.ionapi.read_text("utf-8")
    password = pipeline.tap["password"]
    pipeline.tap["password"] = enc(password)
    del pipeline.target["ionapi_path"]
    pipeline.target |= {
        "ionapi": enc(ionapi),
        "ledger_url": enc(pipeline.target["ledger_url"]),
        "audit_key": enc(AUDIT_KEY),
        "audit_anchor": str(pipeline.directory / "anchor"),
        "notify_urls": enc(NOTIFY),
    }
    keys = json.loads(ionapi)
    return {
        password,
        keys["cs"],
        keys["saak"],
        keys["sask"],
        AUDIT_KEY,
        "notify-geheim-42",
        "notify-token-42",
    }


def run_at_debug(pipeline: Pipeline, env: dict[str, str]) -> tuple[str, list[str], list[int]]:
    """Run tap and target; what they logged, their command lines as `ps` shows them, their exit codes."""
    started: list[subprocess.Popen[bytes]] = []
    previous: Any = subprocess.DEVNULL
    for name, config in (("tap-stampli-sftp", pipeline.tap), ("target-infor-cloudsuite", pipeline.target)):
        path = pipeline.directory / f"{name}.json"
        path.write_text(json.dumps(config), "utf-8")
        with (pipeline.directory / f"{name}.err").open("wb") as errors:
            child = subprocess.Popen(
                [str(BIN / name), "--config", str(path)],
                stdin=previous,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=env,
                cwd=ROOT,
            )
        previous = child.stdout
        started.append(child)
    lines = [Path(f"/proc/{child.pid}/cmdline").read_text("utf-8") for child in started]
    assert started[0].stdout is not None
    assert started[1].stdout is not None
    started[0].stdout.close()
    states = started[1].stdout.read().decode()
    started[1].stdout.close()
    codes = [child.wait(120) for child in started]
    logged = "".join(path.read_text("utf-8") for path in pipeline.directory.glob("*.err"))
    return logged + states, lines, codes


@pytest.mark.parametrize("bad", [False, True], ids=["well", "wrong password"])
def test_nothing_confidential_is_left_behind(
    bad: bool,  # noqa: FBT001 - pytest's way
    start_sandbox: Callable[..., Sandbox],
    tmp_path: Path,
) -> None:
    sandbox = start_sandbox("sandbox")
    pipeline = make_pipeline(tmp_path / "work", sandbox)
    secrets = encrypted(pipeline, sandbox)
    if bad:
        pipeline.tap["password"] = enc("wrong-geheim-password")
        secrets.add("wrong-geheim-password")
    accounts = bank_accounts(SAMPLES)
    assert accounts
    env = clean_env() | {"STAMPLI_INFOR_KEY": f"{KEY},{OLD_KEY}", "LOGLEVEL": "DEBUG"}
    logged, lines, codes = run_at_debug(pipeline, env)
    assert codes == ([1, 0] if bad else [0, 0]), logged
    assert " DEBUG " in logged or '"debug"' in logged.lower()

    books = tmp_path / "work" / "ledger.db"
    with closing(sqlite3.connect(books)) as database:
        columns = "at || actor || action || details || coalesce(document_id, '')"
        events = [row[0] for row in database.execute(f"SELECT {columns} FROM events")]  # noqa: S608 - ours
        assert bad or database.execute("SELECT count(*) FROM documents WHERE status = 'posted'").fetchone()[0]
        actions = {row[0] for row in database.execute("SELECT action FROM events")}
        # Files, rejected rows and Stampli's own lists have events as documents have.
        assert bad or {"file.received", "document.rejected", "reference.received", "m3.write"} <= actions
        # The ledger keeps the payments as they came, bank accounts included: what is looked for is there.
        raw = "".join(row[0] for row in database.execute("SELECT raw FROM documents WHERE kind = 'payment'"))
        assert bad or any(account in raw for account in accounts)
    folders = [tmp_path / "work" / "output", tmp_path / "work" / "anchor"]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert len({path.suffix for path in files}) >= (2 if bad else 3)
    extract = tmp_path / "extract.csv"
    config = tmp_path / "work" / "target-infor-cloudsuite.json"
    commands = []
    for arguments in (("audit", "export", "--output", str(extract)), ("audit", "verify"), ("notify", "test")):
        done = subprocess.run(
            [str(BIN / "cloudsuite-ap"), "--config", str(config), *arguments],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        commands.append(done.stdout + done.stderr)
    assert "Ledger, files and anchor agree." in commands[1]
    left = {
        "log": logged,
        "ps": "".join(lines),
        "events": "\n".join(events),
        "commands": "\n".join(commands),
        "extract": extract.read_text("utf-8"),
        **{str(path): path.read_text("utf-8") for path in files},
    }
    for where, text in left.items():
        assert not [secret for secret in secrets if secret in text], where
        assert not [account for account in accounts if account in text], where


@pytest.mark.parametrize(
    "program", ["tap-stampli-sftp", "target-infor-cloudsuite", "stampli-to-infor", "cloudsuite-ap"]
)
def test_no_core_file_is_left(program: str, tmp_path: Path) -> None:
    """The limit is looked at in the process itself, at the end of what it does."""
    code = (
        "import atexit, resource, sys; from importlib.metadata import entry_points\n"
        "atexit.register(lambda: print(resource.getrlimit(resource.RLIMIT_CORE), file=sys.stderr))\n"
        "(program,) = entry_points(group='console_scripts', name=sys.argv.pop(1))\n"
        "program.load()()\n"
    )

    def allow_core_files() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)

    done = subprocess.run(
        [str(BIN / "python"), "-c", code, program, "--version"],
        env=clean_env(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=allow_core_files,
    )
    assert done.stderr.splitlines()[-1] == "(0, 0)"
