"""Changes of the mapping: checked, compared, approved by two people; matches by name, confirmed once."""

from __future__ import annotations

import json
import logging
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from stampli_infor_transforms.crosswalks import Crosswalks
from stampli_infor_transforms.policy import SettingsError
from target_infor_cloudsuite.cli import main
from target_infor_cloudsuite.doctor import local
from target_infor_cloudsuite.ledger import documents, events
from target_infor_cloudsuite.posting.intake import receive

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result
    from tests.posting.rig import Rig, again, invoice, line
else:
    from posting_rig import again, invoice, line

WHY = ("--reason", "checked")
GL = "cono,divi,stampli_gl_account,ait1,ait2,ait3,ait4,ait5,ait6,ait7,allocation"


def ap(rig: Rig, *arguments: str) -> Result:
    """A command with the settings of a rig."""
    path = rig.directory / "command.json"
    path.write_text(json.dumps(rig.config), "utf-8")
    done = CliRunner().invoke(main, ["--config", str(path), "--format", "json", *arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def approved(rig: Rig) -> None:
    assert ap(rig, "mapping", "approve", "--actor", "Ann", *WHY).exit_code == 3
    assert ap(rig, "mapping", "approve", "--actor", "Bob", *WHY).exit_code == 0


def accounts(rig: Rig, tmp_path: Path, *rows: str) -> Path:
    """Crosswalks of this test's own with these rows of gl_accounts.csv; the directory."""
    directory = tmp_path / "crosswalks"
    if not directory.exists():
        shutil.copytree(rig.config["crosswalk_dir"], directory)
        rig.changed["crosswalk_dir"] = str(directory)
    (directory / "gl_accounts.csv").write_text("\n".join([GL, *rows, ""]), "utf-8")
    return directory


def row(code: str, account: str) -> str:
    return f"100,,{code},{account},,,,,,,"


# -- matches by name ------------------------------------------------------------


def by_name(**changed: Any) -> dict[str, Any]:
    return invoice(vendor_external_id=None, **changed)


def test_a_match_by_name_is_held_once_and_then_remembered(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for(name_needs_confirmation=True)
    first, second = by_name(), by_name()
    rig.run(first, second)
    assert rig.status(first) == rig.status(second) == "review name_match_unconfirmed"
    done = ap(rig, "mapping", "confirm", "--id", str(rig.document(first).id), "--actor", "Ann", *WHY)
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"confirmed": [rig.document(first).id]})
    third, renamed = by_name(), by_name(vendor_id="V-OTHER")
    rig.run(third, renamed)
    assert [rig.status(each) for each in (first, second, third)] == ["posted"] * 3
    assert "confirmed by a person" in rig.document(third).notes[0]
    assert rig.status(renamed) == "review name_match_unconfirmed"  # another vendor of that name
    told = rig.actions(first)
    assert told.index("mapping.confirmed") < told.index("document.posted")


def test_a_confirmation_is_listed_and_can_be_taken_back(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for(name_needs_confirmation=True)
    first = by_name()
    rig.run(first)
    number = rig.document(first).id
    named = ("--id", str(number), "--actor", "Ann", *WHY)
    early = ap(rig, "mapping", "revoke", *named)
    assert (early.exit_code, "mapping confirmed" in early.stderr) == (2, True)
    ap(rig, "mapping", "confirm", *named)
    rig.run()
    (kept,) = json.loads(ap(rig, "mapping", "confirmed").stdout)["confirmed"]
    assert kept | {"confirmed_at": ""} == {
        "id": number,
        "cono": 100,
        "vendor": rig.document(first).vendor,
        "supplier": "10001",
        "confirmed_by": "Ann",
        "confirmed_at": "",
    }
    done = ap(rig, "mapping", "revoke", *named)
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"revoked": [number]})
    assert json.loads(ap(rig, "mapping", "confirmed").stdout) == {"confirmed": []}
    second = by_name()
    rig.run(second)
    assert (rig.status(first), rig.status(second)) == ("posted", "review name_match_unconfirmed")
    assert rig.actions(first)[-1] == "mapping.revoked"
    assert ap(rig, "mapping", "revoke", *named).exit_code == 2


def test_only_a_match_by_name_is_confirmed(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for()
    record = invoice(line("100", account="0815"))
    rig.run(record)
    done = ap(rig, "mapping", "confirm", "--id", str(rig.document(record).id), "--actor", "Ann", *WHY)
    assert (done.exit_code, "gl_account_not_found" in done.stderr) == (2, True)


# -- approval ------------------------------------------------------------


def test_without_any_approval_nothing_is_posted(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for(mapping_approval="required")
    record = invoice()
    with pytest.raises(SettingsError, match="mapping approve"):
        rig.run(record)
    assert rig.status(record) == "received"
    assert not rig.in_m3(record)
    with rig.running(record) as process:
        assert process.wait(timeout=60) == 1
    assert "mapping_approval" in (rig.directory / "target.err").read_text("utf-8")


def test_two_people_approve_and_one_is_not_enough(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for(mapping_approval="required")
    first = ap(rig, "mapping", "approve", "--actor", "Ann", *WHY)
    assert (first.exit_code, json.loads(first.stdout)["approval"]) == (
        3,
        "proposed by Ann; a second person has to approve it",
    )
    for same in ("Ann", " ANN", "ann "):
        again_ = ap(rig, "mapping", "approve", "--actor", same, *WHY)
        assert (again_.exit_code, "another person" in again_.stderr) == (2, True)
    with pytest.raises(SettingsError):
        rig.run()
    assert ap(rig, "mapping", "approve", "--actor", "Bob", *WHY).exit_code == 0
    assert ap(rig, "mapping", "approve", "--actor", "Cem", *WHY).exit_code == 2
    record = invoice()
    rig.run(record)
    assert rig.status(record) == "posted"
    with rig.ledger.read() as tx:
        told = [
            (each.actor, each.action) for each in events.since(tx, 0) if each.action.startswith("mapping")
        ]
    assert told == [("Ann", "mapping.proposed"), ("Bob", "mapping.approved")]


def test_a_change_waits_for_approval_and_the_old_version_goes_on(
    rig_for: Callable[..., Rig], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rig = rig_for(mapping_approval="required")
    accounts(rig, tmp_path)
    approved(rig)
    old = Crosswalks.load(tmp_path / "crosswalks").version
    accounts(rig, tmp_path, row("TRIPS", "6000"))
    new = Crosswalks.load(tmp_path / "crosswalks").version
    plain, changed = invoice(), invoice(line("70", account="TRIPS"))
    with caplog.at_level(logging.ERROR):
        rig.run(plain, changed)
    assert new[:12] in caplog.text
    assert "mapping approve" in caplog.text
    assert (rig.status(plain), rig.status(changed)) == ("posted", "review gl_account_not_found")
    assert rig.document(plain).crosswalk_version == old
    with rig.ledger.read() as tx:
        (waits,) = [each.details for each in events.since(tx, 0) if each.action == "mapping.waits"]
    assert waits == {"version": new, "used": old}
    approved(rig)
    rig.run()
    assert rig.status(changed) == "posted"
    assert rig.document(changed).crosswalk_version == new
    assert rig.document(plain).crosswalk_version == old
    accounts(rig, tmp_path)  # back to what was approved before
    third = invoice()
    rig.run(third)
    assert rig.document(third).crosswalk_version == old


def test_what_was_mapped_elsewhere_by_an_unapproved_version_is_held(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for(mapping_approval="required")
    approved(rig)
    record = invoice()
    mapped = rig.mapped(record)
    for version, expected in (
        ("0" * 64, "review mapping_not_approved"),
        (mapped["crosswalk_version"], "posted"),
    ):
        with rig.ledger.write() as tx:
            receive(tx, "ap_invoices", [mapped | {"crosswalk_version": version}], hand=rig.hand)
        rig.run()
        newest = rig.all()[-1]
        held = [each["code"] for each in newest.reasons] if newest.status == "review" else []
        assert " ".join([newest.status, *held]) == expected
        assert newest.crosswalk_version == version


def test_the_doctor_tells_whether_the_crosswalks_are_approved(
    rig_for: Callable[..., Rig], tmp_path: Path
) -> None:
    rig = rig_for()
    directory = accounts(rig, tmp_path)

    def told() -> list[tuple[str, str]]:
        version = Crosswalks.load(directory).version
        return [(each.check, each.result) for each in local.approval(rig.settings, version)]

    assert told() == []
    rig.changed["mapping_approval"] = "required"
    assert told() == [("mapping_approval", "failed")]
    approved(rig)
    assert told() == [("mapping_approval", "ok")]
    accounts(rig, tmp_path, row("TRIPS", "6000"))
    assert told() == [("mapping_approval", "warning")]


# -- check and diff ------------------------------------------------------------


def test_check_names_file_line_and_what_m3_has(rig_for: Callable[..., Rig], tmp_path: Path) -> None:
    rig = rig_for()
    good = ap(rig, "mapping", "check")
    assert (good.exit_code, json.loads(good.stdout)["problems"]) == (0, [])
    directory = accounts(rig, tmp_path, row("TRIPS", "06000"), row("CARS", "6000"))
    done = ap(rig, "mapping", "check", "--directory", str(directory))
    (problem,) = json.loads(done.stdout)["problems"]
    assert done.exit_code == 3
    assert problem.startswith("gl_accounts.csv:2: column 'ait1' is '06000'")
    assert "6000, which differs in leading zeros" in problem
    refused = ap(rig, "mapping", "approve", "--actor", "Ann", *WHY)
    assert (refused.exit_code, "gl_accounts.csv:2" in refused.stderr) == (2, True)
    (directory / "gl_accounts.csv").write_text(f"{GL}\n{row('A', '1,23E+05')}\n{row('A', '6000')}\n", "utf-8")
    broken = ap(rig, "mapping", "check")
    assert broken.exit_code == 1
    assert "gl_accounts.csv:2" in broken.stderr


def test_diff_shows_open_and_past_documents(rig_for: Callable[..., Rig], tmp_path: Path) -> None:
    rig = rig_for()
    accounts(rig, tmp_path, row("TRIPS", "6000"))
    past, waiting = (
        invoice(line("70", account="TRIPS")),
        invoice(line("80", account="TRIPS") | {"company": "NW-UK"}, line("9"), status="Draft"),
    )
    rig.run(past, waiting, invoice())
    assert (rig.status(past), rig.status(waiting)) == ("posted", "review not_approved")
    old = rig.document(past).crosswalk_version
    new = tmp_path / "new"
    shutil.copytree(tmp_path / "crosswalks", new)
    (new / "gl_accounts.csv").write_text(f"{GL}\n{row('TRIPS', '6800')}\n", "utf-8")
    requests = len(rig.sandbox.control("GET", "requests"))
    done = ap(rig, "mapping", "diff", old[:8], str(new))
    assert done.exit_code == 0, done.stderr
    assert len(rig.sandbox.control("GET", "requests")) == requests  # M3 is not asked
    found = json.loads(done.stdout)
    assert (found["old"], found["new"]) == (old, Crosswalks.load(new).version)
    assert found["compared"] == 3
    told = {each["id"]: each for each in found["changed"]}
    first = told[rig.document(past).id]
    assert first["past"] is True
    assert {"field": "lines.1.ait1", "old": "6000", "new": "6800"} in first["changes"]
    second = told[rig.document(waiting).id]
    assert second["past"] is False
    assert [each["field"] for each in second["changes"] if "ait1" in each["field"]] == [
        "company 2: lines.1.ait1"
    ]
    assert len(told) == 2
    with rig.ledger.read() as tx:
        assert {each.status.value for each in documents.find(tx)} == {"posted", "review"}
    unknown = ap(rig, "mapping", "diff", "ffffffff", str(new))
    assert (unknown.exit_code, "no such version" in unknown.stderr) == (2, True)


def test_a_rerun_by_another_version_is_still_a_copy(rig_for: Callable[..., Rig], tmp_path: Path) -> None:
    rig = rig_for()
    accounts(rig, tmp_path, row("TRIPS", "6000"))
    record = invoice(line("70", account="TRIPS"))
    rig.run(record)
    accounts(rig, tmp_path, row("TRIPS", "6900"))
    rig.run(again(record, 22))
    assert rig.status(again(record, 22)) == "duplicate"
    assert len(rig.in_m3(record)) == 1
