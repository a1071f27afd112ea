"""``doctor``: asks everything, writes nothing, and says what to do."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest
from pipelines import ROOT
from target_infor_cloudsuite.doctor import tenant
from target_infor_cloudsuite.ion.clocks import ahead_of_us
from target_infor_cloudsuite.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipelines import Sandbox

    from tests.conftest import Programs


def findings(programs: Programs, *arguments: str) -> dict[str, dict[str, Any]]:
    done = programs.ap("--format", "json", "doctor", *arguments)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert done.returncode == int(any(each["result"] == "failed" for each in found)), done.stderr
    assert "Traceback" not in done.stderr
    assert all(each["what_to_do"] for each in found if each["result"] != "ok")
    return {each["check"]: each for each in found}


def tap_config(sandbox: Sandbox) -> dict[str, Any]:
    sftp = sandbox.described["sftp"]
    names = ("host", "port", "username", "password", "host_key", "outbound_path")
    return {name: sftp[name] for name in names}


def everything(*folders: Path) -> dict[str, tuple[str, int]]:
    """Every file there is, its content and when it was last changed."""
    found = {}
    for folder in folders:
        for path in folder.rglob("*"):
            if path.name == "config.json":  # which the test itself writes for each call
                continue
            if path.is_file():
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                found[str(path)] = (content, path.stat().st_mtime_ns)
            else:
                found[str(path)] = ("", path.stat().st_mtime_ns)
    return found


def test_all_is_well_and_nothing_is_written(quiet: Programs, quiet_sandbox: Sandbox, tmp_path: Path) -> None:
    tap = quiet.directory / "tap.json"
    tap.write_text(json.dumps(tap_config(quiet_sandbox)), "utf-8")
    ledger = Ledger(quiet.config["ledger_url"])
    ledger.open()
    ledger.close()
    quiet.config["audit_anchor"] = str(tmp_path / "anchor")
    quiet.write_config()
    outbound = quiet_sandbox.home.outbound
    names = ("invoices", "staged", "statements")
    before = everything(quiet.directory, outbound), {name: quiet_sandbox.books()[name] for name in names}
    found = findings(quiet, "--tap-config", str(tap))
    assert before == (
        everything(quiet.directory, outbound),
        {name: quiet_sandbox.books()[name] for name in names},
    )
    assert not (tmp_path / "anchor").exists()
    assert {each["result"] for each in found.values()} == {"ok", "warning"}
    assert {
        name for name, each in found.items() if each["result"] == "warning" and not name.startswith("sample")
    } == {"payment_method"}
    assert found["company 100, AP program"]["text"].startswith("APS100MI")
    wanted = {"settings", "ledger", "disk", "audit", "crosswalks", "token", "gateway", "gateway clock"}
    wanted |= {f"tap, {each}" for each in ("login", "host key", "directory", "server clock")}
    wanted |= {f"tap, stream {each}" for each in ("invoices", "payments", "vendors", "gl_accounts")}
    wanted |= {
        f"company 100{each}" for each in ("", ", rights", ", reference data", ", divisions", ", payments")
    }
    wanted |= {"sample of invoices", "sample of payments"}
    assert wanted <= set(found)
    assert "2 files match invoices_*" in found["tap, stream invoices"]["text"]
    assert "suppliers" in found["company 100, reference data"]["text"]
    assert "becomes company" in found["sample of invoices"]["text"]


def test_the_taps_settings_may_come_from_the_environment(quiet: Programs, quiet_sandbox: Sandbox) -> None:
    for name, value in tap_config(quiet_sandbox).items():
        quiet.env[f"TAP_STAMPLI_SFTP_{name.upper()}"] = str(value)
    assert findings(quiet)["tap, login"]["result"] == "ok"
    quiet.env["TAP_STAMPLI_SFTP_PASSWORD"] = "wrong-password-42"
    found = findings(quiet)
    assert found["tap, login"]["result"] == "failed"
    assert "password" in found["tap, login"]["text"]
    assert "wrong-password-42" not in str(found)
    quiet.env["TAP_STAMPLI_SFTP_HOST_KEY"] = f"SHA256:{'A' * 43}"
    refused = findings(quiet)["tap, host key"]
    assert refused["result"] == "failed"
    assert str(quiet_sandbox.described["sftp"]["host_key"]).partition(",")[0][:20] in refused["text"]


@pytest.mark.parametrize(
    ("setting", "value", "check"),
    [
        ("OUTBOUND_PATH", "/nowhere", "tap, directory"),
        ("PORT", "1", "tap, directory"),
        ("TEMPLATES", '{"nonsense": {}}', "tap, settings"),
    ],
)
def test_what_is_wrong_with_the_tap_is_told(
    setting: str, value: str, check: str, quiet: Programs, quiet_sandbox: Sandbox
) -> None:
    for name, given in tap_config(quiet_sandbox).items():
        quiet.env[f"TAP_STAMPLI_SFTP_{name.upper()}"] = str(given)
    quiet.env[f"TAP_STAMPLI_SFTP_{setting}"] = value
    assert findings(quiet)[check]["result"] == "failed"


def test_a_file_of_tomorrow_and_a_stream_without_files(
    quiet: Programs, start_sandbox: Callable[..., Sandbox]
) -> None:
    sandbox = start_sandbox()
    for name, given in tap_config(sandbox).items():
        quiet.env[f"TAP_STAMPLI_SFTP_{name.upper()}"] = str(given)
    for path in sandbox.home.outbound.iterdir():
        if path.name.startswith("payments"):
            path.unlink()
        else:
            os.utime(path, (time.time() + 7200, time.time() + 7200))
    found = findings(quiet)
    assert found["tap, server clock"]["result"] == "warning"
    assert "in the future" in found["tap, server clock"]["text"]
    assert found["tap, stream payments"]["result"] == "warning"


def test_a_gateway_whose_clock_is_wrong(
    quiet: Programs, quiet_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ionapi = json.loads(quiet_sandbox.home.ionapi.read_text("utf-8"))
    ahead = ahead_of_us(ionapi["iu"], timeout_seconds=10)
    assert ahead is not None
    assert abs(ahead.total_seconds()) < 60
    assert ahead_of_us("http://127.0.0.1:1", timeout_seconds=1) is None
    monkeypatch.setattr(tenant, "_TOLERATED_SECONDS", -1)
    clock = findings(quiet)["gateway clock"]
    assert clock["result"] == "warning"


def test_each_thing_that_is_wrong_is_found_by_itself(quiet: Programs) -> None:
    folder = quiet.directory / "crosswalks"
    shutil.copytree(ROOT / "transforms" / "crosswalks", folder)
    companies = folder / "companies.csv"
    companies.write_text(companies.read_text("utf-8") + "Nowhere,777,AAA,\nElse,100,ZZZ,\n", "utf-8")
    (quiet.directory / "ledger.db").write_bytes(b"no database " * 99)
    quiet.config |= {"crosswalk_dir": str(folder), "payment_method": "STA"}
    found = findings(quiet)
    assert found["tap"]["result"] == "warning"
    assert found["payment_method"]["result"] == "ok"
    assert (found["ledger"]["result"], found["company 777"]["result"]) == ("failed", "failed")
    assert found["company 100"]["result"] == "ok"
    assert "ZZZ" in found["company 100, divisions"]["text"]
    companies.write_text("stampli_company,cono\nX,many\n", "utf-8")
    assert findings(quiet)["crosswalks"]["result"] == "failed"
    assert findings_of(
        quiet, ionapi_path="/none.ionapi", crosswalk_dir=str(ROOT / "transforms" / "crosswalks")
    )["gateway"]["what_to_do"]
    assert list(findings_of(quiet, max_in_flight=99)) == ["settings"]


def findings_of(programs: Programs, **settings: Any) -> dict[str, dict[str, Any]]:
    programs.config |= settings
    return findings(programs)


def test_a_newer_ledger_and_an_old_tenant(
    start_sandbox: Callable[..., Sandbox], programs_for: Callable[..., Programs]
) -> None:
    programs = programs_for(start_sandbox("old", "--tenant", "ce2020"))
    ledger = Ledger(programs.config["ledger_url"])
    ledger.open()
    for version, result, told in (("0001", "warning", "older version"), ("9999", "failed", "newer version")):
        with ledger.write() as tx:
            tx.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")  # noqa: S608
        found = findings(programs)
        assert (found["ledger"]["result"], told in found["ledger"]["text"]) == (result, True)
    ledger.close()
    assert found["company 100, AP program"]["text"].startswith("APS450MI")
    assert found["company 100, line coding"]["result"] == "failed"
