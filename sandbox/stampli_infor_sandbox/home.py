"""The sandbox's home directory: where everything is, and the keys and files that clients are handed."""

from __future__ import annotations

import json
import os
import secrets
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncssh

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TENANT = "SANDBOX_TST"
USERNAME = "stampli"


@dataclass(frozen=True, slots=True)
class Home:
    """Paths under one directory."""

    root: Path

    @property
    def description(self) -> Path:
        """What clients read first: ``sandbox.json``."""
        return self.root / "sandbox.json"

    @property
    def ionapi(self) -> Path:
        """Infor's credentials file."""
        return self.root / "sandbox.ionapi"

    @property
    def env(self) -> Path:
        """The same for a shell: ``KEY=value`` lines."""
        return self.root / "sandbox.env"

    @property
    def database(self) -> Path:
        """M3's state."""
        return self.root / "m3.db"

    @property
    def sftp(self) -> Path:
        """The root of the SFTP server."""
        return self.root / "sftp"

    @property
    def outbound(self) -> Path:
        """Where the exports lie."""
        return self.sftp / "outbound"

    @property
    def host_key(self) -> Path:
        """The SFTP server's private key."""
        return self.root / "keys" / "ssh_host_ed25519"

    @property
    def client_key(self) -> Path:
        """The private key that user stampli may log in with."""
        return self.root / "keys" / "stampli_ed25519"

    @property
    def earlier(self) -> Path:
        """What ``sandbox.json`` said last: it outlives the process, ``sandbox.json`` does not."""
        return self.root / "keys" / "earlier.json"

    def read(self) -> dict[str, Any]:
        """The description of an earlier start, empty when there was none."""
        if not self.earlier.exists():
            return {}
        read: dict[str, Any] = json.loads(self.earlier.read_text("utf-8"))
        return read


def prepare(home: Home) -> None:
    """Make the directories and keys that are missing, and take back an earlier start's description."""
    home.outbound.mkdir(parents=True, exist_ok=True)
    home.description.unlink(missing_ok=True)
    (home.sftp / "inbound").mkdir(exist_ok=True)
    home.host_key.parent.mkdir(mode=0o700, exist_ok=True)
    for path in (home.host_key, home.client_key):
        if not path.exists():
            key = asyncssh.generate_private_key("ssh-ed25519", comment="sandbox")
            write(path, key.export_private_key("openssh").decode())
            write(path.with_suffix(".pub"), key.export_public_key("openssh").decode())


def ionapi(home: Home) -> dict[str, str]:
    """The keys of the .ionapi file: those of an earlier start, else new ones without an address."""
    if home.ionapi.exists():
        known: dict[str, str] = json.loads(home.ionapi.read_text("utf-8"))
        return known
    return {
        "ti": TENANT,
        "cn": "stampli-infor-sandbox",
        "dt": "12",
        "ci": f"{TENANT}~{secrets.token_urlsafe(24)}",
        "cs": secrets.token_urlsafe(48),
        "oa": "authorization.oauth2",
        "ot": "token.oauth2",
        "or": "revoke_token.oauth2",
        "ev": secrets.token_hex(5).upper(),
        "v": "1.0",
        "saak": f"{TENANT}#{secrets.token_urlsafe(32)}",
        "sask": secrets.token_urlsafe(48),
    }


def client_public_key(home: Home) -> str:
    """The public half of the client key, as one line."""
    return home.client_key.with_suffix(".pub").read_text("utf-8")


def password(home: Home) -> str:
    """The SFTP password: that of an earlier start, else a new one."""
    known: str | None = home.read().get("sftp", {}).get("password")
    return known or secrets.token_urlsafe(18)


def port(wanted: int, earlier: int | None) -> int:
    """The port to listen on: the wanted one, else the earlier start's if it is free, else any (0)."""
    if wanted or not earlier:
        return wanted
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", earlier))
        except OSError:
            return 0
    return earlier


def publish(home: Home, described: Mapping[str, Any], keys: Mapping[str, str]) -> None:
    """Write the files for clients, ``sandbox.json`` last: once it is there, everything is."""
    sftp = described["sftp"]
    env = {
        "SANDBOX_HOME": str(home.root.absolute()),
        "SANDBOX_SFTP_HOST": sftp["host"],
        "SANDBOX_SFTP_PORT": sftp["port"],
        "SANDBOX_SFTP_USERNAME": sftp["username"],
        "SANDBOX_SFTP_PASSWORD": sftp["password"],
        "SANDBOX_SFTP_PRIVATE_KEY_PATH": sftp["private_key_path"],
        "SANDBOX_SFTP_HOST_KEY": sftp["host_key"],
        "SANDBOX_SFTP_OUTBOUND_PATH": sftp["outbound_path"],
        "SANDBOX_IONAPI": described["ionapi_path"],
        "SANDBOX_GATEWAY_URL": described["gateway"]["base_url"],
        "SANDBOX_CONO": described["cono"],
        "SANDBOX_DIVI": described["divi"],
    }
    address = {
        "iu": described["gateway"]["base_url"],
        "pu": f"{described['gateway']['base_url']}/{TENANT}/as/",
    }
    write(home.ionapi, json.dumps({**keys, **address}, indent=1) + "\n")
    write(home.env, "".join(f"{name}={value}\n" for name, value in env.items()))
    write(home.earlier, json.dumps(described, indent=1) + "\n")
    write(home.description, json.dumps(described, indent=1) + "\n")


def write(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)
