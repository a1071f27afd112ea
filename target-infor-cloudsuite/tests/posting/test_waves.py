"""Lines that may travel together: LstLines tells no dimensions, so the rest must tell what is in doubt."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stampli_infor_transforms.documents import AccountingInvoice, AccountingLine
from target_infor_cloudsuite.m3.catalog import Catalog
from target_infor_cloudsuite.posting.context import CompanySetup
from target_infor_cloudsuite.posting.invoices import waves
from target_infor_cloudsuite.posting.work import Work
from target_infor_cloudsuite.programs import INVOICE_PROGRAMS
from target_infor_cloudsuite.programs.abs100 import Abs100

if TYPE_CHECKING:
    from target_infor_cloudsuite.programs.invoice_batch import InvoiceBatchProgram

_LINES = st.lists(
    st.builds(
        lambda amount, tax, code, place: AccountingLine(
            kind="expense",
            amount=Decimal(amount),
            tax=Decimal(tax),
            tax_code=code,
            ait=("6000", "", "", place, "", "", ""),
            text="",
            source_line="1",
            trace=(),
        ),
        st.sampled_from([-20, 0, 10, 20]),
        st.sampled_from([0, 1]),
        st.sampled_from(["1", "2"]),
        st.sampled_from(["ADM", "MKT"]),
    ),
    min_size=1,
    max_size=9,
)


def _work(lines: list[AccountingLine], program: InvoiceBatchProgram) -> Work:
    total = sum((each.amount + each.tax for each in lines), Decimal(0))
    mapped = AccountingInvoice(
        cono=100,
        divi="AAA",
        supplier="1",
        payee="1",
        number="1",
        kind="INVOICE",
        currency="EUR",
        total=total,
        tax_total=sum((each.tax for each in lines), Decimal(0)),
        invoice_date=date(2026, 1, 1),
        due_date=None,
        accounting_date=date(2026, 1, 1),
        terms="",
        payment_method="",
        po_number="",
        company="",
        source_key="",
        lines=tuple(lines),
    )
    nowhere: Any = None  # waves are told from the invoice alone
    return Work(nowhere, mapped, CompanySetup(100, Catalog.shipped(), program, Abs100()))


@pytest.mark.parametrize("program", INVOICE_PROGRAMS.values(), ids=lambda each: each.name)
class TestWaves:
    @given(lines=_LINES, done=st.sets(st.integers(1, 9)))
    def test_each_line_that_is_not_in_travels_once(
        self, program: InvoiceBatchProgram, lines: list[AccountingLine], done: set[int]
    ) -> None:
        work = _work(lines, program)
        work.lines_in = {each for each in done if each <= len(lines)}
        sent = [position for wave in waves(work) for position in wave]
        assert sorted(sent) == [n for n in range(1, len(lines) + 1) if n not in work.lines_in]

    @given(lines=_LINES, data=st.data())
    def test_what_arrived_of_a_wave_is_told_by_what_m3_lists(
        self, program: InvoiceBatchProgram, lines: list[AccountingLine], data: st.DataObject
    ) -> None:
        """Whichever part of a wave arrived: the signatures that M3 lists name its codings, too."""
        for wave in waves(_work(lines, program)):
            arrived = data.draw(st.sets(st.sampled_from(wave)))
            listed = Counter(program.signature(lines[n - 1]) for n in arrived)
            told: Counter[Any] = Counter()
            for n in wave:
                line = lines[n - 1]
                if listed[program.signature(line)]:
                    listed[program.signature(line)] -= 1
                    told[program.signature(line), line.ait] += 1
            assert told == Counter((program.signature(lines[n - 1]), lines[n - 1].ait) for n in arrived)


@given(lines=_LINES, data=st.data())
def test_no_part_of_the_lines_completes_a_batch_that_posts_by_itself(
    lines: list[AccountingLine], data: st.DataObject
) -> None:
    """In whatever order a wave's lines arrive, the sums are right only when the last line is in."""
    work = _work(lines, INVOICE_PROGRAMS["APS100MI"])
    if all(each.amount + each.tax == 0 for each in lines):
        return  # a batch of nothing is complete from the start, in whatever order
    order = [n for wave in waves(work) for n in data.draw(st.permutations(wave))]
    so_far = Decimal(0)
    for n in order[:-1]:
        so_far += lines[n - 1].amount + lines[n - 1].tax
        assert so_far != work.invoice.total


def test_lines_of_one_coding_share_a_wave() -> None:
    same = AccountingLine(
        kind="expense",
        amount=Decimal(10),
        tax=Decimal(0),
        tax_code="",
        ait=("6000", "", "", "", "", "", ""),
        text="",
        source_line="1",
        trace=(),
    )
    assert waves(_work([same] * 3, INVOICE_PROGRAMS["APS450MI"])) == [[1, 2, 3]]
