"""The MI programs that take documents into M3: one module each, and the seam they share.

Nothing outside this package names a field of these programs. Another product would be another module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_infor_cloudsuite.programs.abs100 import Abs100
from target_infor_cloudsuite.programs.aps100 import APS100MI
from target_infor_cloudsuite.programs.aps450 import APS450MI
from target_infor_cloudsuite.programs.gls840 import PROGRAM as GLS840MI
from target_infor_cloudsuite.programs.gls840 import Gls840

if TYPE_CHECKING:
    from target_infor_cloudsuite.programs.payment_road import PaymentRoad
    from target_infor_cloudsuite.settings import Settings

#: The AP programs by name, the preferred first.
INVOICE_PROGRAMS = {program.name: program for program in (APS100MI, APS450MI)}


def road_named(program: str, settings: Settings) -> PaymentRoad:
    """The road of a payment program; of any other name the bank statement's, which `auto` means too."""
    if program == GLS840MI:
        return Gls840(str(settings["journal_interface"] or ""), dict(settings["journal_accounts"] or {}))
    return Abs100()
