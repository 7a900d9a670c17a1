"""Options: named by their fields below the command line, spelt with dashes only there."""

from __future__ import annotations

import ast
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gliomask
from gliomask.cli.spelling import spelled, spellings
from gliomask.errors import InputError, QuestionError, option, same_with

SOURCE = Path(gliomask.__file__).parent
_FLAG = re.compile(r"(?:^|[\s(`'\"])--(?:[a-z][a-z0-9-]+|$)")
_MARKED = re.compile(r"`([a-z. ]*[a-z_0-9]+(?:=[^`]*)?)`")
OTHER_PROGRAMS = {
    "config/batch.py",  # sbatch
    "export/runner.py",  # run.py of a bundle
    "export/bundle_files.py",
    "formats/dicom/pixel_format.py",  # gdcmconv
    "inference/engines/mnn_child.py",  # MNN's converter
    "studies/s5cmd.py",
    "report/style.py",  # variables of a style sheet
    "report/evaluation/page.py",
    "report/latex.py",  # a dash
}


@pytest.fixture
def _predicting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["gliomask", "predict", "my scans", "--quick"])


@pytest.mark.usefixtures("_predicting")
@pytest.mark.parametrize(
    ("marked", "typed"),
    [
        (option("series"), "--series"),
        (option("series", "t1=4"), "--series t1=4"),
        (option("out", "my masks"), "--out 'my masks'"),
        (option("align", False), "--no-align"),
        (option("uncertainty", False), "--quick"),
        (option("again", True), "--again"),
        (option("inputs", "a b.nii", command="predict"), "gliomask predict 'a b.nii'"),
        (option("fold", 0, command="train"), "gliomask train --fold 0"),
        (option("changes", "input.size=64", command="train"), "gliomask train --set input.size=64"),
        (
            same_with(("series", "t1=3"), ("series", "t1ce=4")),
            "gliomask predict 'my scans' --quick --series t1=3 --series t1ce=4",
        ),
    ],
)
def test_an_option_is_spelt_as_it_is_typed(marked: str, typed: str) -> None:
    assert spelled(f"say {marked}, please") == f"say {typed}, please"


@pytest.mark.usefixtures("_predicting")
@pytest.mark.parametrize(
    "text",
    ["`gliomask models`", "`fold=1`", "it's `unclosed", "`a ' b`", "``", "`train nothing=1`"],
)
def test_what_is_no_option_of_the_command_stays(text: str) -> None:
    assert spelled(text) == text


@pytest.mark.usefixtures("_predicting")
def test_the_name_of_an_option_in_an_error() -> None:
    error = InputError("too little", option="limit_memory", found="1 MiB", allowed="100 MiB")
    assert str(error) == "too little (`limit_memory`=1 MiB, allowed 100 MiB)"
    assert spelled(str(error)) == "too little (--limit-memory=1 MiB, allowed 100 MiB)"
    assert (error.field, error.option) == ("limit_memory", "limit_memory")


def test_a_question_is_answered_by_the_command_with_an_option_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", shlex.split("gliomask score a b --out 'c d'"))
    asked = QuestionError("what is 1?", option="labels", answers=(("msd", "x"), ("1=a b", "y")))
    assert spelled(str(asked)) == (
        "what is 1?; use gliomask score a b --out 'c d' --labels msd (x) or "
        "gliomask score a b --out 'c d' --labels '1=a b' (y)"
    )


def test_a_long_command_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["gliomask", "inspect", *["a" * 50] * 20])
    assert spelled(same_with(("labels", "msd"))) == "gliomask inspect ... --labels msd"


def test_a_value_with_a_backtick_does_not_end_the_mark() -> None:
    assert option("out", "a`b") == "`out='a\\x60b'`"


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Every module below the front doors."""
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if not name.startswith(("cli/", "cluster/", "web/")):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def texts(module: ast.Module) -> Iterator[str]:
    """Its string literals but for the docstrings, which no user meets."""
    docs = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def test_no_flag_is_spelt_below_the_command_line() -> None:
    found = [
        f"{name}: {text}"
        for name, module in sources()
        if name not in OTHER_PROGRAMS
        for text in texts(module)
        if _FLAG.search(text)
    ]
    assert found == []
    assert _FLAG.search("leave out --no-align")
    assert _FLAG.search("--set")
    assert _FLAG.search("give one with --")


def test_an_option_in_brackets_is_marked_too() -> None:
    """A bare ``(skip_bad)`` would reach the user as it is."""
    options = {name for options in spellings().values() for name in options if "_" in name}
    bare = re.compile(rf"\((?:{'|'.join(map(re.escape, sorted(options)))})\)")
    found = [
        f"{name}: {text}"
        for name, module in sources()
        for text in texts(module)
        if bare.search(text)
    ]
    assert found == []
    assert bare.search("omit them (skip_bad), or")


def named_options(module: ast.Module) -> Iterator[tuple[str, str]]:
    """(command or "", option) of each that the module names by a literal."""
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        keywords = {word.arg: word.value for word in node.keywords}
        command = keywords.get("command")
        where = command.value if isinstance(command, ast.Constant) else ""
        called = node.func.id if isinstance(node.func, ast.Name) else ""
        given: list[ast.expr] = []
        if called == "option":
            given = node.args[:1]
        elif called == "same_with":
            given = [pair.elts[0] for pair in node.args if isinstance(pair, ast.Tuple)]
        elif called.endswith("Error") and "option" in keywords:
            given = [keywords["option"]]
        for one in given:
            if isinstance(one, ast.Constant):
                yield str(where), str(one.value)
    for text in texts(module):
        for mark in _MARKED.finditer(text):
            words = mark[1].split()
            if len(words) > 1 and words[0] in spellings():
                yield from ((words[0], word.partition("=")[0]) for word in words[1:])


def test_every_option_that_an_error_names_exists() -> None:
    known = spellings()
    everywhere = {name for options in known.values() for name in options}
    seen = [(name, *one) for name, module in sources() for one in named_options(module)]
    wrong = [one for one in seen if one[2] not in (known[one[1]] if one[1] else everywhere)]
    assert wrong == []
    assert len(seen) >= 90
