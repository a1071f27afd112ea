"""Names that several parts of the proof need."""

from __future__ import annotations

from pipelines import ROOT

CROSSWALKS = ROOT / "transforms" / "crosswalks"

#: Transactions that change something.
WRITES = frozenset(
    {"AddHead", "AddLine", "ValidByBatchNo", "DltInvoice",
     "AddStatmtHead", "AddStatmtLine", "AddStatmtDetail", "ValidateStatmt"}
)  # fmt: skip
