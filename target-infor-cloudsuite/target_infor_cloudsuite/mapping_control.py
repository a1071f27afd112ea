"""Which version of the crosswalks is used: the directory's, or the last approved while that waits.

A version is the hash of what the files say. The ledger keeps the files of each version that it meets, so that
every posting can be told from the version it names, and the last approved one goes on in use while a change
waits for its second signature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stampli_infor_transforms.crosswalks import Crosswalks
from stampli_infor_transforms.hints import Hints, vendor_tax_ids
from stampli_infor_transforms.numbering import normalise_number
from stampli_infor_transforms.policy import SettingsError

from target_infor_cloudsuite.ledger import events, mappings
from target_infor_cloudsuite.ledger.reference import source_records
from target_infor_cloudsuite.ledger.states import DecisionError

if TYPE_CHECKING:
    from datetime import datetime

    from target_infor_cloudsuite.ledger import Ledger, Tx
    from target_infor_cloudsuite.ledger.documents import Hand
    from target_infor_cloudsuite.settings import Settings

_SHOWN = 12


@dataclass(frozen=True, slots=True)
class InForce:
    """The crosswalks to use.

    Attributes:
        crosswalks: the tables.
        approved: the versions that documents may be mapped by; None where no approval is asked for.
        waiting: the version of crosswalk_dir where that is not approved and therefore not used, else ''.
    """

    crosswalks: Crosswalks
    approved: frozenset[str] | None = None
    waiting: str = ""

    @property
    def warning(self) -> str:
        """What a person has to know of a version that waits; '' where none does."""
        if not self.waiting:
            return ""
        return (
            f"The crosswalks in crosswalk_dir are version {short(self.waiting)}, which nobody approved: "
            f"version {short(self.crosswalks.version)}, approved last, is used instead. Look at "
            "`cloudsuite-ap mapping diff`, then have two people run `cloudsuite-ap mapping approve`."
        )


def in_force(settings: Settings, ledger: Ledger, *, at: datetime) -> InForce:
    """Choose the crosswalks; what the directory holds is kept in the ledger.

    Raises:
        CrosswalkError: The directory's files cannot be used.
        SettingsError: Approval is asked for, and no version ever had it.
    """
    present = Crosswalks.load(settings.crosswalk_dir)
    with ledger.write() as tx:
        mappings.keep_version(tx, present.version, present.texts, at=at)
        approved = mappings.approved_versions(tx)
    if settings["mapping_approval"] != "required":
        return InForce(present)
    versions = frozenset(each.version for each in approved)
    if present.version in versions:
        return InForce(present, versions)
    if not approved:
        raise SettingsError(
            "mapping_approval",
            f"is 'required', but no version of the crosswalks was approved yet. Have two people run "
            f"`cloudsuite-ap mapping approve` for version {short(present.version)} of "
            f"{settings.crosswalk_dir}. Nothing was posted.",
        )
    return InForce(Crosswalks.parse(approved[-1].content), versions, present.version)


def hints_of(tx: Tx) -> Hints:
    """What the ledger knows of vendors: name matches that people confirmed, and their tax ids."""
    return Hints(confirmed=mappings.confirmed(tx), tax_ids=vendor_tax_ids(source_records(tx, "vendors")))


def approve(tx: Tx, crosswalks: Crosswalks, *, hand: Hand, why: str) -> bool:
    """Sign a version; whether it is approved by that: the first signature proposes, a second name's approves.

    Raises:
        DecisionError: It is approved already, or both signatures would be the same person's.
    """
    mappings.keep_version(tx, crosswalks.version, crosswalks.texts, at=hand.at)
    (version,) = mappings.version_named(tx, crosswalks.version)
    if version.approved_at is not None:
        raise DecisionError(
            f"Version {short(version.version)} is approved already, by {version.proposed_by} and "
            f"{version.approved_by}."
        )
    second = bool(version.proposed_by)
    if second and _same_name(version.proposed_by, hand.actor):
        raise DecisionError(
            f"{version.proposed_by} proposed version {short(version.version)}: another person has to "
            "approve it."
        )
    mappings.sign(tx, version.version, hand=hand, second=second)
    events.record(
        tx,
        "mapping.approved" if second else "mapping.proposed",
        at=hand.at,
        actor=hand.actor,
        details={"version": version.version, "why": why},
    )
    return second


def _same_name(one: str, other: str) -> bool:
    """Case, blanks and the form of letters make no second person."""
    return normalise_number(one) == normalise_number(other)


def short(version: str) -> str:
    """A version as people read it; the commands take it too."""
    return version[:_SHOWN]
