"""Docstrings: their examples run, and the names of the package that they mention exist."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gliomask

PACKAGE = Path(gliomask.__file__).parent
MODULES = [
    path.relative_to(PACKAGE.parent).with_suffix("").as_posix().replace("/", ".")
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name not in ("__init__.py", "__main__.py")
]
WITH_EXAMPLES = [
    name
    for name in MODULES
    if ">>> " in (PACKAGE.parent / f"{name.replace('.', '/')}.py").read_text("utf-8")
]
FLOORS = "|".join(package.name for package in pkgutil.iter_modules([str(PACKAGE)]) if package.ispkg)
MENTION = re.compile(rf"``((?:{FLOORS})(?:\.(?!csv|json|yaml|html)[A-Za-z_0-9]+)+)``")


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted
    assert not result.failed


def _mentions() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for mention in MENTION.findall(path.read_text("utf-8")):
            yield path.relative_to(PACKAGE).as_posix(), mention


def _exists(mention: str) -> bool:
    parts = mention.split(".")
    for depth in range(len(parts), 0, -1):
        file = PACKAGE.joinpath(*parts[:depth])
        if file.with_suffix(".py").is_file() or file.is_dir():
            break
    else:
        return False
    here = file.with_suffix(".py") if file.with_suffix(".py").is_file() else file / "__init__.py"
    names = parts[depth:]
    return not names or bool(re.search(rf"\b{re.escape(names[0])}\b", here.read_text("utf-8")))


def test_names_that_are_mentioned_exist() -> None:
    stale = [f"{path}: {mention}" for path, mention in _mentions() if not _exists(mention)]
    assert not stale
