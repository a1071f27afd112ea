"""The mapper: the same postings by three stages as by two, exact amounts, valid schemas, snapshots."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines import Sandbox

    from tests.conftest import Message, Programs


def read(text: str) -> list[Message]:
    return [json.loads(line, parse_float=Decimal) for line in text.splitlines()]


def posted(sandbox: Sandbox) -> list[dict[str, Any]]:
    """What M3 holds, without what differs from run to run."""
    found = sandbox.books()
    invoices = [
        {k: v for k, v in each.items() if k not in {"cori", "inbn", "voucher"}} for each in found["invoices"]
    ]
    return sorted(invoices, key=lambda each: (each["supplier"], each["number"]))


def test_three_stages_post_exactly_what_two_post(
    start_sandbox: Callable[..., Sandbox], programs_for: Callable[..., Programs], sample: tuple[Message, ...]
) -> None:
    two_box, three_box = start_sandbox("two"), start_sandbox("three")
    two, three = programs_for(two_box, "work2"), programs_for(three_box, "work3")
    before = posted(two_box)
    assert two.target(sample).returncode == 0
    mapped = three.mapper(sample)
    assert mapped.returncode == 0, mapped.stderr
    done = three.target(mapped.stdout)
    assert done.returncode == 0, done.stderr
    assert posted(three_box) == posted(two_box)
    assert len(posted(two_box)) == len(before) + 33
    assert three.counts() == two.counts()
    assert json.loads(done.stdout) == sample[-1]["value"]
    reasons = [
        sorted(
            (each["number"], [(r["code"], r["field"]) for r in each["reasons"]])
            for each in of.json("review", "list")
        )
        for of in (two, three)
    ]
    assert reasons[0] == reasons[1]
    # And a document is known however it came.
    again = three.target(sample)
    assert again.returncode == 0
    assert posted(three_box) == posted(two_box)


def test_a_snapshot_is_enough(quiet: Programs, few: tuple[Message, ...]) -> None:
    done = quiet.ap("reference", "export", "--output", "snapshots/reference.json")
    assert done.returncode == 0, done.stderr
    asked = quiet.mapper(few)
    del quiet.config["ionapi_path"]
    quiet.config["ledger_url"] = "sqlite:////proc/none.db"
    alone = quiet.mapper(few, reference_path="snapshots/reference.json")
    assert alone.returncode == 0, alone.stderr
    assert read(alone.stdout) == read(asked.stdout)


def test_messages_are_valid_and_amounts_exact(quiet: Programs, few: tuple[Message, ...]) -> None:
    record = next(m["record"] for m in few if m.get("stream") == "invoices" and "record" in m)
    odd: list[Message] = [
        {
            "type": "RECORD",
            "stream": "invoices",
            "record": record | {"invoice_id": "X", "invoice_date": "31.12."},
        },
        {"type": "RECORD", "stream": "invoices", "record": {}},
        {"type": "RECORD", "stream": "payments", "record": {}},
        {"type": "RECORD", "stream": "payments", "record": [1]},
    ]
    done = quiet.mapper([*few[:-1], *odd, few[-1]])
    assert done.returncode == 0, done.stderr
    messages = read(done.stdout)
    schemas = {m["stream"]: m for m in messages if m["type"] == "SCHEMA"}
    assert {"ap_invoices", "ap_payments", "vendors", "source_files"} <= set(schemas)
    assert not {"invoices", "payments"} & set(schemas)
    assert schemas["ap_invoices"]["key_properties"] == ["source_key"]
    validators = {name: Draft7Validator(each["schema"]) for name, each in schemas.items()}
    records = [m for m in messages if m["type"] == "RECORD"]
    assert len(records) == sum(m["type"] == "RECORD" for m in few) + len(odd)
    for each in records:
        plain = json.loads(json.dumps(each["record"], default=float))
        assert list(validators[each["stream"]].iter_errors(plain)) == [], each
        if each["stream"].startswith("ap_"):
            assert set(each["record"]) >= set(schemas[each["stream"]]["schema"]["properties"]) - {
                "payment_id"
            }
    invoices = {
        m["record"]["number"]: m["record"]
        for m in records
        if m["stream"] == "ap_invoices" and m["record"]["number"]
    }
    for record in (m["record"] for m in few if m.get("stream") == "invoices" and "record" in m):
        mapped = invoices.get(record["invoice_number"])
        if mapped is not None:
            total = sum(line["amount"] + line["tax"] for line in mapped["lines"])
            assert isinstance(mapped["total"], Decimal)
            assert mapped["total"] == total == Decimal(str(record["total_amount"]))
            assert mapped["source"]["invoice_id"] == record["invoice_id"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"reference_path": "/none.json"}, ("reference_path", "/none.json")),
        ({"reference_path": __file__}, ("reference_path", "reference export")),
        ({"crosswalk_dir": "/none"}, ("crosswalk_dir",)),
        ({"gl_string": "{"}, ("gl_string",)),
    ],
)
def test_each_fault_is_one_clear_line(
    settings: dict[str, Any], words: tuple[str, ...], quiet: Programs
) -> None:
    done = quiet.mapper([], **settings)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = [each for each in done.stderr.splitlines() if " | ERROR " in each]
    assert all(word in line for word in words), line
    assert "Traceback" not in done.stderr


def test_about_names_every_setting(quiet: Programs) -> None:
    done = quiet.call("stampli-to-infor", "--about", "--format=json")
    assert done.returncode == 0
    properties = json.loads(done.stdout)["settings"]["properties"]
    assert {"reference_path", "crosswalk_dir", "ionapi_path", "cono", "gl_string"} <= set(properties)
    assert all(each.get("description") for each in properties.values())
