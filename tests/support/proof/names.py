"""Names of M3's that several parts of the proof need."""

from __future__ import annotations

#: Transactions that change something.
WRITES = frozenset(
    {"AddHead", "AddLine", "ValidByBatchNo", "DltInvoice",
     "AddStatmtHead", "AddStatmtLine", "AddStatmtDetail", "ValidateStatmt"}
)  # fmt: skip
