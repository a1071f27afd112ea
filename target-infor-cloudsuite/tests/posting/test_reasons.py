"""Each reason that only the target can know is raised, and a test expects it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import target_infor_cloudsuite
from stampli_infor_transforms.reasons import REASONS
from target_infor_cloudsuite.ledger import reference
from target_infor_cloudsuite.m3.catalog import Catalog

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.posting.rig import Rig, invoice, payment
else:
    from posting_rig import invoice, payment

TESTS, PACKAGE = Path(__file__).parents[1], Path(target_infor_cloudsuite.__file__).parent
OF_THE_TARGET = sorted(code for code, kind in REASONS.items() if kind.raised_by == "target")


def texts(directory: Path) -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted(directory.rglob("*.py")))


@pytest.mark.parametrize("code", OF_THE_TARGET)
def test_it_is_raised_and_expected(code: str) -> None:
    assert f'"{code}"' in texts(PACKAGE)
    assert re.search(rf'review [a-z_ ]*\b{code}\b|\["{code}"\]|"{code}" in', texts(TESTS)), code


def test_payments_that_are_switched_off(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for(payment_program="off")
    first = invoice()
    paid = payment((first, "119"))
    rig.run(first, paid)
    assert rig.status(paid) == "review payments_off"
    assert "payment_program: off" in rig.document(paid).reasons[0]["text"]


def test_a_field_that_the_tenant_lacks_and_the_invoice_needs(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for()
    rig.run()
    with rig.ledger.read() as tx:
        kept = reference.kept(tx, "catalog:100")
    assert kept is not None
    catalog = Catalog.from_json(kept[0])
    head = ("APS100MI", "AddHead")
    fields = {name: field for name, field in catalog.layouts[head].items() if name != "CUAM"}
    poorer = Catalog(
        source=catalog.source,
        layouts={**catalog.layouts, head: fields},
        unproven=catalog.unproven,
        correlated=catalog.correlated,
    )
    with rig.ledger.write() as tx:
        reference.keep(tx, "catalog:100", poorer.to_json(), read_at=rig.time.now())
    record = invoice()
    rig.run(record)
    assert rig.status(record) == "review field_not_supported"
    assert "AddHead of this tenant lacks CUAM" in rig.document(record).reasons[0]["text"]
    assert not rig.staged(record)
