"""One name, one thing; nothing that only tests use; and what CONTRIBUTING names is there."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import gliomask

PACKAGE = Path(gliomask.__file__).parent
ROOT = PACKAGE.parents[1]
FRONT_DOORS = ("cli/", "web/", "results/prediction/prediction.py")
"""Each has words of its own; the last is what Python users hold."""


@cache
def modules() -> dict[str, ast.Module]:
    found = {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in PACKAGE.rglob("*.py")
    }
    assert len(found) > 300
    return found


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for module, tree in modules().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not module.startswith(FRONT_DOORS):
                places[node.name].append(module)
    places = {name: found for name, found in places.items() if not name.startswith("_")}
    assert len(places) > 250
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_every_function_is_used_by_the_package() -> None:
    """Or by a benchmark, a hook of pydantic or a library; what only a test calls has to go."""
    words: Counter[str] = Counter()
    for path in (*PACKAGE.rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")):
        words.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    alone = {
        node.name
        for module, tree in modules().items()
        if not module.startswith(FRONT_DOORS)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and words[node.name] == 1
        and not node.name.startswith("__")
        and not node.decorator_list
    }
    assert alone == set()


def test_no_function_has_many_parameters() -> None:
    """But the one that Python users call, and the error whose parts are all named."""
    many = {"workflows/predict.py:predict", "errors.py:__init__"}
    counts = [
        (f"{module}:{node.name}", len([one for one in names if one not in ("self", "cls")]))
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for names in [[one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)]]
    ]
    assert len(counts) > 1500
    assert {name for name, count in counts if count > 6} == many


def test_workflows_holds_use_cases_alone() -> None:
    """What several of them share belongs to another package."""
    files = {module for module in modules() if module.startswith("workflows/")}
    files.remove("workflows/__init__.py")
    assert len(files) <= 22
    for module in sorted(files):
        signatures = [
            [argument.arg for argument in node.args.args]
            for node in modules()[module].body
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        ]
        assert any(names[-1:] == ["control"] for names in signatures)


def test_what_contributing_names_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    quoted = re.findall(r"`([^`\s]+)`", text)
    paths = [one for one in quoted if "/" in one and not re.search(r"[<{*]|^\.\./", one)]
    assert len(paths) >= 6
    here = [one for one in paths if not one.startswith(".venv")]
    assert [one for one in here if not (ROOT / one).exists()] == []
    named = [one for one in quoted if one.startswith("gliomask.")]
    assert [one for one in named if find_spec(one) is None] == []


def test_contributing_lists_every_room() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tree = text[text.index("src/gliomask/\n") :].split("```")[0]
    listed = set(re.findall(r"^  (\w+)/", tree, re.M))
    assert listed == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
