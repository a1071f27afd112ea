"""Whom the tap trusts and as whom it logs in: host keys, private keys, no agent; against OpenSSH."""

from __future__ import annotations

import os
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_any_of_the_servers_host_keys_may_be_pinned(server: Any, run_tap: Any, kind: str) -> None:
    pinned = ["SHA256:" + "A" * 43, server.fingerprints[kind]]
    assert run_tap(server.config(host_key=pinned)).code == 0


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_host_key_may_be_a_known_hosts_line_or_file(
    server: Any, run_tap: Any, tmp_path: Path, kind: str
) -> None:
    key = (server.key_path.parent / f"host_{kind}.pub").read_text().split()[:2]
    line = f"[127.0.0.1]:{server.port} {' '.join(key)}"
    (tmp_path / "known_hosts").write_text(line + "\n")
    assert run_tap(server.config(host_key=line)).code == 0
    assert run_tap(server.config(host_key=None, known_hosts_path=str(tmp_path / "known_hosts"))).code == 0


@pytest.mark.parametrize("pinned", [None, "SHA256:" + "A" * 43])
def test_an_unknown_or_changed_host_key_is_refused_and_shown(
    server: Any, run_tap: Any, pinned: str | None
) -> None:
    result = run_tap(server.config(host_key=pinned))
    assert result.code == 1
    assert "Host key refused" in result.log
    assert f'set host_key to "{server.fingerprint}"' in result.log
    assert "Traceback" not in result.log
    assert result.records("source_files") == []


def test_any_host_key_is_accepted_only_by_the_insecure_setting(server: Any, run_tap: Any) -> None:
    assert run_tap(server.config(host_key=None, insecure_accept_any_host_key=True)).code == 0


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_private_keys_with_a_passphrase(
    server: Any, run_tap: Any, make_key: Any, tmp_path: Path, kind: str
) -> None:
    make_key(tmp_path / "key", kind, "open it")
    with (server.key_path.parent / "authorized_keys").open("a") as authorized:
        authorized.write((tmp_path / "key.pub").read_text())
    pem = (tmp_path / "key").read_text()
    config = server.config(private_key_path=None, private_key=pem.replace("\n", "\\n"))
    assert run_tap({**config, "private_key_passphrase": "open it"}).code == 0
    for passphrase in (None, "wrong"):
        result = run_tap({**config, "private_key_passphrase": passphrase})
        assert result.code == 1
        assert "private_key_passphrase" in result.log
        assert "Traceback" not in result.log


def test_an_agent_is_not_asked_for_keys(server: Any, run_tap: Any, make_key: Any, tmp_path: Path) -> None:
    """An agent of whoever starts the tap holds the right key; the tap was given another one."""
    make_key(tmp_path / "stranger")
    # A socket's path may have some hundred characters only.
    with tempfile.TemporaryDirectory(prefix="agent-") as folder:
        environment = {"SSH_AUTH_SOCK": f"{folder}/agent"}
        agent = subprocess.Popen(
            ["ssh-agent", "-D", "-a", environment["SSH_AUTH_SOCK"]], stdout=subprocess.PIPE
        )
        try:
            assert agent.stdout is not None
            agent.stdout.readline()  # it listens
            subprocess.run(["ssh-add", "-q", server.key_path], check=True, env=os.environ | environment)
            config = server.config(private_key_path=str(tmp_path / "stranger"))
            result = run_tap(config, environment=environment)
        finally:
            agent.terminate()
            agent.communicate(timeout=10)
    assert result.code == 1
    assert "Check username and private_key" in result.log


def test_a_key_that_the_server_does_not_know_is_a_clear_error(
    server: Any, run_tap: Any, make_key: Any, tmp_path: Path
) -> None:
    make_key(tmp_path / "stranger")
    result = run_tap(server.config(private_key_path=str(tmp_path / "stranger")))
    assert result.code == 1
    assert "Check username and private_key" in result.log
