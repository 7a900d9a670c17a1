"""Memory limit of this process, enforced by the system.

Linux counts the private writable memory of a process, its data, touched or not; past a
limit it gives no more, which Python reports as a ``MemoryError``. What a process holds is another
count: the code of libraries is in it, room that was never touched is not. So the data may grow by
as much as what is held is below the bound.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gliomask.errors import MachineError

_STATUS: Final = Path("/proc/self/status")


@contextmanager
def memory_limit(most: int | None) -> Iterator[None]:
    """Limits the memory of this process within the block.

    Args:
        most: None sets no limit.

    Raises:
        MachineError: the system can't limit a process, or it uses more already.
    """
    if most is None:
        yield
        return
    resident = resident_bytes()
    if resident >= most:
        allowed = f"more than {mib(resident)}, which the program itself needs"
        raise MachineError("too little", option="limit_memory", found=mib(most), allowed=allowed)
    import resource  # not there on every system

    before = resource.getrlimit(resource.RLIMIT_DATA)
    present = [value for value in before if value != resource.RLIM_INFINITY]
    limit = min(_status_bytes("VmData") + most - resident, *present, sys.maxsize)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def resident_bytes() -> int:
    """Resident memory of this process.

    Raises:
        MachineError: unknown on systems other than Linux.
    """
    if not sys.platform.startswith("linux"):
        raise MachineError("memory limits are only available on Linux", option="limit_memory")
    return _status_bytes("VmRSS")


def _status_bytes(key: str) -> int:
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    return 0


def mib(size: int) -> str:
    """Bytes in the form of memory options: ``512 MiB``."""
    return f"{size / 2**20:.0f} MiB"
