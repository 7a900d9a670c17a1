"""What a result was made with, so that it can be made again."""

from __future__ import annotations

import platform
from importlib.metadata import version

from gliomask.config import Options
from gliomask.core.prediction import RESEARCH_USE_ONLY


def software() -> dict[str, str]:
    """The versions of what computes."""
    names = ("gliomask", "torch", "numpy")
    return {**{name: version(name) for name in names}, "python": platform.python_version()}


def provenance(command: str, options: Options) -> dict[str, object]:
    """What every ``provenance.json`` holds: the command, its options, the software.

    Args:
        command: of gliomask, e.g. ``evaluate``.
        options: that it was given, in full.
    """
    return {
        "notice": RESEARCH_USE_ONLY,
        "command": command,
        "options": options.plain(),
        "software": software(),
    }
