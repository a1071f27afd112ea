"""The report: one HTML file that says where everything stands, for people."""
