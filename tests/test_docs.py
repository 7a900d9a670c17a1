"""The documentation: its links lead somewhere, and its generated pages are complete."""

from __future__ import annotations

import itertools
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

import gliomask
from gliomask.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
PAGES = (*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md")))
SOURCES = tuple(
    path
    for folder in ("src", "tests", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".md", ".yaml", ".j2"} and path != Path(__file__)
)
MENTIONED = re.compile(r"\bdocs/[\w/.-]*\w")


def tokens(page: Path) -> list[Token]:
    """Every token of a page, those inside paragraphs and headings too."""
    blocks = MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))
    return [token for block in blocks for token in (block, *(block.children or ()))]


def links(page: Path) -> list[str]:
    """The targets of links and pictures of a page that stay inside the repository."""
    targets = [token.attrGet("href") or token.attrGet("src") for token in tokens(page)]
    return [str(target) for target in targets if target and "://" not in str(target)]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, named as GitHub and MkDocs name them."""
    found = tokens(page)
    headings = [
        after.content for token, after in itertools.pairwise(found) if token.type == "heading_open"
    ]
    plain = [re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings]
    return {re.sub(r"\s", "-", heading) for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for target in links(page):
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{target} is not there"
        assert not anchor or anchor in anchors(file), f"{target}: no such heading"


def test_decisions_are_numbered_once_and_named_by_their_number() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for number, page in enumerate(pages, 1):
        assert page.read_text(encoding="utf-8").startswith(f"# {number}. ")


def test_there_are_links() -> None:
    assert sum(len(links(page)) for page in PAGES) > 20


def test_pages_that_the_code_names_are_there() -> None:
    named = [
        (source.relative_to(ROOT), name)
        for source in (*SOURCES, ROOT / "CHANGELOG.md")
        for name in MENTIONED.findall(source.read_text(encoding="utf-8"))
    ]
    assert named
    assert [pair for pair in named if not (ROOT / pair[1]).exists()] == []


def hook() -> ModuleType:
    """The hook that fills the reference pages when the site is built."""
    spec = spec_from_file_location("reference_hook", ROOT / "docs" / "hooks" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_command_reference_has_every_command_and_option() -> None:
    page = hook().on_page_markdown((ROOT / "docs/reference/command-line.md").read_text())
    assert len(COMMANDS) > 10
    for command in COMMANDS:
        name = "models show" if command.name == "models" else command.name
        section = page.split(f"## gliomask {name}\n")[1].split("\n## ")[0]
        flags = [one.on for one in command.spellings.values() if one.on and one.on != "--sequences"]
        assert len(flags) >= 1
        assert [flag for flag in flags if f"`{flag}" not in section] == []
    assert "--limit-memory" in page.split("## gliomask predict\n")[1].split("\n## ")[0]


def test_the_recipe_reference_has_every_key() -> None:
    page = hook().on_page_markdown((ROOT / "docs/reference/recipes.md").read_text())
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    documented = {row[0].split("`")[1]: row[1] for row in rows}
    assert documented["input.size"] == "128"
    assert documented["sampling.slices"] == ""
    assert {"network", "loss.dice", "augment.affine", "seed"} <= documented.keys()


def test_the_python_reference_has_every_public_name() -> None:
    page = hook().on_page_markdown((ROOT / "docs/reference/python.md").read_text())
    assert [name for name in gliomask.__all__ if f"::: gliomask.{name}\n" not in page] == []
    assert "::: gliomask.metrics.dice\n" in page
