"""A secret that a library logs is masked, in messages, arguments and tracebacks."""

from __future__ import annotations

import logging

import pytest
from target_infor_cloudsuite import confidential
from target_infor_cloudsuite.confidential import hide, masked, password_of


@pytest.fixture(autouse=True)
def nothing_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    before = logging.getLogRecordFactory()
    monkeypatch.setattr(confidential, "_secrets", set())
    monkeypatch.setattr(logging, "_logRecordFactory", before)


def test_secrets_are_masked_wherever_they_stand(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("some.library")
    hide("geheim-4711", None, "", "-----BEGIN KEY-----\nAbCdEfGhIj\n-----END KEY-----\n")
    hide("other-geheim")
    log.warning("plain %s and %r", "geheim-4711", {"x": "other-geheim"})
    log.warning("a line of the key: AbCdEfGhIj")
    try:
        int("refused: geheim-4711")
    except ValueError:
        log.exception("it failed")
    log.warning("nothing to hide: %d", 7)
    assert "geheim" not in caplog.text
    assert "AbCdEfGhIj" not in caplog.text
    assert "nothing to hide: 7" in caplog.text
    assert "'refused: ***'" in caplog.text


def test_what_is_too_short_is_no_secret() -> None:
    hide("abc")
    assert masked("abc") == "abc"


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("postgresql+psycopg://me:geheim-42@db/books", "geheim-42"),
        ("sqlite:///ledger.db", None),
        ("json://[", None),
    ],
)
def test_the_password_in_a_url(url: str, password: str | None) -> None:
    assert password_of(url) == password
