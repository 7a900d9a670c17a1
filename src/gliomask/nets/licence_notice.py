"""The licence of a model that comes along is said when an account uses it for the first time.

It is said through ``logging``: without further ado that is a line on stderr, in a program that has
a log of its own it stands there.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

from gliomask.config.shipped import is_shipped
from gliomask.core.atomic import write_text
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.errors import MachineError
from gliomask.nets.cards import ModelCard

_LOG = logging.getLogger("gliomask")


def announce_licence(folder: Path, card: ModelCard) -> None:
    """Says the licence of a model, once on an account; of one's own models it says nothing.

    Where that can't be remembered it is said each time. Never fails.

    Args:
        folder: of the model.
        card: of it.
    """
    if not is_shipped(folder):
        return
    line = _line(folder.name, card.licence)
    marker = _marker(folder.name)
    if marker is not None and _text(marker) == f"{line}\n":
        return
    _LOG.warning("%s", line)
    if marker is not None:
        try:
            write_text(marker, f"{line}\n")
        except MachineError:
            return


def _line(name: str, licence: str) -> str:
    """Of the licences of Creative Commons, those with NC forbid commercial use."""
    free = "" if "NC" not in re.split(r"\W+", licence) else "not for commercial use; "
    line = f"the model {name} is included in gliomask; licence: {licence}; {free}"
    return " ".join(f"{line}{RESEARCH_USE_ONLY.lower()}".split())


def _marker(name: str) -> Path | None:
    """It holds what was said, so that another licence is said anew; None without a home."""
    state_home = os.environ.get("XDG_STATE_HOME", "")
    try:
        # A relative path is to be ignored, says the XDG Base Directory Specification.
        base = (
            Path(state_home) if Path(state_home).is_absolute() else Path.home() / ".local" / "state"
        )
    except RuntimeError:
        return None
    return base / "gliomask" / "licences" / f"{name}.txt"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
