"""A target that dies at the k-th boundary: started once, forked for every k, killed by a real SIGKILL.

    python -m proof.mortal   < one JSON order a line   > one JSON answer a line

An order: ``argv``, ``stdin`` and ``stderr`` (files), ``kill_at`` (0: never). The child is the target's own
command line, warmed up by its parent. The boundaries are hung around the product's edges from outside: it
has no switch for them, and a name that is gone ends this with an AttributeError.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from target_infor_cloudsuite.ion import transport
from target_infor_cloudsuite.ledger import Ledger
from target_infor_cloudsuite.target import TargetInforCloudSuite

from proof.names import WRITES

if TYPE_CHECKING:
    from collections.abc import Iterator


class Boundaries:
    """Counts the boundaries that a process passes, and kills it at one of them."""

    def __init__(self, kill_at: int, report: int) -> None:
        self._left = kill_at
        self._report = report
        self._lock = threading.Lock()

    def passed(self, name: str) -> None:
        """One more; the process does not come back from the one it is meant to die at."""
        with self._lock:
            self._left -= 1
            if not self._left:
                os.write(self._report, name.encode())
                os.kill(os.getpid(), signal.SIGKILL)

    def hang(self) -> None:
        """Around what the target sends, what it reads, and what it commits."""
        courier: Any = importlib.import_module("target_infor_cloudsuite.ion.courier")
        exchange, read, write = courier.exchange, transport._read, Ledger.write

        def sent(*args: Any, body: Any, **named: Any) -> Any:
            self.passed("before a request leaves")
            reply = exchange(*args, body=body, **named)
            if _writes(body):
                self.passed("after the answer, before it is written down")
            return reply

        def being_read(response: Any, **named: Any) -> bytes:
            if _writes(response.request.body):
                self.passed("after M3 did it, before the answer is read")
            return read(response, **named)

        @contextmanager
        def committed(ledger: Ledger) -> Iterator[Any]:
            with write(ledger) as tx:
                yield tx
            self.passed("at a commit of the ledger")

        courier.exchange = sent
        transport._read = being_read
        Ledger.write = committed  # type: ignore[method-assign, assignment]


def _writes(body: Any) -> bool:
    return isinstance(body, bytes) and json.loads(body)["transactions"][0]["transaction"] in WRITES


def live(order: dict[str, Any], report: int) -> None:
    """Be the target; does not return."""
    for number, (name, flags) in enumerate(
        [(order["stdin"], os.O_RDONLY), (os.devnull, os.O_WRONLY),
         (order["stderr"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)]
    ):  # fmt: skip
        os.dup2(os.open(name, flags, 0o600), number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the rest of this process
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
    if order["kill_at"]:
        Boundaries(order["kill_at"], report).hang()
    sys.argv = ["target-infor-cloudsuite", *order["argv"]]
    TargetInforCloudSuite.cli()


def obey(order: dict[str, Any]) -> dict[str, Any]:
    """Fork, wait, say how it ended."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            live(order, theirs)
        except SystemExit as end:
            code = int(end.code or 0)
        except Exception:  # noqa: BLE001 - told as Python itself would
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stderr.flush()
            os._exit(code)
    os.close(theirs)
    _, status = os.waitpid(child, 0)
    with os.fdopen(ours, "rb") as pipe:
        boundary = pipe.read().decode()
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return {"killed": killed, "code": os.waitstatus_to_exitcode(status), "boundary": boundary}


def main() -> None:
    """Obey until there is no more order."""
    for line in sys.stdin:
        print(json.dumps(obey(json.loads(line))), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
