"""Required and optional packages, and their installed versions.

The bounds are read from the metadata of the installed gliomask, so they stand in one place only:
``pyproject.toml``.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from typing import Final

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

_OWN: Final = "gliomask"
_FOR_DEVELOPERS: Final = ("dev", "docs")
"""The extras of those who change gliomask; users do not need them."""


@dataclass(frozen=True)
class Package:
    """A required or optional package.

    Attributes:
        name: as in ``pip``.
        bound: the versions that do, e.g. ``>=2.10``; empty if all do.
        found: the version that is there; None if it is absent.
        extra: extra that installs it; None for a required package.
    """

    name: str
    bound: str
    found: str | None
    extra: str | None = None

    @property
    def fits(self) -> bool:
        """Return True if the package is installed in a sufficient version."""
        return self.found is not None and SpecifierSet(self.bound).contains(
            self.found, prereleases=True
        )

    @property
    def install(self) -> str:
        """The command that brings it."""
        if self.extra is not None:
            return f"pip install '{_OWN}[{self.extra}]'"
        return f"pip install '{self.name}{self.bound}'"


def own_version() -> str:
    """The version of gliomask that is installed."""
    return version(_OWN)


def core_packages() -> tuple[Package, ...]:
    """Required packages, in the order of ``pyproject.toml``."""
    return tuple(
        _package(requirement, None) for requirement in _requirements() if _applies(requirement, "")
    )


def extra_packages() -> tuple[Package, ...]:
    """Packages of each extra, except the one for developers."""
    extras = metadata(_OWN).get_all("Provides-Extra") or []
    return tuple(
        _package(requirement, extra)
        for extra in extras
        if extra not in _FOR_DEVELOPERS
        for requirement in _requirements()
        if _applies(requirement, extra) and not _applies(requirement, "")
    )


def python() -> Package:
    """Python itself, as if it were a package."""
    bound = (metadata(_OWN).get_all("Requires-Python") or [""])[0]
    return Package("Python", bound, platform.python_version())


def _requirements() -> list[Requirement]:
    """All, but those that an extra has of another of ours (``gliomask[jpeg]``)."""
    requirements = [Requirement(text) for text in requires(_OWN) or []]
    return [requirement for requirement in requirements if requirement.name != _OWN]


def _applies(requirement: Requirement, extra: str) -> bool:
    if requirement.marker is None:
        return True
    environment = {key: str(value) for key, value in default_environment().items()}
    return requirement.marker.evaluate({**environment, "extra": extra})


def _package(requirement: Requirement, extra: str | None) -> Package:
    try:
        installed: str | None = version(requirement.name)
    except PackageNotFoundError:
        installed = None
    return Package(requirement.name, str(requirement.specifier), installed, extra)
