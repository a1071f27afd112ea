"""A Stampli SFTP server and an Infor ION gateway with M3 behind it, on loopback.

For a first run of the product and for its tests. Imports nothing of the product, so that what it says about
M3 cannot be wrong in the same way as what the product believes about M3.
"""
