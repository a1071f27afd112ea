"""The process: SFTP, files for clients, ending, coming back, surviving a kill; the command line."""

from __future__ import annotations

import base64
import hashlib
import json
import signal
import stat
import time
from pathlib import Path
from typing import Any

import paramiko
import pytest
from stampli_infor_sandbox.cli import serve_command
from stampli_infor_sandbox.gateway.faults import ACTIONS


def connect(described: dict[str, Any], **login: Any) -> paramiko.SSHClient:
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())  # noqa: S507 - the test checks it itself
    sftp = described["sftp"]
    client.connect(
        sftp["host"], sftp["port"], sftp["username"], allow_agent=False, look_for_keys=False, **login
    )
    return client


def test_sftp_by_password_and_by_key_with_the_published_host_key(server: Any) -> None:
    sftp = server.described["sftp"]
    for login in ({"password": sftp["password"]}, {"key_filename": sftp["private_key_path"]}):
        client = connect(server.described, **login)
        transport = client.get_transport()
        assert transport is not None
        digest = hashlib.sha256(transport.get_remote_server_key().asbytes()).digest()
        assert sftp["host_key"] == "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
        channel = client.open_sftp()
        names = channel.listdir(sftp["outbound_path"])
        assert "invoices_2026-11-18.csv" in names
        assert "invoices_2026-11-20.csv.gz" in names
        entry = channel.stat("/outbound/payments_2026-11-20.csv")
        assert entry.st_mtime is not None
        assert 120 < time.time() - entry.st_mtime < 3600
        assert channel.open("/outbound/vendors_2026-11-18.csv").read(7) == b"Company"
        assert sorted(channel.listdir("/")) == ["inbound", "outbound"]
        assert sorted(channel.listdir("/../..")) == ["inbound", "outbound"]
        with pytest.raises(OSError, match="No such file"):
            channel.stat("/m3.db")
        client.close()


def test_sftp_refuses_a_wrong_password_and_a_strange_key(server: Any) -> None:
    with pytest.raises(paramiko.AuthenticationException):
        connect(server.described, password="wrong")
    with pytest.raises(paramiko.AuthenticationException):
        connect(server.described, pkey=paramiko.RSAKey.generate(2048))


def test_files_for_clients(server: Any) -> None:
    assert set(server.keys) == {
        *("ti", "cn", "dt", "ci", "cs", "iu", "pu", "oa", "ot", "or", "ev", "v", "saak", "sask")
    }
    env = dict(line.split("=", 1) for line in (server.home / "sandbox.env").read_text().splitlines())
    assert env["SANDBOX_SFTP_PORT"] == str(server.described["sftp"]["port"])
    assert env["SANDBOX_SFTP_HOST_KEY"] == server.described["sftp"]["host_key"]
    assert env["SANDBOX_IONAPI"] == server.described["ionapi_path"]
    assert server.described["pid"] == server.process.pid
    for name in ("sandbox.json", "sandbox.env", "sandbox.ionapi", "keys/stampli_ed25519"):
        assert stat.S_IMODE((server.home / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_cleanly_and_goes_on_where_it_was(launch: Any, number: signal.Signals) -> None:
    first = launch()
    inbn = first.batch()
    assert first.process.stdout is not None
    line = first.process.stdout.readline()
    assert "APS100MI's contract is an assumption" in line
    assert "template of the export files" in line
    assert first.stop(number) == 0
    assert not (first.home / "sandbox.json").exists()
    (first.home / "sftp" / "outbound" / "payments_2026-11-20.csv").unlink()
    second = launch(home=first.home)
    assert second.described["sftp"] == first.described["sftp"]
    assert second.keys == first.keys
    assert second.get_head(inbn)["SUPA"] == "10"
    assert not (first.home / "sftp" / "outbound" / "payments_2026-11-20.csv").exists()


def test_a_killed_m3_has_all_it_answered_and_finishes_its_validations(launch: Any) -> None:
    first = launch("--validation-delay-ms", "400")
    inbn = first.batch("APS450MI")
    first.line(inbn, "APS450MI")
    assert "errorCode" not in first.one("APS455MI", "ValidByBatchNo", {"INBN": inbn})
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL
    second = launch(home=first.home)
    deadline = time.monotonic() + 20
    while (status := second.get_head(inbn, "APS450MI")["SUPA"]) == "20":
        assert time.monotonic() < deadline
    assert status == "90"


def test_second_server_in_another_home_gets_ports_of_its_own(
    server: Any, launch: Any, tmp_path: Path
) -> None:
    other = launch("--scenario", "empty", home=tmp_path / "other")
    assert other.keys["iu"] != server.keys["iu"]
    assert list((other.home / "sftp" / "outbound").iterdir()) == []
    assert other.ledger()["invoices"] == []
    assert other.one("CRS620MI", "GetBasicData", {"SUNO": "10001"})["records"]


def test_ledger_as_text_says_what_is_assumed(server: Any, command: Any) -> None:
    done = command("ledger", "--home", str(server.home))
    assert done.returncode == 0
    assert "RT-884201" in done.stdout
    assert "APS100MI's contract is an assumption" in done.stdout
    as_json = command("ledger", "--home", str(server.home), "--format", "json")
    assert json.loads(as_json.stdout)["invoices"] == server.ledger()["invoices"]


def test_ledger_and_reset(launch: Any, command: Any, tmp_path: Path) -> None:
    nowhere = command("ledger", "--home", str(tmp_path / "nowhere"))
    assert (nowhere.returncode, "serve --home" in nowhere.stderr) == (1, True)
    running = launch()
    busy = command("reset", "--home", str(running.home))
    assert (busy.returncode, "end it first" in busy.stderr) == (1, True)
    running.stop()
    assert command("reset", "--home", str(running.home)).returncode == 0
    assert list(running.home.iterdir()) == []


def test_readme_names_every_option_and_fault() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    options = [option for parameter in serve_command.params for option in parameter.opts]
    assert [name for name in (*options, *(f"`{action}`" for action in ACTIONS)) if name not in readme] == []


def test_real_needs_its_data(command: Any, tmp_path: Path) -> None:
    without = command("serve", "--home", str(tmp_path / "h"), "--scenario", "real")
    assert (without.returncode, "--data" in without.stderr) == (2, True)
    wrong = command("serve", "--home", str(tmp_path / "h"), "--scenario", "real", "--data", str(tmp_path))
    assert (wrong.returncode, "spend-2011-05.csv" in wrong.stderr) == (1, True)


def test_taken_port_is_an_error_that_names_it(server: Any, command: Any, tmp_path: Path) -> None:
    port = server.described["gateway"]["port"]
    done = command("serve", "--home", str(tmp_path / "h"), "--gateway-port", str(port))
    assert (done.returncode, str(port) in done.stderr) == (1, True)
