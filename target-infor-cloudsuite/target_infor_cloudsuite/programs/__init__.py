"""The MI programs that take documents into M3: one module each, and the seam they share.

Nothing outside this package names a field of these programs. Another CloudSuite product would be another module here.
"""
