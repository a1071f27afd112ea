"""``make demo`` and ``make demo-real`` as a user types them, and that the demo's own count finds faults."""

from __future__ import annotations

import signal
import subprocess
import time
from decimal import Decimal
from pathlib import Path

import pytest
from pipelines import ROOT, clean_env
from stampli_infor_sandbox.demo.spend import account_for, count
from stampli_infor_sandbox.demo.tally import Tally, disagreements

HEADER = (
    "Body,Name of Body,Date,Transaction Number,Invoice Number,Amount,Supplier Name,Supplier ID,"
    "VAT Reg no,Expense Area,Expense Type,Expense Code,Creditor Type"
)
AREA = "Children & Younger Persons"
BLANK = ",,,,,,,,,,,,"
OLDER = [
    f"18,A Council,03/05/2011,T1,1404,500,ITS LEARNING,199530,,{AREA},Training,1802,LTD",
    f"18,A Council,03/05/2011,T2,1538,120.10,LEARNING CENTRAL,274791,,{AREA},Training,1802,LTD",
    f"18,A Council,03/05/2011,T3,1538,-20.10,LEARNING CENTRAL,274791,,{AREA},Training,1802,LTD",
    BLANK,
    f"18,A Council,04/05/2011,T4,REDACTED UNDER DP ACT,75.25,ITS LEARNING,199530,,{AREA},Training,1802,LTD",
]
NEWER = [
    f"18,A Council,2024-09-02 00:00:00,T5,A/0077,2853.8199999999997,NEW WAYS,300017,,{AREA},Care,5710,LTD",
    f"18,A Council,2024-09-02 00:00:00,T6,A/0078,10.5,ITS LEARNING,199530,,{AREA},Care,5710,LTD",
    f"18,A Council,2024-09-03 00:00:00,T7,CN 1,-99.99,LEARNING CENTRAL,274791,,{AREA},Care,5710,LTD",
]


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    env = {
        name: value for name, value in clean_env().items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    }
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )


@pytest.fixture
def spend_files(tmp_path: Path) -> Path:
    """Two small files with the warts of the real ones: BOM, blank rows, redaction, float noise, credits."""
    (tmp_path / "spend-2011-05.csv").write_bytes("\r\n".join([HEADER, *OLDER, ""]).encode("ascii"))
    (tmp_path / "spend-2024-09.csv").write_bytes("\r\n".join([HEADER, *NEWER, ""]).encode("utf-8-sig"))
    return tmp_path


def test_make_demo_posts_everything_once_and_stops_what_it_started() -> None:
    done = make("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All books agree; nothing was posted twice." in done.stdout
    assert "The second run posted 0 invoices" in done.stdout
    for word in (
        "posted",
        "review",
        "duplicate",
        "failed",
        "rejected",
        "supplier_not_found",
        "EUR",
        "requests",
    ):
        assert word in done.stdout, word
    audit = ROOT / ".sandbox" / "demo" / "output" / "audit"
    assert str(audit.relative_to(ROOT)) in done.stdout
    assert list(audit.glob("*.jsonl"))
    assert not (ROOT / ".sandbox" / "demo" / "sandbox.json").exists()


def test_make_demo_real_accounts_for_every_row(spend_files: Path) -> None:
    done = make("demo-real", f"DATA={spend_files}")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.replace("│", " ").splitlines()]
    totals = {
        line[0]: line[-3:]
        for line in lines
        if len(line) > 3 and line[0] in {"posted", "rejected", "together"}
    }
    assert totals["together"] == ["6", "7", "3,439.58"]
    assert totals["rejected"] == ["1", "1", "75.25"]
    assert ["independent", "count", "6", "7", "3,439.58"] in lines


def test_a_setting_of_prod_in_the_shell_does_not_reach_the_demo(tmp_path: Path) -> None:
    # Whoever has real settings in the shell must not post to a real M3 by typing make demo.
    env = {
        **clean_env(),
        "TAP_STAMPLI_SFTP_HOST": "prod.invalid",
        "TARGET_INFOR_CLOUDSUITE_IONAPI_PATH": "/prod.ionapi",
    }
    sandbox = ROOT / ".tools" / "sandbox" / "bin" / "stampli-infor-sandbox"
    done = subprocess.run(
        [str(sandbox), "demo", "--home", str(tmp_path / "demo")],
        cwd=ROOT, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_independent_count_reads_lines_and_rounds_noise(spend_files: Path) -> None:
    groups = {(group.file, group.line): (group.rows, group.amount) for group in count(spend_files)}
    assert groups == {
        ("spend-2011-05.csv", 2): (1, Decimal(500)),
        ("spend-2011-05.csv", 3): (2, Decimal("100.00")),
        ("spend-2011-05.csv", 6): (1, Decimal("75.25")),
        ("spend-2024-09.csv", 2): (1, Decimal("2853.82")),
        ("spend-2024-09.csv", 3): (1, Decimal("10.50")),
        ("spend-2024-09.csv", 4): (1, Decimal("-99.99")),
    }


def row(file: str, line: int, amount: str, status: str = "posted") -> dict[str, str]:
    return {
        "source_file": f"/outbound/{file}",
        "source_line": str(line),
        "amount": amount,
        "status": status,
        "number": "N",
    }


def test_a_lost_row_a_wrong_amount_and_an_invented_one_are_found(spend_files: Path) -> None:
    groups = count(spend_files)
    rows = [row(group.file, group.line, str(group.amount)) for group in groups]
    assert account_for(groups, rows).faults == []
    assert len(account_for(groups, rows[1:]).faults) == 1
    assert len(account_for(groups, [*rows, row("spend-2011-05.csv", 9, "1.00")]).faults) == 1
    assert len(account_for(groups, [{**rows[0], "amount": "500.01"}, *rows[1:]]).faults) == 1
    assert len(account_for(groups, [{**rows[0], "status": "in_doubt"}, *rows[1:]]).faults) == 1


@pytest.mark.parametrize("wrong", ["ledger", "audit", "m3"])
def test_books_that_disagree_by_a_cent_are_found(wrong: str) -> None:
    tallies = {}
    for name in ("ledger", "audit", "m3"):
        tallies[name] = Tally()
        tallies[name].add("invoice", "EUR", Decimal("100.01" if name == wrong else "100.00"))
    assert len(disagreements(tallies["ledger"], tallies["audit"], tallies["m3"])) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_demo_that_is_interrupted_leaves_no_process(tmp_path: Path, number: signal.Signals) -> None:
    home = tmp_path / "demo"
    sandbox = ROOT / ".tools" / "sandbox" / "bin" / "stampli-infor-sandbox"
    with (tmp_path / "log").open("wb") as log:
        demo = subprocess.Popen(
            [str(sandbox), "demo", "--home", str(home)], cwd=ROOT, env=clean_env(), stdout=log, stderr=log
        )
        while demo.poll() is None and not (home / "ledger.db").exists():
            time.sleep(0.05)
        assert processes_of(home)
        demo.send_signal(number)
        assert demo.wait(60) not in {0, None}
    assert processes_of(home) == []


def processes_of(home: Path) -> list[str]:
    """Processes whose command line or environment names a sandbox's home."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                known = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            except OSError:
                continue  # gone meanwhile
            if str(home).encode() in known:
                found.append(process.name)
    return found


def test_a_sandbox_that_cannot_start_is_told_with_its_reason(tmp_path: Path) -> None:
    sandbox = ROOT / ".tools" / "sandbox" / "bin" / "stampli-infor-sandbox"
    done = subprocess.run(
        [str(sandbox), "demo", "--home", str(tmp_path / "demo"), "--real", str(tmp_path / "nothing")],
        cwd=ROOT, env=clean_env(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "spend-2011-05.csv" in done.stderr
