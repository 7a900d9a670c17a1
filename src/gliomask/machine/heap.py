"""Memory that was freed goes back to the system at once, in a process that stays.

The C library keeps what is freed for later: after a scan, up to 150 MB that nobody needs, and more
than that in the middle of one, because arrays of a few MB leave gaps that the next ones don't fit.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from typing import Final

_M_MMAP_THRESHOLD: Final = -3
"""``malloc.h`` of glibc: blocks from this size on are mappings of their own."""
_BYTES: Final = 4 * 2**20

ENVIRONMENT: Final = {"NUMPY_MADVISE_HUGEPAGE": "0"}
"""For new processes, before they load NumPy: of an array that is mostly zero, huge pages keep more
in memory than was written to."""


def return_freed_memory() -> None:
    """Makes arrays mappings of their own; elsewhere than with glibc nothing happens."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _BYTES)
