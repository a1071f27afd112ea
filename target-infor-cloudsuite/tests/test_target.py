"""The target as a process: one clear line for every fault, STATE when it is due, and no secret anywhere."""

from __future__ import annotations

import json
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pipelines import BIN, ROOT, clean_env
from singer_input import assert_one_clear_line, errors, new_ledger, schema, state

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines import Sandbox

    from tests.conftest import Message, Programs

# -- what somebody has to mend ------------------------------------------------------------


def bad_ionapi(programs: Programs) -> None:
    path = programs.directory / "bad.ionapi"
    path.write_text("{no json", "utf-8")
    programs.config["ionapi_path"] = str(path)


def bad_crosswalk(programs: Programs) -> None:
    folder = programs.directory / "crosswalks"
    shutil.copytree(ROOT / "transforms" / "crosswalks", folder)
    with (folder / "suppliers.csv").open("a", encoding="utf-8") as rows:
        rows.write("one hundred,V-1,10001,\n")
    programs.config["crosswalk_dir"] = str(folder)


def corrupt_ledger(programs: Programs) -> None:
    (programs.directory / "ledger.db").write_bytes(b"no database " * 999)


def wrong_secret(programs: Programs) -> None:
    whole = json.loads(Path(programs.config["ionapi_path"]).read_text("utf-8"))
    path = programs.directory / "wrong.ionapi"
    path.write_text(json.dumps(whole | {"sask": "wrong-secret-42"}), "utf-8")
    programs.config["ionapi_path"] = str(path)


def gateway_down(programs: Programs) -> None:
    whole = json.loads(Path(programs.config["ionapi_path"]).read_text("utf-8"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
    path = programs.directory / "down.ionapi"
    path.write_text(json.dumps(whole | {"pu": f"{address}/", "iu": address}), "utf-8")
    programs.config["ionapi_path"] = str(path)


def unknown_company(programs: Programs) -> None:
    folder = programs.directory / "crosswalks"
    folder.mkdir()
    programs.config |= {"crosswalk_dir": str(folder), "cono": 777}


def no_output(programs: Programs) -> None:
    (programs.directory / "output").write_text("a file in the way", "utf-8")


def change(**values: Any) -> Callable[[Programs], None]:
    return lambda programs: programs.config.update(values)


FAULTS: dict[str, tuple[Callable[[Programs], None], tuple[str, ...]]] = {
    "no .ionapi": (change(ionapi_path=None), ("ionapi_path", "missing")),
    "unreadable .ionapi": (change(ionapi_path="/none/a.ionapi"), ("ionapi_path", "/none/a.ionapi")),
    "invalid .ionapi": (bad_ionapi, ("ionapi_path", "bad.ionapi")),
    "secret of the wrong type": (change(ionapi_path=None, ionapi=["s"]), ("ionapi", "text")),
    "bad crosswalk row": (bad_crosswalk, ("suppliers.csv", "cono", "one hundred")),
    "wrong value": (change(ap_program="APS200MI"), ("ap_program", "APS200MI", "APS100MI")),
    "wrong type": (change(max_in_flight="many"), ("max_in_flight", "whole number")),
    "corrupt ledger": (corrupt_ledger, ("ledger.db", "not a database", "backup")),
    "wrong credentials": (wrong_secret, ("ionapi_path",)),
    "gateway down": (gateway_down, ("no connection", "network")),
    "unknown company": (unknown_company, ("777",)),
    "output cannot be written": (no_output, ("output", "cannot be written", "in the ledger")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_one_clear_line(fault: str, quiet: Programs, quiet_sandbox: Sandbox) -> None:
    spoil, words = FAULTS[fault]
    before = quiet_sandbox.books()["invoices"]
    spoil(quiet)
    quiet.config = {name: value for name, value in quiet.config.items() if value is not None}
    done = quiet.target([schema("invoices")])
    assert_one_clear_line(done, *words)
    assert "wrong-secret-42" not in done.stderr
    assert quiet_sandbox.books()["invoices"] == before


def test_a_run_that_could_not_begin_is_written_down(quiet: Programs) -> None:
    wrong_secret(quiet)
    assert quiet.target().returncode == 1
    assert quiet.json("status")["last_run"]["outcome"].startswith("stopped: ")
    assert quiet.json("audit", "verify")["problems"] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"type": "RECORD", "stream": "invoices", "record": {}}\n', ("invoices", "schema")),
        ("no json, account 4711\n", ("Line 1", "no JSON")),
        ('{"type": "SCHEMA", "stream": "invo', ("middle of a message", "line 1")),
        ("[1]\n", ("Line 1", "no Singer message")),
        ('{"stream": "invoices"}\n', ("Line 1", "no Singer message")),
        ('{"type": "RECORD", "stream": "invoices"}\n', ("RECORD", "record")),
        ('{"type": "NONSENSE"}\n', ("Line 1", "NONSENSE")),
        ("\n", ("Line 1", "no JSON")),
        (json.dumps(schema("orders")) + "\n", ("'orders'", "invoices", "ap_payments", "source_files")),
    ],
)
def test_what_is_no_singer_input_is_one_clear_line(
    text: str, words: tuple[str, ...], quiet: Programs
) -> None:
    done = quiet.target(text)
    assert_one_clear_line(done, *words)
    assert "4711" not in done.stderr


@pytest.mark.parametrize(
    ("program", "text"),
    [("target-infor-cloudsuite", "{no json"), ("target-infor-cloudsuite", None), ("stampli-to-infor", "[1]")],
)
def test_a_config_that_cannot_be_read(program: str, text: str | None, quiet: Programs) -> None:
    path = quiet.directory / "odd.json"
    if text is not None:
        path.write_text(text, "utf-8")
    assert_one_clear_line(quiet.call(program, "--config", str(path)), "odd.json")


def test_what_nobody_foresaw_keeps_its_traceback(quiet: Programs) -> None:
    assert quiet.target().returncode == 0
    with sqlite3.connect(quiet.directory / "ledger.db") as database:
        database.execute("INSERT INTO runs VALUES ('x', 'x', 'no time', NULL, '', 0, 0)")
        database.execute("UPDATE reference SET content = '[]'")
    database.close()
    done = quiet.target(
        [schema("invoices"), {"type": "RECORD", "stream": "invoices", "record": {"invoice_id": "1"}}]
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr


# -- STATE ------------------------------------------------------------


def test_nothing_to_do_is_a_quiet_run(quiet: Programs) -> None:
    done = quiet.target()
    assert (done.returncode, done.stdout, errors(done.stderr)) == (0, "", [])
    done = quiet.target([schema("invoices"), schema("meltano_test_stream"), state()])
    assert (done.returncode, json.loads(done.stdout)) == (0, state()["value"])


def test_a_run_without_work_tries_the_way_to_m3_when_that_was_long_ago(quiet: Programs) -> None:
    assert quiet.target().returncode == 0
    gateway_down(quiet)
    done = quiet.target()
    assert done.returncode == 0, done.stderr
    assert "Requests sent: 0" in done.stderr
    assert_one_clear_line(quiet.target(reference_max_age_minutes=0), "no connection", "network")


def test_the_test_of_meltano_is_acknowledged_and_dropped(quiet: Programs) -> None:
    record = {"type": "RECORD", "stream": "meltano_test_stream", "record": {"a": 1}}
    done = quiet.target([schema("meltano_test_stream"), record])
    assert (done.returncode, errors(done.stderr)) == (0, [])
    assert "dropped" in done.stderr
    assert quiet.counts() == {"invoice": {}, "payment": {}}


# -- records of any shape ------------------------------------------------------------

odd = st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.floats() | st.just("\ud800\0")
shapes = st.recursive(
    odd,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    *("invoice_id", "invoice_number", "invoice_type", "invoice_date", "total_amount", "currency", "lines"),
    *("payment_id", "payment_amount", "applications", "company", "vendor_id", "source", "cono", "reasons"),
    *("stream", "reason", "message", "raw_text"),
    *("_sdc_source_file", "_sdc_source_line", "_sdc_source_sha256"),
)
DOCUMENTS = ("invoices", "payments", "ap_invoices", "ap_payments")
STREAMS = (*DOCUMENTS, "vendors", "gl_accounts", "rejected_rows", "source_files")


def odd_messages(seed: int) -> list[str]:
    """Some hundreds of records that no tap should send."""
    found: list[str] = [json.dumps(schema(stream)) for stream in STREAMS]

    @settings(max_examples=400, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(
        stream=st.sampled_from(STREAMS),
        record=shapes | st.dictionaries(st.sampled_from(FIELDS), shapes, max_size=8),
        tail=st.just(seed),
    )
    def collect(stream: str, record: Any, tail: int) -> None:
        del tail
        found.append(json.dumps({"type": "RECORD", "stream": stream, "record": record}))

    collect()
    return found


def test_a_record_without_its_key_is_rejected_and_ends_no_run(quiet: Programs) -> None:
    keyed = schema("invoices") | {"key_properties": ["invoice_id"]}
    odd: list[Any] = [{"memo": "x"}, None, [1], "a"]
    records = [{"type": "RECORD", "stream": "invoices", "record": each} for each in odd]
    done = quiet.target([keyed, *records], fail_on="never")
    assert (done.returncode, errors(done.stderr)) == (0, [])
    assert quiet.counts()["invoice"] == {"rejected": 4}


def test_no_record_ends_the_run_and_none_is_lost(quiet: Programs, quiet_sandbox: Sandbox) -> None:
    lines = odd_messages(1)
    extra = {"_sdc_source_line": 10**30, "_sdc_source_sha256": "x" * 500, "_sdc_source_mtime": "y" * 500}
    lines += [
        json.dumps(
            {"type": "RECORD", "stream": stream, "record": {"invoice_id": "1", "currency": "Z" * 99} | extra}
        )
        for stream in STREAMS
    ]
    # A file of another tap need not say what it is.
    lines += [
        json.dumps({"type": "RECORD", "stream": "source_files", "record": record})
        for record in (
            {"_sdc_source_file": "/a"},
            {"_sdc_source_sha256": "x"},
            {"_sdc_source_file": ["a"]},
            {},
        )
    ]
    # A reason or a message of any shape is kept as text: the run's file and the commands show it.
    odd_reasons = [["a", 1], {"b": None}, True, 1.5, None, "\ud800\0"]
    lines += [
        json.dumps(
            {"type": "RECORD", "stream": "rejected_rows", "record": {"reason": each, "message": each} | extra}
        )
        for each in odd_reasons
    ]
    before = quiet_sandbox.books()["invoices"]
    done = quiet.target("".join(f"{line}\n" for line in lines))
    assert (done.returncode, errors(done.stderr)) == (0, []), done.stderr[-3000:]
    found = quiet.counts()
    assert set(found["invoice"]) <= {"rejected", "review", "duplicate", "superseded"}
    assert sum(found["invoice"].values()) > 20
    assert quiet.json("audit", "verify")["problems"] == []
    assert quiet_sandbox.books()["invoices"] == before


# -- whole runs ------------------------------------------------------------


def documents_of(programs: Programs) -> list[tuple[Any, ...]]:
    """What the ledger says of each document, whatever run wrote it."""
    with sqlite3.connect(programs.directory / "ledger.db") as database:
        rows = database.execute(
            "SELECT kind, status, number, amount, source_key, content_hash, m3_key, source_file, source_line "
            "FROM documents ORDER BY kind, source_file, source_line, number, source_key"
        ).fetchall()
    database.close()
    return rows


def test_fed_twice_or_cut_anywhere_it_is_the_same(
    start_sandbox: Callable[..., Sandbox],
    programs_for: Callable[..., Programs],
    few: tuple[Message, ...],
) -> None:
    text = "".join(json.dumps(message) + "\n" for message in few)
    whole_box, cut_box = start_sandbox("whole"), start_sandbox("cut")
    whole, cut = programs_for(whole_box, "one"), programs_for(cut_box, "two")
    assert whole.target(text).returncode == 0
    once, posted = documents_of(whole), whole_box.books()["invoices"]
    assert whole.counts() == {
        "invoice": {"posted": 2, "rejected": 1, "review": 1},
        "payment": {"posted": 1},
    }
    done = whole.target(text)
    assert (done.returncode, json.loads(done.stdout)) == (0, few[-1]["value"])
    assert documents_of(whole) == once
    assert whole_box.books()["invoices"] == posted
    dice = random.Random(20261122)  # noqa: S311 - a test's dice
    for at in sorted(dice.randrange(len(text)) for _ in range(3)):
        assert cut.target(text[:at]).returncode in {0, 1}
    assert cut.target(text).returncode == 0
    assert documents_of(cut) == once
    assert len(cut_box.books()["invoices"]) == len(posted)


def test_told_to_stop_it_stops_and_the_next_run_goes_on(
    start_sandbox: Callable[..., Sandbox],
    programs_for: Callable[..., Programs],
    few: tuple[Message, ...],
) -> None:
    sandbox = start_sandbox("slow", "--latency-ms", "150")
    programs = programs_for(sandbox)
    text = "".join(json.dumps(message) + "\n" for message in few)
    command = [str(BIN / "target-infor-cloudsuite"), "--config", str(programs.write_config())]
    for wait in (0.2, 1.0):
        before = sandbox.requests()
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_env(),
            text=True,
        )
        assert child.stdin is not None
        child.stdin.write(text)
        child.stdin.flush()
        child.stdin.close()
        child.stdin = None
        deadline = time.monotonic() + 30
        while child.poll() is None and sandbox.requests() == before and time.monotonic() < deadline:
            time.sleep(0.02)  # until it is at work
        time.sleep(wait)  # and then at some moment or other
        child.send_signal(signal.SIGTERM)
        _, said = child.communicate(timeout=60)
        assert child.returncode in {0, 128 + signal.SIGTERM}, said
        assert "Traceback" not in said
        assert errors(said) == []
    done = programs.target(text)
    assert done.returncode == 0, done.stderr
    assert programs.counts() == {
        "invoice": {"posted": 2, "rejected": 1, "review": 1},
        "payment": {"posted": 1},
    }
    mine = {
        message["record"]["invoice_number"]
        for message in few
        if message.get("stream") == "invoices" and "record" in message
    }
    numbers = [each["number"] for each in sandbox.books()["invoices"] if each["number"] in mine]
    assert len(numbers) == len(set(numbers)) == 2
    assert programs.json("audit", "verify")["problems"] == []


def test_a_dry_run_changes_nothing_and_shows_everything(
    quiet: Programs, quiet_sandbox: Sandbox, few: tuple[Message, ...]
) -> None:
    before = quiet_sandbox.books()
    done = quiet.target(few, dry_run=True)
    assert (done.returncode, done.stdout) == (0, "")
    after = quiet_sandbox.books()
    assert [after[name] for name in ("invoices", "staged", "statements")] == [
        before[name] for name in ("invoices", "staged", "statements")
    ]
    assert quiet.counts() == {"invoice": {}, "payment": {}}
    (path,) = (quiet.directory / "output" / "dry-run").glob("*.jsonl")
    shown = {each["number"]: each for each in map(json.loads, path.read_text("utf-8").splitlines())}
    assert sorted(each["would_be"] for each in shown.values()) == [
        "posted",
        "posted",
        "rejected",
        "review",
        "review",
    ]
    assert "6100" not in done.stderr, "what stands in the documents stays in the file"
    lists = quiet.json("reference", "align")
    assert lists, "Stampli's own lists are kept for it"
    sent = [each for each in shown.values() if each["would_be"] == "posted" and each["kind"] == "invoice"]
    assert len(sent) == 2
    assert all(each["transactions"][0]["transaction"] == "AddHead" for each in sent)


def test_the_exit_code_tells_what_was_left_after_state_is_out(
    quiet: Programs, few: tuple[Message, ...]
) -> None:
    only_bad = [
        message
        for message in few
        if message["type"] != "RECORD"
        or message["stream"] not in {"invoices", "payments"}
        or message["record"].get("invoice_id") == "SI-5022"
    ]
    without_rejected = [message for message in only_bad if message.get("stream") != "rejected_rows"]
    for fail_on, messages, code in (
        ("failed", without_rejected, 0),
        ("review", without_rejected, 3),
        ("failed", only_bad, 3),
    ):
        done = quiet.target(
            messages,
            fail_on=fail_on,
            ledger_url=new_ledger(quiet.directory),
            output_dir=str(quiet.directory / f"{fail_on}{code}{len(messages)}"),
        )
        assert done.returncode == code, (fail_on, done.stderr)
        assert json.loads(done.stdout) == few[-1]["value"]
        assert len(errors(done.stderr)) == (code == 3)


def test_what_nobody_could_decide_is_trouble_too(
    quiet: Programs, quiet_sandbox: Sandbox, few: tuple[Message, ...]
) -> None:
    """It stands in review, and an invoice may be in M3 or not: no run with such an end is a good one."""
    faults = f"{quiet_sandbox.described['gateway']['base_url']}/sandbox/faults"
    never = {"match": {"transaction": "AddHead"}, "action": "status", "status": 504}
    requests.post(faults, json=[never], timeout=20).raise_for_status()
    try:
        sound = [each for each in few if each.get("stream") != "rejected_rows"]
        done = quiet.target(sound, in_doubt_settle_seconds=1, fail_on="failed")
    finally:
        requests.delete(faults, timeout=20).raise_for_status()
    assert done.returncode == 3, done.stderr
    assert "may or may not be in M3" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["bookmarks"], "after STATE is out"


def test_amounts_may_come_as_whole_numbers_or_text(quiet: Programs, few: tuple[Message, ...]) -> None:
    record = next(
        message["record"] for message in few if message.get("stream") == "invoices" and "record" in message
    )
    shapes_of_100 = (100, 100.0, "100", "100.00", 100.5)
    messages = [schema("invoices")]
    for number, amount in enumerate(shapes_of_100):
        changed = record | {
            "invoice_id": f"A-{number}",
            "invoice_number": f"A-{number}",
            "total_amount": amount,
        }
        messages.append(
            {"type": "RECORD", "stream": "invoices", "record": changed | {"_sdc_source_line": number}}
        )
    assert quiet.target(messages).returncode == 0
    amounts = [each["amount"] for each in quiet.json("review", "list")]
    assert amounts == ["100.00"] * 4 + ["100.50"]


# -- secrets ------------------------------------------------------------


def test_no_secret_and_no_bank_account_leaves_the_ledgers_raw_records(
    start_sandbox: Callable[..., Sandbox], programs_for: Callable[..., Programs], few: tuple[Message, ...]
) -> None:
    sandbox = start_sandbox()
    programs = programs_for(sandbox)
    account = "DE02120300000000202051"
    messages = json.loads(json.dumps(few))
    for message in messages:
        if message.get("stream") == "payments" and "record" in message:
            message["record"]["bank_account"] = account
    done = programs.target(messages)
    assert done.returncode == 0, done.stderr
    said = [done.stderr, done.stdout]
    for arguments in (("status",), ("review", "list"), ("audit", "verify"), ("doctor",)):
        shown = programs.ap(*arguments)
        said += [shown.stdout, shown.stderr]
    with sqlite3.connect(programs.directory / "ledger.db") as database:
        said += [str(row) for row in database.execute("SELECT * FROM events")]
    database.close()
    said += [path.read_text("utf-8") for path in (programs.directory / "output").rglob("*") if path.is_file()]
    ionapi = json.loads(Path(programs.config["ionapi_path"]).read_text("utf-8"))
    secrets = [str(ionapi[name]) for name in ("ci", "cs", "saak", "sask") if ionapi.get(name)]
    assert len(secrets) == 4
    assert not [text[:200] for text in said if account in text]
    # The SDK logs whole records at DEBUG; a secret stands not even there.
    programs.env["TARGET_INFOR_CLOUDSUITE_LOGLEVEL"] = "DEBUG"
    said.append(programs.target(messages, dry_run=True).stderr)
    for secret in secrets[1:]:
        assert not [text[:200] for text in said if secret in text], secret[:4]
    with sqlite3.connect(programs.directory / "ledger.db") as database:
        assert account in str(database.execute("SELECT raw FROM documents").fetchall())
    database.close()


def test_the_ledgers_password_is_not_shown(quiet: Programs) -> None:
    url = "postgresql+psycopg://me:geheim-42@127.0.0.1:1/books"
    done = quiet.target(ledger_url=url)
    assert_one_clear_line(done, "me:***@127.0.0.1")
    assert "geheim-42" not in done.stderr
    for command in (("status",), ("doctor",)):
        shown = quiet.ap(*command)
        assert "geheim-42" not in shown.stdout + shown.stderr
