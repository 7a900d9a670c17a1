"""Licence notice at the first use of an included model by an account.

It is sent to ``logging``: by default a line on stderr, otherwise in the log of the calling program.
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
    """Log the licence of an included model, once per account.

    If this can't be stored, it is logged each time. Never fails.

    Args:
        folder: of the model.
        card: card of the model.
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
    """Text of the notice; licences of Creative Commons with NC forbid commercial use."""
    free = "" if "NC" not in re.split(r"\W+", licence) else "not for commercial use; "
    line = f"the model {name} is included in gliomask; licence: {licence}; {free}"
    return " ".join(f"{line}{RESEARCH_USE_ONLY.lower()}".split())


def _marker(name: str) -> Path | None:
    """Path of the file with the last notice, so that a changed licence is logged again; None
    without a home folder."""
    state_home = os.environ.get("XDG_STATE_HOME", "")
    try:
        # By the XDG Base Directory Specification, a relative path is ignored.
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
