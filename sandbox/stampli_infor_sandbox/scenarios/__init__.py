"""What a fresh sandbox holds: master data, invoices already in M3, files on the SFTP server."""
