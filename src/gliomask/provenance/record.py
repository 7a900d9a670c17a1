"""Provenance of a result: the data needed to reproduce it."""

from __future__ import annotations

import platform
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from gliomask.config import Options
from gliomask.core.prediction import RESEARCH_USE_ONLY


def software() -> dict[str, str]:
    """The versions of what computes, as far as it is installed."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    """Reading the metadata of a package takes 10 ms: once is enough."""
    versions = {"gliomask": version("gliomask")}
    for name in ("torch", "numpy"):
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return {**versions, "python": platform.python_version()}


def provenance(command: str, options: Options) -> dict[str, object]:
    """The content of every ``provenance.json``: the command, its options, the software.

    Args:
        command: of gliomask, e.g. ``evaluate``.
        options: all options of the command.
    """
    return {
        "notice": RESEARCH_USE_ONLY,
        "command": command,
        "options": options.plain(),
        "software": software(),
    }
