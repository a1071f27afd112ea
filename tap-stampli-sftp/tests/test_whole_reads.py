"""The channel's receive buffer: every byte once, in order, and no waiting for what will not come."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paramiko.buffered_pipe import PipeTimeout
from tap_stampli_sftp.sftp.whole_reads import WholeReads


@given(st.lists(st.binary(max_size=9), max_size=20), st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_every_byte_comes_once_and_in_order(chunks: list[bytes], sizes: list[int]) -> None:
    pipe = WholeReads()
    for chunk in chunks:
        pipe.feed(chunk)
    pipe.close()
    whole = b"".join(chunks)
    assert (len(pipe), pipe.read_ready()) == (len(whole), bool(whole))
    at = 0
    for size in sizes:
        assert pipe.read(size) == whole[at : at + size]
        at += size
    assert pipe.empty() == whole[at:]
    assert pipe.read(1) == b""


def test_a_reader_waits_for_all_that_it_asked_for_while_it_is_on_its_way() -> None:
    pipe = WholeReads()
    read: list[bytes] = []
    thread = threading.Thread(target=lambda: read.append(pipe.read(6, 20)))
    thread.start()
    for chunk in (b"ab", b"cd", b"efg"):
        pipe.feed(chunk)
    thread.join(timeout=20)
    assert read == [b"abcdef"]
    assert pipe.read(1) == b"g"


def test_a_pipe_that_stays_empty_times_out() -> None:
    pipe = WholeReads()
    pipe.feed(b"ab")
    with pytest.raises(PipeTimeout):
        pipe.read(3, 0.01)
    assert pipe.read(2, 0.01) == b"ab"


def test_closing_wakes_the_reader() -> None:
    pipe = WholeReads()
    read: list[bytes] = []
    thread = threading.Thread(target=lambda: read.append(pipe.read(6)))
    thread.start()
    pipe.feed(b"ab")
    pipe.close()
    thread.join(timeout=20)
    assert read == [b"ab"]
