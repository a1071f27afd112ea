"""Invoices into M3: heads, lines, commit; many documents a request.

A document never waits half-posted for others: the lines of a head that is open go before any further head.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.documents import AccountingInvoice

from target_infor_cloudsuite.ion.answers import Outcome
from target_infor_cloudsuite.ledger import attempts
from target_infor_cloudsuite.ledger.attempts import AttemptOutcome
from target_infor_cloudsuite.ledger.states import Status, Step
from target_infor_cloudsuite.posting import conclusion
from target_infor_cloudsuite.posting.answered import refusal
from target_infor_cloudsuite.posting.batches import by_program
from target_infor_cloudsuite.posting.letters import Letter, Outbox, send
from target_infor_cloudsuite.posting.work import Work
from target_infor_cloudsuite.programs import INVOICE_PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_infor_cloudsuite.ion.answers import Answer
    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.posting.context import CompanySetup, Context
    from target_infor_cloudsuite.programs.invoice_batch import LineSignature


def work_on(context: Context, document: Document) -> Work:
    """A claimed invoice that may go on to M3, from wherever it stands."""
    invoice = AccountingInvoice.from_json(document.mapped or {})
    company = context.companies[invoice.cono]
    if document.status is Status.READY:
        return Work(document, invoice, company)
    work = Work(document, invoice, _with_program_of(document, company))
    with context.ledger.read() as tx:
        known = attempts.of_document(tx, document.id, step=Step.LINES, cori=document.cori)
    work.lines_in = {each.position for each in known if each.outcome is AttemptOutcome.DONE}
    return work


def _with_program_of(document: Document, company: CompanySetup) -> CompanySetup:
    """A batch is finished by the program that began it, also when the settings name another by now."""
    begun_with = INVOICE_PROGRAMS.get(document.program, company.program)
    return company if begun_with is company.program else replace(company, program=begun_with)


def advance(context: Context, works: Sequence[Work]) -> None:
    """Take invoices as far as they will go by themselves.

    They end posted, failed, in review, in doubt, or left at a step of their own: where M3 did not run what
    was sent, or (``read_back``) where M3 is still to post what it has.
    """
    for group in by_program([work for work in works if _needs_head(work) or work.is_at(Step.LINES)]):
        _Filling(context, group[0].company).fill(group)
    conclusion.commit(context, _at(works, Step.COMMIT))
    at_once = [work for work in _at(works, Step.READ_BACK) if not work.company.program.commit_program]
    conclusion.read_back(context, at_once)
    conclusion.withdraw(context, _at(works, Step.WITHDRAW))


def _at(works: Iterable[Work], step: Step) -> list[Work]:
    return [work for work in works if work.is_at(step)]


def _needs_head(work: Work) -> bool:
    return work.is_at(Step.HEAD) or (work.document.status is Status.READY and not work.lost)


@dataclass(slots=True)
class _Filling:
    """Heads and lines of many invoices, in requests that they share: the lines of an open head go first."""

    context: Context
    company: CompanySetup
    outbox: Outbox = field(default_factory=Outbox)
    under_way: dict[Work, set[int]] = field(default_factory=dict)  # positions of the present wave

    def fill(self, works: Sequence[Work]) -> None:
        self.outbox.put(self._head(work) for work in works if _needs_head(work))
        for work in works:
            if work.is_at(Step.LINES):
                with work.change(self.context) as tx:
                    self._go_on(tx, work)
        send(
            self.context,
            self.outbox,
            cono=self.company.cono,
            program=self.company.program.name,
            on_answer=self._take,
        )

    def _head(self, work: Work) -> Letter:
        if work.document.status is Status.READY:
            # A re-send keeps its correlation id, so that both would be known as one and the same; this is
            # a batch of its own.
            work.document = replace(work.document, cori=str(uuid.uuid4()))
            work.lines_in = set()
        program, catalog = work.company.program, self.company.catalog
        head = program.head(work.invoice, cori=work.document.cori, catalog=catalog)
        return Letter(work, head, Step.HEAD)

    def _line(self, work: Work, position: int) -> Letter:
        line = self.company.program.line(
            work.invoice.lines[position - 1],
            inbn=work.document.inbn,
            divi=work.invoice.divi,
            catalog=self.company.catalog,
        )
        return Letter(work, line, Step.LINES, position)

    def _take(self, tx: Tx, letter: Letter, answer: Answer) -> None:
        if letter.step is Step.HEAD:
            self._take_head(tx, letter.work, answer)
        else:
            self._take_line(tx, letter, answer)

    def _take_head(self, tx: Tx, work: Work, answer: Answer) -> None:
        context = self.context
        if answer.outcome is Outcome.DONE:
            work.progress(context, tx, step=Step.LINES.value, inbn=answer.records[0]["INBN"])
            self._go_on(tx, work)
        elif answer.outcome is Outcome.REFUSED:
            nok = refusal(self.company.program.name, "AddHead", answer)
            work.move(context, tx, Status.FAILED, why=nok["text"], reasons=[nok], step=Step.NONE.value)
        elif answer.outcome is Outcome.NOT_RUN:
            work.move(context, tx, Status.READY, why=answer.detail, step=Step.NONE.value)
            work.stalled = True
        else:
            work.move(context, tx, Status.IN_DOUBT, why=answer.detail)

    def _take_line(self, tx: Tx, letter: Letter, answer: Answer) -> None:
        context, work = self.context, letter.work
        if answer.outcome is Outcome.DONE:
            work.lines_in.add(letter.position)
            self.under_way[work].discard(letter.position)
            if not self.under_way[work] and work.is_at(Step.LINES) and not work.stalled:
                self._go_on(tx, work)
        elif answer.outcome is Outcome.NOT_RUN:
            work.stalled = True  # whatever kept it away keeps the others away too
        elif answer.outcome is Outcome.REFUSED and work.is_at(Step.LINES):
            nok = refusal(self.company.program.name, "AddLine", answer, position=letter.position)
            work.progress(context, tx, step=Step.WITHDRAW.value, reasons=[nok])
        elif answer.outcome is Outcome.IN_DOUBT and work.document.status is Status.POSTING:
            work.move(context, tx, Status.IN_DOUBT, why=answer.detail, step=Step.LINES.value)

    def _go_on(self, tx: Tx, work: Work) -> None:
        """Send the next wave of lines; a document whose lines are all in takes its next step."""
        if remaining := waves(work):
            self.under_way[work] = set(remaining[0])
            self.outbox.put(self._line(work, position) for position in remaining[0])
            return
        following = Step.COMMIT if self.company.program.commit_program else Step.READ_BACK
        work.progress(self.context, tx, step=following.value)


# -- lines -----------------------------------------------------------------------------------------------


def waves(work: Work) -> list[list[int]]:
    """The lines that are not in yet, as groups that may travel together, each a list of positions from 1.

    LstLines tells no accounting dimensions. Lines that look the same there and are coded differently never
    travel together, so that after a lost answer M3's list tells which of them is in.

    A program without a commit posts a batch as soon as its lines make up the total. So that no part of the
    lines does, those against the total's sign go first, then those of nothing, then the others.
    """
    program, invoice = work.company.program, work.invoice
    phases: dict[int, list[int]] = {}
    for position, line in enumerate(invoice.lines, start=1):
        if position not in work.lines_in:
            gross = line.amount + line.tax
            towards = gross if invoice.total >= 0 else -gross
            phase = 0 if program.commit_program else (towards > 0) - (towards < 0)
            phases.setdefault(phase, []).append(position)
    return [wave for _, positions in sorted(phases.items()) for wave in _apart(work, positions)]


def _apart(work: Work, positions: Sequence[int]) -> list[list[int]]:
    """Positions as groups in which lines that look the same to LstLines are coded the same."""
    program, lines = work.company.program, work.invoice.lines
    found: list[tuple[dict[LineSignature, tuple[Any, ...]], list[int]]] = []
    for position in positions:
        line = lines[position - 1]
        signature, coding = program.signature(line), (line.ait, line.text, line.po_number, line.po_line)
        for codings, members in found:
            if codings.setdefault(signature, coding) == coding:
                members.append(position)
                break
        else:
            found.append(({signature: coding}, [position]))
    return [members for _, members in found]
