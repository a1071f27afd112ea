"""The SFTP server: logging in, listing, fetching whole files."""
