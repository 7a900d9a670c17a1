"""Priority of a process for the processor."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_GROUP: Final = Path("/proc/self/autogroup")
"""Linux shares a processor between sessions first, and only then between their processes."""


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
