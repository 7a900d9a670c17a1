"""The C library keeps freed memory instead of giving it back to the system at once.

A training step allocates and frees the same few hundred megabytes of activations again and again.
By default glibc takes each large block from the kernel and gives it back, so the kernel zeroes
and maps every page of it anew in every step: with U²-NetP, 128 pixels and a batch of 8 that is
150,000 page faults and a third of the time. Blocks that stay in the heap cost nothing the second
time. The price is that the process holds on to its peak memory until it ends.
"""

from __future__ import annotations

import ctypes
import platform

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""Numbers of the parameters in glibc's malloc.h."""
_PAD_BYTES = 64 * 2**20
"""The heap grows in steps of this."""


def keep_freed_memory() -> bool:
    """Sets it for this process; False where the C library is not glibc and nothing was done."""
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    for name, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1), (_TOP_PAD, _PAD_BYTES)):
        libc.mallopt(name, value)
    return True
