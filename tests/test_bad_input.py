"""Each thing that is wrong ends with one message that names it, a code that is not 0, and nothing posted."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import asyncssh
import pytest
from pipelines import BIN, ROOT, TARGET, clean_env

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines import Pipeline, Sandbox


def wrong_password(pipeline: Pipeline) -> None:
    pipeline.tap["password"] = "not the password"


def changed_host_key(pipeline: Pipeline) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").get_fingerprint("sha256")
    pipeline.tap["host_key"] = other


def no_host_key(pipeline: Pipeline) -> None:
    del pipeline.tap["host_key"]


def missing_directory(pipeline: Pipeline) -> None:
    pipeline.tap["outbound_path"] = "/nowhere"


def no_way_to_log_in(pipeline: Pipeline) -> None:
    del pipeline.tap["password"]


def no_host(pipeline: Pipeline) -> None:
    del pipeline.tap["host"]


def unknown_template_setting(pipeline: Pipeline) -> None:
    pipeline.tap["templates"] = {"invoices": {"delimeter": ";"}}


TAP_FAULTS: dict[str, tuple[Callable[[Pipeline], None], tuple[str, ...]]] = {
    "wrong password": (wrong_password, ("password",)),
    "changed host key": (changed_host_key, ("host_key", "SHA256:")),
    "no host key": (no_host_key, ("host_key", "SHA256:")),
    "missing directory": (missing_directory, ("outbound_path", "/nowhere")),
    "no way to log in": (no_way_to_log_in, ("password", "private_key")),
    "no host": (no_host, ("host",)),
    "unknown template setting": (unknown_template_setting, ("templates.invoices.delimeter",)),
}


def missing_ionapi(pipeline: Pipeline) -> None:
    pipeline.target["ionapi_path"] = str(pipeline.directory / "gone.ionapi")


def broken_ionapi(pipeline: Pipeline) -> None:
    path = pipeline.directory / "broken.ionapi"
    path.write_text("{not json", "utf-8")
    pipeline.target["ionapi_path"] = str(path)


def ionapi_without_a_key(pipeline: Pipeline) -> None:
    path = pipeline.directory / "short.ionapi"
    whole = json.loads(Path(pipeline.target["ionapi_path"]).read_text("utf-8"))
    del whole["pu"]
    path.write_text(json.dumps(whole), "utf-8")
    pipeline.target["ionapi_path"] = str(path)


def wrong_secret(pipeline: Pipeline) -> None:
    path = pipeline.directory / "wrong.ionapi"
    whole = json.loads(Path(pipeline.target["ionapi_path"]).read_text("utf-8"))
    path.write_text(json.dumps({**whole, "sask": "wrong"}), "utf-8")
    pipeline.target["ionapi_path"] = str(path)


def no_ionapi(pipeline: Pipeline) -> None:
    del pipeline.target["ionapi_path"]


def bad_crosswalk_row(pipeline: Pipeline) -> None:
    folder = pipeline.directory / "crosswalks"
    shutil.copytree(ROOT / "transforms" / "crosswalks", folder)
    with (folder / "suppliers.csv").open("a", encoding="utf-8") as rows:
        rows.write("one hundred,V-1,10001,\n")
    pipeline.target["crosswalk_dir"] = str(folder)


def unusable_setting(pipeline: Pipeline) -> None:
    pipeline.target["ap_program"] = "APS200MI"


def missing_crosswalk_directory(pipeline: Pipeline) -> None:
    pipeline.target["crosswalk_dir"] = str(pipeline.directory / "none")


TARGET_FAULTS: dict[str, tuple[Callable[[Pipeline], None], tuple[str, ...]]] = {
    "missing .ionapi": (missing_ionapi, ("ionapi_path", "gone.ionapi")),
    "broken .ionapi": (broken_ionapi, ("ionapi_path", "broken.ionapi")),
    ".ionapi without a key": (ionapi_without_a_key, ("short.ionapi", "pu")),
    "wrong secret": (wrong_secret, ("ionapi_path",)),
    "no .ionapi": (no_ionapi, ("ionapi_path",)),
    "bad crosswalk row": (bad_crosswalk_row, ("suppliers.csv", "cono", "one hundred")),
    "unusable setting": (unusable_setting, ("ap_program", "APS100MI")),
    "missing crosswalk directory": (missing_crosswalk_directory, ("crosswalk_dir",)),
}


@pytest.mark.parametrize("fault", TAP_FAULTS)
def test_what_is_wrong_at_the_sftp_server(fault: str, pipeline: Pipeline, sandbox: Sandbox) -> None:
    before = sandbox.books()
    spoil, words = TAP_FAULTS[fault]
    spoil(pipeline)
    done = pipeline.run()
    assert done.codes[0] not in {0, None}, done.said
    assert_told_once(done.errors[0], words)
    assert sandbox.books()["invoices"] == before["invoices"]
    assert "not the password" not in done.said


@pytest.mark.parametrize("fault", TARGET_FAULTS)
def test_what_is_wrong_on_the_way_to_m3(fault: str, pipeline: Pipeline, sandbox: Sandbox) -> None:
    before = sandbox.books()
    spoil, words = TARGET_FAULTS[fault]
    spoil(pipeline)
    done = pipeline.run()
    assert done.codes[-1] not in {0, None}, done.said
    assert_told_once(done.errors[-1], words)
    assert sandbox.books()["invoices"] == before["invoices"]


def assert_told_once(errors: str, words: tuple[str, ...]) -> None:
    telling = [line for line in errors.splitlines() if all(word in line for word in words)]
    assert len(telling) == 1, errors
    assert "Traceback" not in errors


def test_a_stream_it_does_not_know_is_refused_by_name(pipeline: Pipeline, sandbox: Sandbox) -> None:
    before = sandbox.books()
    config = pipeline.directory / "target.json"
    config.write_text(json.dumps(pipeline.target), "utf-8")
    messages = [
        {
            "type": "SCHEMA",
            "stream": "orders",
            "schema": {"properties": {"id": {"type": "string"}}},
            "key_properties": [],
        },
        {"type": "RECORD", "stream": "orders", "record": {"id": "1"}},
    ]
    done = subprocess.run(
        [str(BIN / TARGET), "--config", str(config)],
        input="".join(json.dumps(message) + "\n" for message in messages),
        env=clean_env(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert_told_once(done.stderr, ("orders", "invoices", "ap_payments"))
    assert sandbox.books()["invoices"] == before["invoices"]
