from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_stampli_sftp.bookmarks import Bookmarks, fingerprint, room_for_entries
from tap_stampli_sftp.sftp.listing import RemoteFile

DAY = 86_400
NOW = 1000 * DAY


def marks(value: dict[str, Any] | None = None, *, now: int = NOW, days: int = 30) -> Bookmarks:
    return Bookmarks({} if value is None else value, now=now, lookback_days=days)


def test_a_file_is_known_by_path_size_and_mtime_together() -> None:
    bookmarks = marks()
    bookmarks.done(RemoteFile(NOW, "/a", 5), sha256="x")
    assert bookmarks.known(RemoteFile(NOW, "/a", 5))
    assert not bookmarks.known(RemoteFile(NOW, "/a", 6))
    assert not bookmarks.known(RemoteFile(NOW + 1, "/a", 5))
    assert not bookmarks.known(RemoteFile(NOW, "/b", 5))


def test_a_late_file_with_an_older_mtime_is_not_known() -> None:
    bookmarks = marks()
    bookmarks.done(RemoteFile(NOW, "/a", 5), sha256="x")
    assert not bookmarks.known(RemoteFile(NOW - 9 * DAY, "/late", 5))


def test_old_files_shrink_to_eight_bytes_and_stay_known() -> None:
    value: dict[str, Any] = {}
    file = RemoteFile(NOW, "/a", 5)
    bookmarks = marks(value)
    bookmarks.done(file, sha256="x")
    bookmarks.prune([file])
    assert value["files"] == {"/a": {"size": 5, "mtime": NOW, "sha256": "x"}}
    later = marks(value, now=NOW + 31 * DAY)
    assert later.known(file)
    later.prune([file])
    assert (value["files"], value["old"]) == ({}, [base64.b64encode(fingerprint(file)).decode()])
    assert marks(value, now=NOW + 40 * DAY).known(file)
    assert not marks(value, now=NOW + 40 * DAY).known(RemoteFile(NOW, "/a", 6))


def test_what_is_no_longer_listed_is_dropped() -> None:
    value: dict[str, Any] = {}
    old, young = RemoteFile(NOW - 99 * DAY, "/old", 5), RemoteFile(NOW, "/young", 5)
    bookmarks = marks(value)
    for file in (old, young):
        bookmarks.done(file, sha256=file.path)
    bookmarks.settled(RemoteFile(NOW, "/new", 1), min_age_seconds=60)
    bookmarks.prune([])
    assert value == {"files": {}, "old": [], "seen": {}}


def test_a_file_is_settled_by_its_age_or_by_being_unchanged_that_long() -> None:
    value: dict[str, Any] = {}
    assert marks(value).settled(RemoteFile(NOW - 60, "/a", 5), min_age_seconds=60)
    future = RemoteFile(NOW + 9999, "/f", 5)
    assert not marks(value).settled(future, min_age_seconds=60)
    assert not marks(value, now=NOW + 59).settled(future, min_age_seconds=60)
    assert marks(value, now=NOW + 60).settled(future, min_age_seconds=60)
    assert not marks(value, now=NOW + 60).settled(RemoteFile(NOW + 9999, "/f", 6), min_age_seconds=60)
    assert not marks(value, now=NOW + 61).settled(RemoteFile(NOW + 9999, "/f", 5), min_age_seconds=60)


def test_a_cut_file_is_remembered_until_it_changes() -> None:
    value: dict[str, Any] = {}
    file = RemoteFile(NOW - 99, "/a", 5)
    marks(value).cut(file)
    assert marks(value, now=NOW + 1).was_cut(file)
    assert not marks(value, now=NOW + 1).was_cut(RemoteFile(NOW - 99, "/a", 6))
    bookmarks = marks(value, now=NOW + 1)
    bookmarks.done(file, sha256="x")
    assert not bookmarks.was_cut(file)


def test_the_same_content_is_found_under_its_first_name() -> None:
    bookmarks = marks()
    bookmarks.done(RemoteFile(NOW, "/a", 5), sha256="x")
    bookmarks.done(RemoteFile(NOW, "/b", 5), sha256="x")
    assert bookmarks.same_content("x") == "/a"
    assert bookmarks.same_content("y") is None


_files = st.builds(
    RemoteFile, st.integers(NOW - 60 * DAY, NOW), st.sampled_from(["/a", "/b", "/c", "/d"]), st.integers(0, 3)
)


@given(
    st.lists(st.tuples(st.lists(_files, unique_by=lambda file: file.path), st.integers(0, 40)), max_size=6)
)
def test_a_listed_file_once_read_stays_known_and_the_state_stays_bounded(
    runs: list[tuple[list[RemoteFile], int]],
) -> None:
    text = "{}"
    now = NOW
    for listed, days in runs:
        now += days * DAY
        value = json.loads(text)
        bookmarks = marks(value, now=now)
        for file in listed:
            if not bookmarks.known(file):
                bookmarks.done(file, sha256=str(file))
        bookmarks.prune(sorted(listed))
        text = json.dumps(value)
        assert all(marks(json.loads(text), now=now + DAY).known(file) for file in listed)
        assert len(value["files"]) + sum(len(base64.b64decode(old)) for old in value["old"]) // 8 == len(
            listed
        )
        assert "." not in text.replace("RemoteFile", "")


def test_the_state_of_the_version_before_is_read() -> None:
    file = RemoteFile(NOW - 99 * DAY, "/old", 5)
    value: dict[str, Any] = {"files": {}, "old": [fingerprint(file).hex()], "seen": {}}
    bookmarks = marks(value)
    assert bookmarks.known(file)
    bookmarks.prune([file])
    assert marks(json.loads(json.dumps(value))).known(file)


def test_a_poll_that_finds_what_it_knows_leaves_the_state_and_one_that_does_not_changes_it() -> None:
    listed = [RemoteFile(NOW - 99 * DAY, f"/{n}", n) for n in range(3)]
    value: dict[str, Any] = {}
    bookmarks = marks(value)
    for file in listed:
        bookmarks.done(file, sha256=file.path)
    bookmarks.prune(listed)
    before = json.dumps(value)
    for now_listed in (listed, listed[:2], [*listed[:2], RemoteFile(NOW, "/new", 9)]):
        again = json.loads(before)
        poll = marks(again)
        known = [file for file in now_listed if poll.known(file)]
        poll.prune(now_listed)
        assert (json.dumps(again) == before) == (now_listed == listed)
        assert all(marks(again).known(file) for file in known)
        assert not marks(again).known(listed[2]) or listed[2] in now_listed


@pytest.mark.parametrize("age", [0, 99])
@pytest.mark.parametrize("streams", [1, 4])
def test_100_000_known_files_take_less_than_1_5_mb_and_cost_nothing_per_record(
    age: int, streams: int
) -> None:
    path = "/outbound/invoices_2026-01-31T10-15-00_company_{:06}.csv"
    count = 100_000 // streams
    listed = [RemoteFile(NOW - age * DAY + n // 1000, path.format(n), 4000 + n) for n in range(count)]
    value: dict[str, Any] = {}
    bookmarks = marks(value, now=NOW + DAY)
    for file in listed:
        bookmarks.done(file, sha256="ab" * 32)
    bookmarks.prune(listed, room=room_for_entries(count, 100_000))
    text = json.dumps(value)
    assert len(text) * streams < 1_500_000
    again = marks(json.loads(text), now=NOW + DAY)
    started = time.process_time()
    assert all(again.known(file) for file in listed)
    # A few microseconds each; the bound is wide for a busy machine.
    assert time.process_time() - started < 2
    assert bool(value["files"]) == (age == 0)


def test_within_the_window_all_have_a_full_entry_while_there_is_room_and_then_the_youngest() -> None:
    listed = [RemoteFile(NOW - 5000 + n, f"/outbound/invoices_{n:05}.csv", n) for n in range(5000)]
    value: dict[str, Any] = {}
    bookmarks = marks(value)
    for file in listed:
        bookmarks.done(file, sha256=f"{file.size:064}")
    bookmarks.prune(listed, room=room_for_entries(5000, 5000))
    assert (len(value["files"]), value["old"]) == (5000, [])
    assert marks(value).same_content(f"{7:064}") == "/outbound/invoices_00007.csv"
    bookmarks.prune(listed, room=100_000)
    assert listed[-1].path in value["files"]
    assert listed[0].path not in value["files"]
    assert all(marks(value).known(file) for file in listed)


def test_a_renamed_file_that_still_waits_keeps_the_content_known() -> None:
    value: dict[str, Any] = {}
    first, other = RemoteFile(NOW, "/a", 5), RemoteFile(NOW, "/other", 6)
    bookmarks = marks(value)
    bookmarks.done(first, sha256="x")
    bookmarks.done(other, sha256="y")
    renamed = RemoteFile(NOW, "/b", 5)
    soon = marks(value, now=NOW + 10)
    assert not soon.settled(renamed, min_age_seconds=60)
    soon.prune([renamed])
    assert list(value["files"]) == ["/a"]
    later = marks(value, now=NOW + 70)
    assert later.settled(renamed, min_age_seconds=60)
    assert later.same_content("x") == "/a"
    later.done(renamed, sha256="x", same_as="/a")
    later.prune([renamed])
    assert list(value["files"]) == ["/b"]
