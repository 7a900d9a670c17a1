"""Names are unique nouns, docstrings are plain, and CONTRIBUTING names what exists."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import gliomask

PACKAGE = Path(gliomask.__file__).parent
ROOT = PACKAGE.parents[1]
FRONT_DOORS = ("cli/", "web/", "results/prediction/prediction.py")
"""Each has words of its own; the last is what Python users hold."""
_PRONOUNS = (
    "found one told held seen said asked gone these those it them whom mine ours theirs "
    "of everyone everybody judge judges judged judgement"
)
PRONOUNS = frozenset(_PRONOUNS.split(" "))
"""Not names of variables: a variable is called by the noun that it is."""
ALLOWED = {("errors.py", "found"), ("jobs/dispatch.py", "of"), ("web/api/follow.py", "of")}
_COY = (
    r"judg(?:e|es|ed|ing|ement)",
    r"everybody|whoever|beside",
    r"whole or not at all",
    r"for people|what (?:a person|people) (?:should|call)",
    r"in words(?=[.,;:)])",
    r"learns? from|has learned|its word",
    r"goes on with|comes? along|told apart",
    r"must be said|what can't be true",
)
COY = re.compile(rf"\b(?:{'|'.join(_COY)})\b", re.IGNORECASE)
"""Not in docstrings, comments and messages: see "Language" in CONTRIBUTING.md."""
EXEMPT = {"learning/state.py": {'"judged"'}, "web/tokens.py": {'"everybody"'}}
"""Keys of files of earlier versions, which are still read; and a stored name of an owner."""
QUESTION = re.compile(r"(What|How|Whether|Where|Who|Whom|Whose|Which|When|Why)\b")


def parsed(folder: Path) -> dict[str, ast.Module]:
    """Path below the folder -> module."""
    return {
        path.relative_to(folder).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in folder.rglob("*.py")
    }


@cache
def modules() -> dict[str, ast.Module]:
    trees = parsed(PACKAGE)
    assert len(trees) > 300
    return trees


@cache
def all_modules() -> dict[str, ast.Module]:
    """Modules of the package and of the benchmarks."""
    benchmarks = parsed(ROOT / "benchmarks")
    assert len(benchmarks) > 40
    return modules() | {f"benchmarks/{path}": tree for path, tree in benchmarks.items()}


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for module, tree in modules().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not module.startswith(FRONT_DOORS):
                places[node.name].append(module)
    places = {name: files for name, files in places.items() if not name.startswith("_")}
    assert len(places) > 250
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


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
        (f"{module}:{node.name}", len([name for name in names if name not in ("self", "cls")]))
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for names in [[item.arg for item in ast.walk(node.args) if isinstance(item, ast.arg)]]
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
    paths = [path for path in quoted if "/" in path and not re.search(r"[<{*]|^\.\./", path)]
    assert len(paths) >= 6
    here = [path for path in paths if not path.startswith(".venv")]
    assert [path for path in here if not (ROOT / path).exists()] == []
    named = [path for path in quoted if path.startswith("gliomask.")]
    assert [path for path in named if find_spec(path) is None] == []


def test_contributing_lists_every_room() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tree = text[text.index("src/gliomask/\n") :].split("```")[0]
    listed = set(re.findall(r"^  (\w+)/", tree, re.M))
    assert listed == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def variables(tree: ast.AST) -> set[tuple[int, str]]:
    """Line and name of everything that is assigned to, and of every parameter."""
    stored = {
        (node.lineno, node.id)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    fields = {
        (item.target.lineno, item.target.id)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for item in node.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }
    parameters = {(node.lineno, node.arg) for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return (stored - fields) | parameters


def test_a_variable_is_no_pronoun() -> None:
    """``found`` beside ``allowed`` is a parameter of errors, and fields may be called so."""
    pronouns = [
        f"{module}:{line} {name}"
        for module, tree in all_modules().items()
        for line, name in sorted(variables(tree))
        if name in PRONOUNS and (module, name) not in ALLOWED
    ]
    assert pronouns == []
    assert (1, "found") in variables(ast.parse("found = [case for case in cases]"))
    assert (1, "one") in variables(ast.parse("total = sum(one.size for one in files)"))


def test_a_docstring_opens_with_what_the_thing_is_or_does() -> None:
    questions = [
        f"{module} {getattr(node, 'name', 'module')}: {text.splitlines()[0]}"
        for module, tree in all_modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and (text := ast.get_docstring(node))
        and QUESTION.match(text)
    ]
    assert questions == []
    assert QUESTION.match("Whether a mask is empty.")


def test_no_function_or_class_has_a_pronoun_in_its_name() -> None:
    names = [
        f"{module}:{node.lineno} {node.name}"
        for module, tree in all_modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and {"judge", "judged", "judges", "told", "asked"} & set(node.name.lower().split("_"))
        and not module.startswith(("web/", "workflows/"))
    ]
    assert names == []


def texts(module: str) -> Iterator[tuple[int, str]]:
    """Line and text of every comment and string of a module."""
    source = (PACKAGE / module).read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            yield token.start[0], token.string


def test_texts_use_the_terms_of_the_field() -> None:
    coy = [
        f"{module}:{line} {match.group()}"
        for module in modules()
        for line, text in texts(module)
        if text not in EXEMPT.get(module, ())
        for match in [COY.search(text)]
        if match
    ]
    assert coy == []
    assert COY.search("Judges a network on the validation patients.")
    assert COY.search("Writes the card, whole or not at all.")
    assert not COY.search("Properties of a case besides its masks, in words of a name")
