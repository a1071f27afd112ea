"""M3's dispatcher: one transaction in, its records or a NOK out, committed before the caller hears of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stampli_infor_sandbox.m3.database import unit_of_work
from stampli_infor_sandbox.m3.errors import invalid, must_be_entered, unknown
from stampli_infor_sandbox.m3.metadata import check_record, tenant

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping

    from stampli_infor_sandbox.m3.errors import Nok
    from stampli_infor_sandbox.m3.master import Master
    from stampli_infor_sandbox.m3.metadata import Field, Tenant

Record = dict[str, str]
WITHOUT_COMPANY = frozenset({"MNS095MI", "MRS001MI"})
"""Programs that are asked before the company is known."""


@dataclass(frozen=True, slots=True)
class Call:
    """One transaction as a handler sees it: record checked, company and division settled."""

    program: str
    transaction: str
    record: Record
    cono: int
    divi: str

    def get(self, name: str) -> str:
        """The field's value, blank when it was not sent."""
        return self.record.get(name, "")

    def number(self, name: str) -> int:
        """A whole number field; 0 when it was not sent.

        Raises:
            Nok: It has decimals.
        """
        text = self.record.get(name, "0")
        if "." in text:
            raise invalid(name, f"{name} takes no decimals: {text}")
        return int(text)


@dataclass(frozen=True, slots=True)
class Request:
    """What came with the HTTP request, for all of its transactions; ``max_records`` 0 is unlimited."""

    program: str
    cono: str = ""
    divi: str = ""
    max_records: int = 100
    exclude_empty: bool = False
    right_trim: bool = True


@dataclass(slots=True)
class M3:
    """M3: what the handlers work on.

    Args:
        connection: The database.
        master: Master data.
        handlers: Handler by program and transaction.
        tenant_name: Which tenant shape is served.
        validation_delay: Seconds that a submitted batch takes to be validated.
        list_cap: Most records that a list gives, whatever is asked; 0 for no cap.
        clock: Now, UTC.
        schedule: Told of the seconds until there is something to validate.
    """

    connection: sqlite3.Connection
    master: Master
    handlers: Mapping[tuple[str, str], Handler]
    tenant_name: str
    validation_delay: float = 0.3
    list_cap: int = 0
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    schedule: Callable[[float], None] = lambda _seconds: None
    tenant: Tenant = field(init=False)

    def __post_init__(self) -> None:
        self.tenant = tenant(self.tenant_name, self.handlers)

    def today(self) -> str:
        """The date, yyyyMMdd."""
        return self.clock().strftime("%Y%m%d")

    def run(
        self, request: Request, transaction: str, record: Mapping[str, Any], columns: Iterable[str] = ()
    ) -> list[Record]:
        """Run one transaction; what it did is committed when this returns.

        Raises:
            Nok: M3 refuses; nothing was done.
        """
        layout = self.tenant.transaction(request.program, transaction)
        taken = check_record(request.program, layout, record)
        cono, divi = self._place(request, taken)
        call = Call(program=request.program, transaction=transaction, record=taken, cono=cono, divi=divi)
        with unit_of_work(self.connection):
            records = self.handlers[request.program, transaction](self, call)
        limits = [n for n in (request.max_records, self.list_cap) if n]
        if limits and transaction.startswith(("Lst", "Search")):
            records = records[: min(limits)]
        wanted = set(columns)
        shown = [f for f in layout.outputs.values() if not wanted or f.name in wanted]
        return [_answer(shown, r, request) for r in records]

    def _place(self, request: Request, record: Mapping[str, str]) -> tuple[int, str]:
        text = record.get("CONO") or request.cono
        if not text:
            if request.program in WITHOUT_COMPANY:
                return 0, ""
            raise must_be_entered("CONO")
        if not text.isdigit() or int(text) not in self.master.companies:
            if request.program in WITHOUT_COMPANY and not record.get("CONO"):
                return 0, ""
            raise unknown("CONO", f"Company {text}")
        divi = record.get("DIVI") or request.divi.strip()
        if divi and (int(text), divi) not in self.master.divisions:
            raise unknown("DIVI", f"Division {divi} of company {text}")
        return int(text), divi


def _answer(shown: Iterable[Field], record: Record, request: Request) -> Record:
    answer: Record = {}
    for output in shown:
        value = record.get(output.name, "0" if output.type == "N" else "")
        if value or not request.exclude_empty:
            pad = output.type == "A" and not request.right_trim
            answer[output.name] = value.ljust(output.length) if pad else value
    return answer


def error_of(nok: Nok) -> dict[str, Any]:
    """A NOK as the REST interface shows it; the message is padded as M3 pads it."""
    return {
        "errorMessage": nok.message.ljust(256),
        "errorType": "ServerReturnedNOK",
        "errorCode": nok.code,
        "errorCfg": "",
        "errorField": nok.field,
    }


if TYPE_CHECKING:
    Handler = Callable[[M3, Call], list[Record]]
