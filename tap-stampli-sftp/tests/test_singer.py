"""The tap as a process against a real OpenSSH server: what other programs see of it."""

from __future__ import annotations

import io
import json
import os
import shlex
import signal
import subprocess
import sys
import time
import zipfile
from typing import TYPE_CHECKING, Any

from tap_stampli_sftp.fields import StreamName
from tap_stampli_sftp.tap import TapStampliSFTP

if TYPE_CHECKING:
    from pathlib import Path

ORDER = [str(name) for name in StreamName]
INVOICES = (
    "Invoice ID,Invoice Number,Vendor ID,Invoice Date,Currency,Invoice Amount,Line Amount\n"
    "I1,N1,V1,2026-01-31,EUR,121.00,121.00\n"
    "I2,N2,V1,2026-01-31,EUR,abc,5.00\n"
)
GOOD = INVOICES.replace("abc", "5.00")
VENDORS = "Vendor ID,Vendor Name\nV1,Acme\n"
ACCOUNTS = "Company,GL Account\nUS,6000\n"
PAYMENTS = (
    "Payment ID,Payment Date,Vendor ID,Currency,Payment Amount,Invoice ID,Applied Amount\n"
    "P1,2026-02-01,V1,EUR,121.00,I1,121.00\n"
)


def put_all(server: Any) -> None:
    server.put("invoices_1.csv", INVOICES)
    server.put("vendors_1.csv", VENDORS)
    server.put("gl_accounts_1.csv", ACCOUNTS)
    server.put("payments_1.csv", PAYMENTS)


def test_schemas_and_records_come_in_order_and_amounts_keep_their_digits(server: Any, run_tap: Any) -> None:
    put_all(server)
    result = run_tap(server.config())
    assert result.code == 0
    assert [m["stream"] for m in result.messages if m["type"] == "SCHEMA"] == ORDER
    streams = [m["stream"] for m in result.messages if m["type"] == "RECORD"]
    assert streams == [
        "vendors", "source_files", "gl_accounts", "source_files",
        "invoices", "rejected_rows", "source_files", "payments", "source_files",
    ]  # fmt: skip
    assert str(result.records("invoices")[0]["total_amount"]) == "121.00"
    (rejected,) = result.records("rejected_rows")
    assert (rejected["stream"], rejected["reason"], rejected["_sdc_source_line"]) == (
        "invoices",
        "bad_amount",
        3,
    )
    files = {item["stream"]: item for item in result.records("source_files")}
    assert (files["invoices"]["rows"], files["invoices"]["documents"], files["invoices"]["rejected"]) == (
        2,
        1,
        1,
    )
    assert str(files["payments"]["control_totals"]["EUR"]) == "121.00"
    assert result.messages[-1]["type"] == "STATE"
    metrics = [
        json.loads(line.partition("METRIC: ")[2]) for line in result.log.splitlines() if "METRIC: " in line
    ]
    counted = {m["tags"]["stream"]: m["value"] for m in metrics if m["metric"] == "record_count"}
    assert counted == {stream: len(result.records(stream)) for stream in ORDER}
    assert [m["tags"]["tap"] for m in metrics if m["metric"] == "sync_duration"] == ["tap-stampli-sftp"]


def test_nothing_is_read_twice_and_nothing_is_lost(server: Any, run_tap: Any) -> None:
    put_all(server)
    first = run_tap(server.config())
    second = run_tap(server.config(), state=first.state)
    assert not [m for m in second.messages if m["type"] == "RECORD"]
    assert second.state == first.state
    server.put("invoices_1.csv", GOOD.replace("I1", "I9"))
    server.put("invoices_2.csv", GOOD, mtime=1_600_000_000)
    third = run_tap(server.config(), state=second.state)
    assert [record["invoice_id"] for record in third.records("invoices")] == ["I1", "I2", "I9", "I2"]


def test_same_content_under_a_new_name_is_not_read_and_said(server: Any, run_tap: Any) -> None:
    server.put("invoices_1.csv", GOOD)
    first = run_tap(server.config())
    server.put("invoices_2.csv", GOOD)
    second = run_tap(server.config(), state=first.state)
    assert second.records("invoices") == second.records("source_files") == []
    assert "invoices_2.csv has the same content as" in second.log
    assert len(second.state["bookmarks"]["invoices"]["files"]) == 2


def test_state_has_no_floats_and_the_shape_of_the_contract(server: Any, run_tap: Any) -> None:
    path = server.put("invoices_1.csv", GOOD)
    value = run_tap(server.config()).state["bookmarks"]["invoices"]
    entry = value["files"][str(path)]
    assert {name: type(part) for name, part in entry.items()} == {"size": int, "mtime": int, "sha256": str}
    assert value["old"] == []


def test_deselected_streams_are_not_read_nor_sent(server: Any, run_tap: Any) -> None:
    put_all(server)
    server.put("vendors_1.csv", b"\xff\xfe broken")
    catalog = TapStampliSFTP(config={}, validate_config=False).catalog_dict
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"] == []:
                entry["metadata"]["selected"] = stream["stream"] not in {"vendors", "source_files"}
    result = run_tap(server.config(), catalog=catalog)
    assert result.code == 0
    assert {m["stream"] for m in result.messages if m["type"] == "RECORD"} == {
        "gl_accounts", "invoices", "payments", "rejected_rows",
    }  # fmt: skip
    assert "vendors" not in {m["stream"] for m in result.messages if m["type"] == "SCHEMA"}


def test_a_deselected_property_is_not_sent(server: Any, run_tap: Any) -> None:
    server.put("invoices_1.csv", GOOD)
    catalog = TapStampliSFTP(config={}, validate_config=False).catalog_dict
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"] == ["properties", "memo"]:
                entry["metadata"]["selected"] = False
            elif entry["breadcrumb"] == []:
                entry["metadata"]["selected"] = True
    (first, _) = run_tap(server.config(), catalog=catalog).records("invoices")
    assert "memo" not in first
    assert str(first["total_amount"]) == "121.00"


def test_stream_maps_are_honoured(server: Any, run_tap: Any) -> None:
    server.put("invoices_1.csv", GOOD)
    config = server.config(stream_maps={"invoices": {"number": "invoice_number"}})
    assert [set(record) >= {"number"} for record in run_tap(config).records("invoices")] == [True, True]


def test_a_file_that_fails_is_left_and_the_others_go_on(server: Any, run_tap: Any) -> None:
    put_all(server)
    server.put("invoices_0.csv", "Foo,Bar\n1,2\n", mtime=1_600_000_000)
    result = run_tap(server.config())
    assert result.code == 1
    assert "invoices_0.csv not read: required column missing" in result.log
    assert "Traceback" not in result.log
    assert result.messages[-1]["type"] == "STATE"
    assert len(result.records("invoices")) == 1
    assert not [path for path in result.state["bookmarks"]["invoices"]["files"] if "invoices_0" in path]


def test_on_bad_row_fail_stops_before_the_file_is_sent(server: Any, run_tap: Any) -> None:
    put_all(server)
    result = run_tap(server.config(on_bad_row="fail"))
    assert result.code == 1
    assert result.records("invoices") == []
    assert "on_bad_row" in result.log
    assert list(result.state["bookmarks"]["gl_accounts"]["files"]) != []
    assert result.state["bookmarks"]["invoices"]["files"] == {}


def test_an_empty_directory_is_a_success_with_one_line(server: Any, run_tap: Any) -> None:
    result = run_tap(server.config())
    assert (result.code, result.log.count("No export files in")) == (0, 1)
    assert result.messages[-1]["type"] == "STATE"


def test_files_that_fit_no_stream_are_told_and_are_a_warning_where_no_other_came(
    server: Any, run_tap: Any
) -> None:
    for name in ("invoice_1.csv", "notes.txt", "payments.csv", "stock_1.csv", "half.csv.tmp", ".hidden"):
        server.put(name, GOOD)
    alone = run_tap(server.config())
    (told,) = [line for line in alone.log.splitlines() if "fit no stream" in line]
    assert "read: 4 (" in told
    assert told.count(".csv") + told.count(".txt") == 3, "a few of them by name"
    assert "WARNING" in told
    server.put("invoices_1.csv", GOOD)
    beside = run_tap(server.config())
    (told,) = [line for line in beside.log.splitlines() if "fit no stream" in line]
    assert "INFO" in told


def test_a_cut_file_waits_one_run_and_is_then_rejected_loudly(server: Any, run_tap: Any) -> None:
    server.put("invoices_1.csv", GOOD + "I3,N3")
    first = run_tap(server.config())
    assert (first.code, first.records("invoices")) == (0, [])
    second = run_tap(server.config(), state=first.state)
    assert [item["reason"] for item in second.records("rejected_rows")] == ["cut_row"]
    assert len(second.records("invoices")) == 2
    assert "cut_row" in second.log
    assert not run_tap(server.config(), state=second.state).records("invoices")


def test_a_row_of_blanks_that_is_cut_is_the_beginning_of_a_line(server: Any, run_tap: Any) -> None:
    server.put("invoices_1.csv", GOOD + ",,,")
    first = run_tap(server.config())
    assert (first.code, first.records("invoices")) == (0, [])
    second = run_tap(server.config(), state=first.state)
    assert [item["reason"] for item in second.records("rejected_rows")] == ["cut_row"]


def test_an_open_quote_is_no_footer_whatever_it_swallows(server: Any, run_tap: Any) -> None:
    swallowed = GOOD + 'I8,"N8,V1\nI9,N9,V1\nGrand Total,,\n'
    server.put("invoices_1.csv", swallowed)
    config = server.config(templates={"invoices": {"footer_pattern": "Grand Total"}})
    first = run_tap(config)
    assert first.records("invoices") == []
    second = run_tap(config, state=first.state)
    rejected = second.records("rejected_rows")
    assert {item["reason"] for item in rejected} == {"cut_row"}
    assert "".join(item["raw_text"] for item in rejected) == swallowed.removeprefix(GOOD)


def test_a_state_of_another_shape_is_one_clear_error(server: Any, run_tap: Any) -> None:
    server.put("invoices_1.csv", GOOD)
    shapes: list[Any] = [{"files": None}, {"files": {"/a": {}}}, {"old": ["x"]}]
    for broken in shapes:
        result = run_tap(server.config(), state={"bookmarks": {"invoices": broken}})
        assert (result.code, result.records("invoices")) == (1, [])
        assert "bookmarks of invoices are not as this tap writes them" in result.log
        assert "Traceback" not in result.log


def test_a_file_of_no_readable_text_or_names_leaves_the_others_alone(server: Any, run_tap: Any) -> None:
    server.put("invoices_1.csv", GOOD)
    server.put("invoices_2.xml", '<?xml version="1.0" encoding="utf-16"?><Invoices/>')
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("rechnung\u00e9.csv", GOOD)
    server.put("invoices_3.zip", packed.getvalue().replace("\u00e9".encode(), b"\xe9\xe9"))
    server.put("invoices_4.csv", GOOD.replace("N1", "N7"))
    result = run_tap(server.config())
    assert result.code == 1
    assert "invoices_2.xml not read: line 1 cannot be read as utf-16" in result.log
    assert "invoices_3.zip not read: its zip data is damaged" in result.log
    assert "Traceback" not in result.log
    assert len(result.state["bookmarks"]["invoices"]["files"]) == 2


def test_a_young_file_waits_until_it_was_unchanged_long_enough(server: Any, run_tap: Any) -> None:
    now = int(time.time())
    server.put("invoices_1.csv", GOOD, mtime=now + 5000)
    first = run_tap(server.config())
    assert first.records("invoices") == []
    assert "in the future" in first.log
    state = first.state
    (seen,) = state["bookmarks"]["invoices"]["seen"].values()
    seen["at"] -= 60
    assert len(run_tap(server.config(), state=state).records("invoices")) == 2


def test_discover_and_about_need_neither_settings_nor_network(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tap_stampli_sftp.tap"]
    discovered = subprocess.run([*command, "--discover"], capture_output=True, check=True, cwd=tmp_path)
    streams = json.loads(discovered.stdout)["streams"]
    assert [stream["stream"] for stream in streams] == ORDER
    about = subprocess.run(
        [*command, "--about", "--format", "json"], capture_output=True, check=True, cwd=tmp_path
    )
    assert "host_key" in about.stdout.decode()


def test_test_reads_a_sample_and_a_wrong_login_fails_it(server: Any, run_tap: Any) -> None:
    put_all(server)
    good = run_tap(server.config(), "--test")
    assert good.code == 0
    assert {m["stream"] for m in good.messages if m["type"] == "RECORD"} == set(ORDER)
    bad = run_tap(server.config(username="nobody-here"), "--test")
    assert bad.code == 1
    assert "Traceback" not in bad.log


def test_missing_settings_are_one_clear_error(run_tap: Any) -> None:
    for arguments in ((), ("--test",)):
        result = run_tap({"username": "u"}, *arguments)
        assert result.code == 1
        assert "'host' is a required property" in result.log
        assert "Traceback" not in result.log


def test_a_signal_stops_between_records_with_state_and_a_failing_exit_code(
    server: Any, tmp_path: Path
) -> None:
    server.put("invoices_1.csv", GOOD, mtime=1_600_000_000)
    rows = "".join(f"I{n},N{n},V1,2026-01-31,EUR,1.00,1.00\n" for n in range(20_000))
    server.put("invoices_2.csv", GOOD + rows)
    (tmp_path / "c.json").write_text(json.dumps(server.config()))
    with subprocess.Popen(
        [sys.executable, "-m", "tap_stampli_sftp.tap", "--config", str(tmp_path / "c.json")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        head = [process.stdout.readline() for _ in range(12)]
        # The pipe is full by now and the tap waits to write: the signal comes in the middle of the second
        # file.
        os.kill(process.pid, signal.SIGTERM)
        rest = process.stdout.read().splitlines()
        process.wait(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    state = json.loads(rest[-1])
    assert state["type"] == "STATE"
    assert [path.rpartition("/")[2] for path in state["value"]["bookmarks"]["invoices"]["files"]] == [
        "invoices_1.csv"
    ]
    assert all(json.loads(line) for line in [*head, *rest])


def test_a_target_that_dies_fails_the_tap_without_a_traceback(server: Any, tmp_path: Path) -> None:
    rows = "".join(f"I{n},N{n},V1,2026-01-31,EUR,1.00,1.00\n" for n in range(20_000))
    server.put("invoices_1.csv", GOOD + rows)
    (tmp_path / "c.json").write_text(json.dumps(server.config()))
    with subprocess.Popen(
        [sys.executable, "-m", "tap_stampli_sftp.tap", "--config", str(tmp_path / "c.json")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        log = process.stderr.read().decode()
        process.wait(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in log


def test_a_full_disk_stops_the_run_with_what_is_done_kept(server: Any, tap_line: Any, tmp_path: Path) -> None:
    small = server.put("invoices_1.csv", GOOD, mtime=1_600_000_000)
    server.put("invoices_2.csv", GOOD + "x" * 200_000)
    command = shlex.join(tap_line(server.config(), tmp_path))
    # A file may have 64 KiB: what a disk that is full answers, an error when more is written.
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 64; exec {command}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "No room to write" in done.stderr
    assert "spool_dir" in done.stderr
    assert "Traceback" not in done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert list(last["value"]["bookmarks"]["invoices"]["files"]) == [str(small)]
