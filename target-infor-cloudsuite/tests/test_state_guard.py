"""STATE of a ledger that is gone: refused until it fits, and never taken for that of a first run."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from singer_input import assert_one_clear_line, new_ledger, schema, state

if TYPE_CHECKING:
    from tests.conftest import Message, Programs

OLD = "2023-11-14T22:13:20+00:00"


def counted(path: str, **more: Any) -> Message:
    record = {"stream": "invoices", "_sdc_source_file": path, "_sdc_source_sha256": "0" * 64, **more}
    return {"type": "RECORD", "stream": "source_files", "record": record}


def test_state_of_another_ledger_stops_the_run(quiet: Programs) -> None:
    for strange in (state("/a.csv", "/b.csv"), state(old=["00ff00ff00ff00ff"])):
        done = quiet.target(
            [schema("source_files"), counted("/a.csv"), strange], ledger_url=new_ledger(quiet.directory)
        )
        assert_one_clear_line(done, "never seen", "ledger_url", "Nothing was posted")
    done = quiet.target(
        [schema("source_files"), counted("/a.csv"), state("/a.csv", seen={"/c.csv": {"size": 1}})],
        ledger_url=new_ledger(quiet.directory),
    )
    assert (done.returncode, list(json.loads(done.stdout))) == (0, ["bookmarks"])
    # Now the ledger is no new one any more, and what the state knows is the tap's own business.
    assert quiet.target([state("/a.csv", "/long-ago.csv")]).returncode == 0


def test_state_of_another_ledger_stops_every_run_until_it_fits(quiet: Programs) -> None:
    lost = [schema("source_files"), counted("/a.csv"), state("/a.csv", "/b.csv")]
    for _ in range(3):
        assert_one_clear_line(quiet.target(lost), "never seen", "/b.csv", "Nothing was posted")
        assert quiet.target().returncode == 0, "a run without STATE does not lower the guard"
    whole = [schema("source_files"), counted("/a.csv"), counted("/b.csv"), state("/a.csv", "/b.csv")]
    assert quiet.target(whole).returncode == 0
    assert quiet.target([state("/c.csv")]).returncode == 0


def print_of(path: str) -> bytes:
    """The 8 bytes by which the tap remembers an old file of 7 bytes."""
    return hashlib.sha256(f"{path}\0007\0001700000000".encode()).digest()[:8]


@pytest.mark.parametrize("packed", [True, False])
def test_a_first_run_may_have_files_from_before_the_look_back_window(packed: bool, quiet: Programs) -> None:  # noqa: FBT001
    """The tap keeps 8 bytes of those, also of the ones it has just read; and no name of a zip's members."""
    read = [counted(path, size=7, mtime=OLD) for path in ("/a.csv", "/b.zip!one.csv", "/b.zip!two.csv")]
    prints = [print_of("/a.csv"), print_of("/b.zip")]
    old = [base64.b64encode(b"".join(prints)).decode()] if packed else [each.hex() for each in prints]
    known = {"/c.csv": {"size": 1, "mtime": 1, "sha256": "0" * 64, "same_as": "/a.csv"}}
    told: Message = {"type": "STATE", "value": {"bookmarks": {"invoices": {"files": known, "old": old}}}}
    part = quiet.target([schema("source_files"), *read[:1], told], ledger_url=new_ledger(quiet.directory))
    assert_one_clear_line(part, "never seen", "an old one")
    whole = quiet.target([schema("source_files"), *read, told], ledger_url=new_ledger(quiet.directory))
    assert whole.returncode == 0, whole.stderr
