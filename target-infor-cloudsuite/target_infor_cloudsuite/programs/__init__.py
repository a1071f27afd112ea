"""The MI programs that take documents into M3: one module each, and the seam they share.

Nothing outside this package names a field of these programs. Another product would be another module.
"""

from target_infor_cloudsuite.programs.aps100 import APS100MI
from target_infor_cloudsuite.programs.aps450 import APS450MI

#: The AP programs by name, the preferred first.
INVOICE_PROGRAMS = {program.name: program for program in (APS100MI, APS450MI)}
