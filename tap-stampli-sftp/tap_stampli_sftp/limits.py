"""How much one file may hold, unpack to and decrypt to."""

from __future__ import annotations

from dataclasses import dataclass

from tap_stampli_sftp.errors import FileRefused

#: So much a packed file may always give, however small it is.
FREE_BYTES = 1024**2


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one file, named as the settings are."""

    max_file_bytes: int
    max_field_bytes: int
    max_unpacked_ratio: int

    def unpacked(self, packed_size: int) -> int:
        """How many bytes a packed file may give."""
        return min(max(FREE_BYTES, packed_size * self.max_unpacked_ratio), self.max_file_bytes)

    def exceeded(self, packed_size: int) -> FileRefused:
        """The error for a file that gives more than that."""
        if self.unpacked(packed_size) == self.max_file_bytes:
            return FileRefused(f"it unpacks to more than {self.max_file_bytes} bytes (max_file_bytes)")
        return FileRefused(
            f"it unpacks to more than {self.max_unpacked_ratio} times its size (max_unpacked_ratio)"
        )
