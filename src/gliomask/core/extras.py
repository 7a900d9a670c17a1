"""Packages of the extras, and installation hints for missing ones.

The extra of a package is read from the metadata of the installed gliomask, so ``pyproject.toml`` is
the only source.
"""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from gliomask.errors import PackageError

_OWN: Final = "gliomask"
_FOR_DEVELOPERS: Final = ("dev", "docs", "benchmarks")
_REQUIREMENT: Final = re.compile(r"([\w.-]+).*extra == ['\"]([\w-]+)['\"]")


def load_extra(module: str) -> Any:
    """Import a module of a package of an extra.

    Raises:
        PackageError: it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as problem:
        raise (missing_package(problem) or problem) from None


def has_extra(module: str) -> bool:
    """Return True if a package is installed, without importing it."""
    return find_spec(module) is not None


def missing_package(problem: ModuleNotFoundError) -> PackageError | None:
    """Installation hint for a failed import; None if no extra contains the package."""
    name = (problem.name or "").split(".")[0]
    extra = _extras().get(_plain(name))
    if extra is None:
        return None
    what = f"this needs the package {name}, which is not installed"
    return PackageError(what, hint=f"pip install '{_OWN}[{extra}]'")


def install_hint(module: str) -> str:
    """Command that installs a package of an extra."""
    extra = _extras().get(_plain(module))
    return f"pip install 'gliomask[{extra}]'" if extra else f"pip install {module}"


def _extras() -> dict[str, str]:
    """Package -> its extra."""
    from importlib.metadata import PackageNotFoundError, requires  # slow: only after a failure

    try:
        requirements = requires(_OWN) or []
    except PackageNotFoundError:  # run from the source without being installed
        return {}
    pairs = [match.groups() for text in requirements if (match := _REQUIREMENT.match(text))]
    brought = [pair for pair in pairs if pair[0] != _OWN and pair[1] not in _FOR_DEVELOPERS]
    return {_plain(name): extra for name, extra in brought}


def _plain(name: str) -> str:
    """Import name of a package: its name in lower case with underscores."""
    return name.lower().replace("-", "_")
