"""Priority of a process for the processor."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

_GROUP: Final = Path("/proc/self/autogroup")
"""Linux shares a processor between sessions first, and only then between their processes."""


T = TypeVar("T")


def at_lower_priority(make: Callable[[], T], niceness: int) -> T:
    """Lower the priority of a worker process for good, then make its work.

    Args:
        make: returns the work.
        niceness: see ``lower_priority``.
    """
    lower_priority(niceness)
    return make()


def lower_priority(niceness: int) -> None:
    """Lower the priority of this process, and of those that it will start.

    Args:
        niceness: 0 for no change, up to 19 for the lowest priority, see ``nice``.
    """
    if not niceness:
        return
    os.nice(niceness)
    with suppress(OSError):  # another system, or a kernel without groups
        _GROUP.write_text(str(niceness))
