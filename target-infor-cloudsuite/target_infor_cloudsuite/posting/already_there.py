"""What M3 already holds under an invoice's number: asked in bulk before anything is sent."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stampli_infor_transforms.identity import normalise_number

from target_infor_cloudsuite.ion.answers import Outcome
from target_infor_cloudsuite.programs import ap_ledger
from target_infor_cloudsuite.programs.invoice_batch import LIST_LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stampli_infor_transforms.documents import AccountingInvoice

    from target_infor_cloudsuite.ion.answers import Answer, Transaction
    from target_infor_cloudsuite.posting.context import CompanySetup, Context
    from target_infor_cloudsuite.programs.ap_ledger import LedgerInvoice

#: What M3 answers when there is no such record.
NOT_THERE = "XRE0103"


@dataclass(slots=True)
class Findings:
    """What M3 holds under one invoice's number, as sent and normalised."""

    in_ledger: list[LedgerInvoice] = field(default_factory=list)
    batches: list[dict[str, str]] = field(default_factory=list)  # GetHead's answers, INBN added
    truncated: bool = False
    refused: str = ""  # M3 would not answer one of the questions

    @property
    def nothing(self) -> bool:
        """M3 holds nothing under this number."""
        return not (self.in_ledger or self.batches or self.truncated or self.refused)


def ask(context: Context, invoices: Mapping[int, AccountingInvoice]) -> dict[int, Findings]:
    """Ask M3 about many invoices; the answer by the same keys as ``invoices``."""
    findings = {key: Findings() for key in invoices}
    for cono in sorted({invoice.cono for invoice in invoices.values()}):
        own = {key: invoice for key, invoice in invoices.items() if invoice.cono == cono}
        ask_ledger(context, cono, own, findings)
        _ask_batches(context, context.companies[cono], own, findings)
    return findings


def numbers(invoice: AccountingInvoice) -> list[str]:
    """The number as sent and normalised, each once."""
    return list(dict.fromkeys((invoice.number, normalise_number(invoice.number))))


def years_of(invoice: AccountingInvoice) -> list[int]:
    """The years under which M3 may hold an invoice: its own, one before and after, the accounting year."""
    year = invoice.invoice_date.year
    return sorted({year - 1, year, year + 1, invoice.accounting_date.year})


def ask_ledger(
    context: Context, cono: int, invoices: Mapping[int, AccountingInvoice], findings: dict[int, Findings]
) -> None:
    """Ask the AP ledger for each invoice, in its year, the one before and after, and the accounting year."""
    questions: list[tuple[int, Transaction]] = [
        (
            key,
            ap_ledger.get_invoice(
                divi=invoice.divi, payee=invoice.payee, supplier=invoice.supplier, number=number, year=year
            ),
        )
        for key, invoice in invoices.items()
        for number in numbers(invoice)
        for year in years_of(invoice)
    ]
    answers = context.gateway.read(ap_ledger.PROGRAM, [each for _, each in questions], cono=cono)
    for (key, _), answer in zip(questions, answers, strict=True):
        if answer.outcome is Outcome.DONE and answer.records:
            findings[key].in_ledger.append(ap_ledger.invoice_of(answer.records[0]))
        else:
            _note_refusal(answer, findings[key])


def _ask_batches(
    context: Context,
    company: CompanySetup,
    invoices: Mapping[int, AccountingInvoice],
    findings: dict[int, Findings],
) -> None:
    for key, heads in heads_under_number(context, company, invoices).items():
        findings[key].truncated |= heads.truncated
        findings[key].refused = findings[key].refused or heads.refused
        findings[key].batches.extend(heads.batches)


def heads_under_number(
    context: Context, company: CompanySetup, invoices: Mapping[int, AccountingInvoice]
) -> dict[int, Findings]:
    """The heads of all batches M3 holds under each invoice's number: two bulk reads for all of them."""
    program = company.program
    findings = {key: Findings() for key in invoices}
    lists: list[tuple[int, Transaction]] = [
        (
            key,
            program.batches_of(
                payee=invoice.payee, supplier=invoice.supplier, number=number, divi=invoice.divi
            ),
        )
        for key, invoice in invoices.items()
        for number in numbers(invoice)
    ]
    answers = context.gateway.read(
        program.name, [each for _, each in lists], cono=company.cono, max_records=LIST_LIMIT
    )
    found: dict[int, dict[str, None]] = defaultdict(dict)
    for (key, _), answer in zip(lists, answers, strict=True):
        _note_refusal(answer, findings[key])
        findings[key].truncated |= len(answer.records) >= LIST_LIMIT
        found[key].update((record["INBN"], None) for record in answer.records if record.get("INBN"))
    wanted = [(key, inbn) for key, inbns in found.items() for inbn in inbns]
    heads = read_heads(context, company, [(inbn, invoices[key].divi) for key, inbn in wanted])
    for (key, inbn), head in zip(wanted, heads, strict=True):
        if head.outcome is Outcome.DONE and head.records:
            findings[key].batches.append(head.records[0] | {"INBN": inbn})
        else:
            _note_refusal(head, findings[key])
    return findings


def read_heads(context: Context, company: CompanySetup, batches: Sequence[tuple[str, str]]) -> list[Answer]:
    """GetHead for pairs of INBN and DIVI, in their order."""
    questions = [company.program.get_head(inbn=inbn, divi=divi) for inbn, divi in batches]
    return context.gateway.read(company.program.name, questions, cono=company.cono) if questions else []


def _note_refusal(answer: Answer, findings: Findings) -> None:
    if answer.outcome is Outcome.REFUSED and answer.error is not None and answer.error.code != NOT_THERE:
        findings.refused = str(answer.error)
