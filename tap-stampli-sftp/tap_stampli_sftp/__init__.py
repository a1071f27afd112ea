"""Singer tap: Stampli's invoice, payment, vendor and GL account exports from an SFTP server."""
