"""From the bytes of one fetched file to documents, rejected rows and counts. No network."""
