"""The commands as processes: what they show, what they change, and how they end."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import click
import pytest
from pipelines import BIN, ROOT, clean_env
from target_infor_cloudsuite.cli.main import main
from target_infor_cloudsuite.settings_schema import CONFIG_JSONSCHEMA, MAPPER_JSONSCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines import Sandbox

    from tests.conftest import Message, Programs

README = ROOT / "target-infor-cloudsuite" / "README.md"
WHO = ("--actor", "Erika Muster", "--reason", "checked with the vendor")


def commands(
    command: click.Command = main, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, (*path, name))
    else:
        yield path, command


ALL = dict(commands())


# -- use ------------------------------------------------------------


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_each_command_explains_itself(path: tuple[str, ...], quiet: Programs) -> None:
    done = quiet.command(*path, "--help")
    assert done.returncode == 0
    assert f"Usage: main {' '.join(path)}" in done.stdout
    assert all(
        each.get_default(click.Context(ALL[path])) is not None or getattr(each, "help", "")
        for each in ALL[path].params
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nonsense",), ("nonsense",)),
        (("review", "show"), ("--id",)),
        (("review", "show", "--id", "x"), ("--id", "x")),
        (("status", "--format", "xml"), ("xml", "json")),
        (("replay", *WHO), ("--id", "--all")),
        (("replay", "--all", "--id", "1", *WHO), ("--id", "--all")),
        (("replay", "--all", "--actor", "x"), ("--reason",)),
        (("replay", "--all", "--actor", " ", "--reason", "x"), ("--actor", "blank")),
        (("dismiss", "--id", "1", "--reason", "x"), ("--actor",)),
        (("release", "--id", "1", *WHO), ("--accept",)),
        (("--config", "/none.json", "status"), ("/none.json",)),
        (("reference", "export"), ("--output",)),
    ],
)
def test_wrong_use_is_one_line_and_2(
    arguments: tuple[str, ...], words: tuple[str, ...], quiet: Programs
) -> None:
    done = quiet.ap(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert all(word in line for word in words), line


def test_what_fails_is_one_line_and_1(quiet: Programs) -> None:
    for arguments in (("status",), ("review", "list"), ("audit", "verify"), ("dismiss", "--id", "1", *WHO)):
        done = quiet.ap(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        assert "There is no ledger at sqlite:///" in line
    assert not (quiet.directory / "ledger.db").exists()


def test_secrets_are_made_and_opened(quiet: Programs) -> None:
    keys = [quiet.command("secrets", "new-key").stdout.strip() for _ in range(2)]
    assert quiet.command("secrets", "encrypt", text="x").returncode == 1
    quiet.env["STAMPLI_INFOR_KEY"] = keys[0]
    ionapi = json.dumps({"broken": "json-secret-42"})
    token = quiet.command("secrets", "encrypt", text=f"{ionapi}\n").stdout.strip()
    assert token.startswith("enc:")
    assert quiet.command("secrets", "encrypt", text="").returncode == 2
    del quiet.config["ionapi_path"]
    quiet.config["ionapi"] = token
    quiet.env["STAMPLI_INFOR_KEY"] = ",".join(reversed(keys))
    told = quiet.target().stderr
    assert "lacks" in told or "missing" in told or "key" in told
    assert "json-secret-42" not in told
    quiet.env["STAMPLI_INFOR_KEY"] = keys[1]
    told = quiet.target().stderr
    assert "another key" in told
    assert token[4:] not in told


# -- a ledger with something in it ------------------------------------------------------------


@pytest.fixture(scope="session")
def worked_once(
    quiet_sandbox: Sandbox, few: tuple[Message, ...], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A directory with a ledger in which nothing could be posted: what came waits for a person."""
    directory = tmp_path_factory.mktemp("worked")
    config = directory / "config.json"
    settings = {
        "ionapi_path": quiet_sandbox.described["ionapi_path"],
        "crosswalk_dir": str(ROOT / "transforms" / "crosswalks"),
        "fail_on": "never",
    }
    config.write_text(json.dumps(settings), "utf-8")
    messages = [
        message
        for message in few
        if "record" not in message
        or message["stream"] not in {"invoices", "payments"}
        or message["record"].get("invoice_id") == "SI-5022"
    ]
    subprocess.run(
        [str(BIN / "target-infor-cloudsuite"), "--config", str(config)],
        input="".join(json.dumps(message) + "\n" for message in messages),
        env=clean_env(),
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
    )
    return directory


@pytest.fixture
def worked(worked_once: Path, quiet: Programs) -> Programs:
    """Programs with a copy of it, under the settings' defaults for ledger and output."""
    shutil.copytree(worked_once, quiet.directory, dirs_exist_ok=True)
    quiet.config = json.loads((worked_once / "config.json").read_text("utf-8"))
    return quiet


def test_status_is_as_designed(worked: Programs) -> None:
    before, after = worked.ap("--format", "json", "status"), worked.ap("status", "--format", "json")
    assert before.stdout == after.stdout
    assert before.returncode == 0
    found = json.loads(before.stdout)
    assert list(found) == ["documents", "oldest_review", "last_run"]
    assert found["documents"] == {
        "invoice": {
            "rejected": {"count": 1, "amounts": {}},
            "review": {"count": 1, "amounts": {"EUR": "89.25"}},
        },
        "payment": {},
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", found["oldest_review"])
    assert set(found["last_run"]) == {"run_id", "started_at", "ended_at", "outcome", "requests", "throttled"}
    assert "review list" in before.stderr


def test_config_and_format_may_stand_behind_the_command(worked: Programs) -> None:
    behind = worked.command("status", "--config", str(worked.write_config()), "--format", "json")
    assert json.loads(behind.stdout) == worked.json("status")


def test_the_environment_takes_the_place_of_a_file(worked: Programs) -> None:
    for name, value in worked.config.items():
        worked.env[f"TARGET_INFOR_CLOUDSUITE_{name.upper()}"] = str(value)
    done = worked.call("cloudsuite-ap", "review", "list", "--format=json")
    assert done.returncode == 3
    assert [each["status"] for each in json.loads(done.stdout)] == ["review", "rejected"]


@pytest.mark.parametrize("width", [80, 100])
def test_tables_fit_and_cut_no_id_and_no_code(width: int, worked: Programs) -> None:
    worked.env["COLUMNS"] = str(width)
    listed, shown = worked.ap("review", "list"), worked.ap("review", "show", "--id", "1")
    for done, words in (
        (listed, ("supplier_not_found", "rejected", "invoices_2026-11-18.csv", "UW-1", "89.25 EUR")),
        (
            shown,
            (
                "supplier_not_found",
                "/outbound/invoices_2026-11-18.csv",
                "document.received",
                "document.review",
            ),
        ),
        (worked.ap("status"), ("review", "89.25 EUR", "oldest in review")),
    ):
        assert all(word in done.stdout for word in words), done.stdout
        assert max(map(len, done.stdout.splitlines())) <= width
    assert (listed.returncode, shown.returncode) == (3, 0)


def test_review_by_reason(worked: Programs) -> None:
    assert [each["number"] for each in worked.json("review", "list", "--reason", "supplier_not_found")] == [
        "UW-1"
    ]
    none = worked.ap("--format", "json", "review", "list", "--reason", "unbalanced")
    assert (none.returncode, json.loads(none.stdout)) == (0, [])


def test_review_in_infors_four_groups(worked: Programs) -> None:
    found = worked.json("review", "list")
    assert [each["group"] for each in found] == ["validation_error", "validation_error"]
    text = worked.ap("review", "list").stdout
    assert "Validation errors (2)" in text
    assert "Missing information" not in text
    assert [each["id"] for each in worked.json("review", "list", "--group", "validation_error")] == [1, 2]
    none = worked.ap("review", "list", "--group", "needs_review")
    assert (none.returncode, none.stdout) == (0, "")
    assert worked.ap("review", "list", "--group", "nonsense").returncode == 2


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["cloudsuite-ap", "rev"], {"review"}),
        (["cloudsuite-ap", "audit", "hi"], {"history"}),
        (["cloudsuite-ap", "release", "--accept", "near"], {"near_duplicate"}),
        (["cloudsuite-ap", "review", "list", "--group", "needs"], {"needs_review"}),
        (["cloudsuite-ap", "purge", "--old"], {"--older-than"}),
    ],
)
def test_the_shell_completes(words: list[str], completed: set[str], quiet: Programs) -> None:
    quiet.env |= {
        "_CLOUDSUITE_AP_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    done = quiet.call("cloudsuite-ap")
    assert {line.partition(",")[2] for line in done.stdout.splitlines()} == completed
    assert done.returncode == 0


def test_show_has_all_there_is(worked: Programs) -> None:
    shown = worked.json("review", "show", "--id", "1")
    assert shown["raw"]["invoice_id"] == "SI-5022"
    assert [each["group"] for each in shown["reasons"]] == ["validation_error"]
    assert [each["action"] for each in shown["history"]] == ["document.received", "document.review"]
    done = worked.ap("review", "show", "--id", "4711")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_who_decides_and_why_stands_in_the_audit(worked: Programs, quiet_sandbox: Sandbox) -> None:
    refused = worked.ap("release", "--id", "1", "--accept", "supplier_not_found", *WHO)
    assert refused.returncode == 2
    assert "cannot be released" in refused.stderr
    assert worked.ap("release", "--id", "1", "--accept", "unbalanced", *WHO).returncode == 2
    assert worked.ap("dismiss", "--id", "1", *WHO).returncode == 0
    assert worked.ap("dismiss", "--id", "1", *WHO).returncode == 2
    assert worked.counts()["invoice"] == {"dismissed": 1, "rejected": 1}
    assert worked.json("replay", "--id", "1", *WHO) == {"replayed": [1]}
    history = worked.json("review", "show", "--id", "1")["history"]
    told: list[Any] = [(each["actor"], each["action"], each["details"].get("why")) for each in history[-2:]]
    assert told == [
        ("Erika Muster", "document.dismissed", "checked with the vendor"),
        ("Erika Muster", "document.received", "checked with the vendor"),
    ]
    assert worked.json("audit", "verify")["problems"] == []
    assert worked.json("audit", "export")["written"] == 0
    shutil.rmtree(worked.directory / "output")
    assert worked.json("audit", "export")["written"] > 10
    (worked.directory / "output" / "audit").rename(worked.directory / "away")
    (worked.directory / "output" / "audit").write_text("in the way", "utf-8")
    (rejected,) = worked.json("review", "list")
    kept = worked.ap("dismiss", "--id", str(rejected["id"]), *WHO)
    assert (kept.returncode, "Warning: The audit files" in kept.stderr) == (0, True)
    assert quiet_sandbox.books()["staged"] == []


def test_a_touched_audit_file_is_told(worked: Programs) -> None:
    (path,) = (worked.directory / "output" / "audit").glob("*.jsonl")
    path.write_text(path.read_text("utf-8").replace("SI-5022", "SI-9999").replace("UW-1", "UW-2"), "utf-8")
    done = worked.ap("audit", "verify")
    assert done.returncode == 1
    assert "was changed" in done.stderr


def test_reference_data_is_read_anew(quiet: Programs, quiet_sandbox: Sandbox) -> None:
    counts = [quiet.json("reference", "refresh")["companies"] for _ in range(2)]
    before = quiet_sandbox.requests()
    assert (
        quiet.json("reference", "export", "--output", "reference.json")["companies"] == counts[0] == counts[1]
    )
    assert quiet_sandbox.requests() == before  # young enough
    assert {each["cono"] for each in counts[0]} == {100, 200}
    done = quiet.ap("reference", "export", "--output", "/proc/none/reference.json")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


# -- audit, purge, tokens ------------------------------------------------------------


def test_the_history_in_words(worked: Programs) -> None:
    told = worked.json("audit", "history", "--id", "1")
    assert told["number"] == "UW-1"
    assert [each["who"] for each in told["history"]] == ["the pipeline"] * 2
    assert told["history"][0]["what_happened"].startswith("Came in: /outbound/invoices_2026-11-18.csv, line ")
    assert "Held for review" in worked.ap("audit", "history", "--id", "1").stdout
    assert worked.ap("audit", "history", "--id", "99").returncode == 2


def test_extracts_for_an_auditor(worked: Programs) -> None:
    file = worked.directory / "new" / "extract.csv"
    whole = worked.json("audit", "export", "--output", str(file))["events"]
    assert len(file.read_text("utf-8").splitlines()) == whole + 1
    some = worked.json("audit", "export", "--output", str(file), "--layout", "json", "--id", "1")["events"]
    assert [each["document_id"] for each in json.loads(file.read_text("utf-8"))] == [1] * some
    day = json.loads(file.read_text("utf-8"))[0]["at"][:10]
    days = ("--from", day, "--to", day)
    assert worked.json("audit", "export", "--output", str(file), *days)["events"] == whole
    for arguments, code in (
        (("--id", "1"), 2),
        (("--output", str(file), "--id", "99"), 2),
        (("--output", str(file), "--from", "2026-02-02", "--to", "2026-01-01"), 2),
        (("--output", str(file), "--from", "yesterday"), 2),
        (("--output", "/proc/none/extract.csv"), 1),
    ):
        done = worked.ap("audit", "export", *arguments)
        assert (done.returncode, len(done.stderr.splitlines())) == (code, 1), done.stderr


def test_a_purge_needs_a_name_and_a_sound_audit(worked: Programs) -> None:
    assert worked.ap("purge", "--older-than", "1").returncode == 2
    assert worked.ap("purge", "--older-than", "0", *WHO).returncode == 2
    worked.ap("audit", "export")
    events = worked.json("audit", "verify")["events"]
    assert worked.json("purge", "--older-than", "30", "--look", *WHO)["events"] == 0
    assert worked.json("audit", "verify")["events"] == events
    done = worked.ap("purge", "--older-than", "30", *WHO)
    assert done.returncode == 0, done.stderr
    file = next((worked.directory / "output" / "audit").glob("*.jsonl"))
    file.write_text(file.read_text("utf-8").replace('"kind":"invoice"', '"kind":"another"'), "utf-8")
    done = worked.ap("purge", "--older-than", "30", *WHO)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing was purged" in done.stderr


def test_a_lost_key_is_accepted_by_name(worked: Programs) -> None:
    worked.config["audit_key"] = "o" * 40
    assert worked.ap("dismiss", "--id", "1", *WHO).returncode == 0
    worked.config["audit_key"] = "n" * 40
    done = worked.ap("replay", "--id", "1", *WHO)
    assert done.returncode == 1
    assert "audit rekey" in done.stderr
    assert worked.ap("audit", "rekey", "--actor", "x").returncode == 2
    assert worked.ap("audit", "rekey", *WHO).returncode == 0
    assert worked.ap("replay", "--id", "1", *WHO).returncode == 0
    done = worked.ap("audit", "verify")
    assert done.returncode == 1
    assert "audit_key lacks" in done.stderr


def test_tokens_in_files_are_rotated(quiet: Programs) -> None:
    old, new = (quiet.command("secrets", "new-key").stdout.strip() for _ in range(2))
    quiet.env["STAMPLI_INFOR_KEY"] = old
    token = quiet.command("secrets", "encrypt", text="geheim").stdout.strip()
    files = [quiet.directory / name for name in (".env", "plain.yml")]
    files[0].write_text(f"A={token}\nB=plain\n", "utf-8")
    files[0].chmod(0o600)
    files[1].write_text("nothing: here\n", "utf-8")
    before = files[1].stat().st_mtime_ns
    quiet.env["STAMPLI_INFOR_KEY"] = f"{new},{old}"
    done = quiet.command("--format", "json", "secrets", "rotate", *map(str, files))
    assert list(json.loads(done.stdout).values()) == [1, 0]
    assert files[0].stat().st_mode & 0o777 == 0o600
    assert files[1].stat().st_mtime_ns == before
    rotated = files[0].read_text("utf-8")
    assert token not in rotated
    quiet.env["STAMPLI_INFOR_KEY"] = old
    done = quiet.command("secrets", "rotate", *map(str, files))
    assert (done.returncode, files[0].read_text("utf-8")) == (1, rotated)
    assert "Nothing was changed" in done.stderr
    assert quiet.command("secrets", "rotate", "/none").returncode == 2


# -- the README ------------------------------------------------------------


def first_cells(heading: str) -> set[str]:
    """The names in the first column of the table under a heading."""
    section = README.read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_the_readme_has_every_setting_and_no_other() -> None:
    own = set(CONFIG_JSONSCHEMA["properties"]) | set(MAPPER_JSONSCHEMA["properties"])
    of_the_sdk = {"add_record_metadata", "load_method", "batch_size_rows", "stream_maps", "stream_map_config"}
    of_the_sdk |= {"faker_config", "flattening_enabled", "flattening_max_depth", "flattening_max_key_length"}
    assert first_cells("Settings") == own - of_the_sdk


def test_the_readme_has_every_command_and_no_other() -> None:
    assert first_cells("Commands") == {" ".join(path) for path in ALL}


def test_the_readme_has_every_option_and_no_other() -> None:
    section = README.read_text("utf-8").partition("\n## Commands\n")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `([a-z -]+)` \|([^|]*)\|", section, flags=re.MULTILINE))
    common = {"--format", "--config"}
    for path, command in ALL.items():
        options = {name for each in command.params for name in each.opts if name.startswith("-")} - common
        assert set(re.findall(r"`(--[a-z-]+)", rows[" ".join(path)])) == options, path
    root = {name for each in main.params for name in each.opts} - {"--version"}
    assert all(f"`{name}" in section for name in root)
