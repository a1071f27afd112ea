"""An S3 server on loopback."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scheduler import answers, free_port, until
from stampli_infor_sandbox.demo.processes import end

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def running_s3(log: Path, bucket: str) -> Iterator[str]:
    """An S3 server with one bucket; its URL."""
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", port],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        until(lambda: answers(f"{url}/moto-api/data.json"), "the S3 server")
        make = urllib.request.Request(f"{url}/{bucket}", method="PUT")  # noqa: S310 - loopback
        with urllib.request.urlopen(make):  # noqa: S310
            yield url
    finally:
        end(child)


def keys(url: str, bucket: str) -> str:
    """The bucket's list of objects, as XML."""
    with urllib.request.urlopen(f"{url}/{bucket}?list-type=2") as answer:  # noqa: S310 - loopback
        found: bytes = answer.read()
        return found.decode()
