"""``doctor``: asks everything, writes nothing, and says what to do."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from pipelines import ROOT
from target_infor_cloudsuite.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

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


def test_all_is_well_and_nothing_is_written(quiet: Programs, quiet_sandbox: Sandbox) -> None:
    tap = quiet.directory / "tap.json"
    tap.write_text(json.dumps(tap_config(quiet_sandbox)), "utf-8")
    quiet.write_config()
    before = sorted(quiet.directory.rglob("*"))
    books = {name: quiet_sandbox.books()[name] for name in ("invoices", "staged", "statements")}
    found = findings(quiet, "--tap-config", str(tap))
    assert {each["result"] for each in found.values()} == {"ok", "warning"}
    assert [name for name, each in found.items() if each["result"] == "warning"] == ["payment_method"]
    assert "the first run makes it" in found["ledger"]["text"]
    assert found["company 100, AP program"]["text"].startswith("APS100MI")
    assert {"tap", "disk", "crosswalks", "company 100", "company 200, payments"} <= set(found)
    assert sorted(quiet.directory.rglob("*")) == before
    assert {name: quiet_sandbox.books()[name] for name in books} == books


def test_the_taps_settings_may_come_from_the_environment(quiet: Programs, quiet_sandbox: Sandbox) -> None:
    for name, value in tap_config(quiet_sandbox).items():
        quiet.env[f"TAP_STAMPLI_SFTP_{name.upper()}"] = str(value)
    assert findings(quiet)["tap"]["result"] == "ok"
    quiet.env["TAP_STAMPLI_SFTP_PASSWORD"] = "wrong-password-42"
    tap = findings(quiet)["tap"]
    assert tap["result"] == "failed"
    assert "password" in tap["text"]
    assert "wrong-password-42" not in str(tap)


def test_each_thing_that_is_wrong_is_found_by_itself(quiet: Programs) -> None:
    folder = quiet.directory / "crosswalks"
    shutil.copytree(ROOT / "transforms" / "crosswalks", folder)
    companies = folder / "companies.csv"
    companies.write_text(companies.read_text("utf-8") + "Nowhere,777,AAA,\n", "utf-8")
    (quiet.directory / "ledger.db").write_bytes(b"no database " * 99)
    quiet.config |= {"crosswalk_dir": str(folder), "payment_method": "STA"}
    found = findings(quiet)
    assert found["tap"]["result"] == "warning"
    assert found["payment_method"]["result"] == "ok"
    assert (found["ledger"]["result"], found["company 777"]["result"]) == ("failed", "failed")
    assert found["company 100"]["result"] == "ok"
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
    with ledger.write() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    ledger.close()
    found = findings(programs)
    assert "newer version" in found["ledger"]["text"]
    assert found["company 100, AP program"]["text"].startswith("APS450MI")
    assert found["company 100, line coding"]["result"] == "failed"
