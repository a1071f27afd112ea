"""The DAG in Airflow 3 itself: its scheduler, its tries, and what a person sees of exit code 3."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from pipelines import make_pipeline
from scheduler import BIN, DAG_ID, free_port, make_airflow, until
from stampli_infor_sandbox.demo import tally

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message as Mail

    from pipelines import Sandbox

pytestmark = [
    pytest.mark.skipif(not (BIN / "airflow").exists(), reason="no Airflow here: run `make setup-airflow`"),
    pytest.mark.timeout(900),
]


def pipelines_of(home: Path) -> list[int]:
    """The process groups in which the task `post` of this sandbox runs now."""
    found = set()
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                known = (process / "environ").read_bytes().split(b"\0")
                group = os.getpgid(int(process.name))
            except OSError:
                continue  # gone meanwhile
            if b"AIRFLOW_CTX_TASK_ID=post" in known and f"SANDBOX_HOME={home}".encode() in known:
                found.add(group)
    return sorted(found)


def six_minutes_pass(airflow_database: Path, meltano_database: Path) -> None:
    """Put back what Airflow and Meltano wrote down, in place of waiting for the retry."""
    for database, table, column in (
        (airflow_database, "task_instance", "end_date"),
        (meltano_database, "runs", "last_heartbeat_at"),
    ):
        with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
            connection.execute(
                f"update {table} set {column} = "  # noqa: S608 - names of our own
                f"strftime('%Y-%m-%d %H:%M:%f', {column}, '-6 minutes') where {column} is not null"
            )


class Mailbox(Message):
    """Keeps what a mail server gets."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Mail] = []

    def handle_message(self, message: Mail) -> None:
        self.mails.append(message)


@pytest.fixture
def mail() -> Iterator[tuple[int, list[Mail]]]:
    """A mail server on loopback: its port, and what came."""
    box, port = Mailbox(), free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    yield port, box.mails
    server.stop()


def alerts(port: int) -> dict[str, str]:
    connection = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": port,
        "extra": {"disable_ssl": True, "disable_tls": True},
    }
    return {
        "STAMPLI_INFOR_ALERT_TO": "it@example.com",
        "STAMPLI_INFOR_ALERT_FROM": "airflow@example.com",
        "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(connection),
    }


def test_scheduled_killed_tried_again_and_never_two_at_once(
    tmp_path: Path, sandbox: Sandbox, mail: tuple[int, list[Mail]]
) -> None:
    home = sandbox.home.root
    before = sandbox.books()
    # What the operator's own runs do about documents that failed must not hide them from the DAG.
    settings = {**alerts(mail[0]), "TARGET_INFOR_CLOUDSUITE_FAIL_ON": "failed"}
    airflow = make_airflow(tmp_path / "airflow", sandbox.home, settings)

    with airflow.scheduling():
        until(lambda: sandbox.requests() > before["requests"]["http"] + 5, "the scheduler starts a run")
        (group,) = pipelines_of(home)
        os.killpg(group, signal.SIGKILL)
        first = airflow.ask("select run_id from dag_run")[0][0]
        until(lambda: airflow.tasks(first)["post"] == "up_for_retry", "the killed try is seen")
        assert airflow.command("dags", "trigger", "--run-id", "second", DAG_ID).returncode == 0
        six_minutes_pass(airflow.home / "airflow.db", home / "meltano.db")
        until(
            lambda: airflow.ask("select 1 from dag_run where run_id = 'second' and state = 'failed'"),
            "both runs end",
            600,
        )

    runs = airflow.ask(
        "select run_id, state, start_date, end_date, run_type from dag_run order by start_date"
    )
    assert [run[:2] for run in runs[:2]] == [(first, "failed"), ("second", "failed")]
    assert all(one[3] <= other[2] for one, other in itertools.pairwise(runs) if other[2]), runs
    # Catching up would have begun with the first quarter of an hour of the DAG's life.
    old = "logical_date < datetime('now', '-1 hour')"
    assert airflow.ask(f"select run_id from dag_run where run_type = 'scheduled' and {old}") == []  # noqa: S608
    for run in (first, "second"):
        # Green: the pipeline did its work. Red: exit code 3, and the log says what waits and why.
        assert airflow.tasks(run) == {"post": "success", "for_a_person": "failed"}
        assert "supplier_not_found" in airflow.log(run, "for_a_person")
        assert "exit code 3" in airflow.log(run, "for_a_person")
    tries = airflow.pairs("select run_id || ' ' || task_id, try_number from task_instance")
    assert (tries[f"{first} post"], tries[f"{first} for_a_person"]) == (2, 1)

    assert mail[1] == []

    m3 = sandbox.books()
    assert m3["staged"] == []
    pipeline = make_pipeline(tmp_path / "asking", sandbox)
    pipeline.target["ledger_url"] = f"sqlite:///{home / 'ledger.db'}"
    ledger = tally.in_ledger(pipeline.ap("status"))
    assert ledger.counts["invoice"] > 20
    audit = tally.in_audit(home / "output" / "audit")
    assert tally.disagreements(ledger, audit, tally.in_m3(before, m3)) == []


def test_a_run_that_broke_is_red_and_sends_one_mail(
    tmp_path: Path, sandbox: Sandbox, mail: tuple[int, list[Mail]]
) -> None:
    port, mails = mail
    airflow = make_airflow(
        tmp_path / "airflow",
        sandbox.home,
        {**alerts(port), "SANDBOX_SFTP_PORT": str(free_port())},
    )
    # The last try, at once: the tries before it are Airflow's own business.
    tried = airflow.python(
        "from stampli_to_infor import dag\n"
        "dag.task_dict['post'].retries = 0\n"
        "print('ended', dag.test().state)"
    )
    assert "ended failed" in tried.stdout, tried.stderr
    states = airflow.pairs("select task_id, state from task_instance")
    assert states == {"post": "failed", "for_a_person": "upstream_failed"}
    (sent,) = mails
    assert sent["To"] == "it@example.com"
    assert sent["Subject"].startswith("Stampli to Infor: post failed")
