"""The address of the repository: one place defines it, and all others name the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
ADDRESS = re.compile(r"github(?:\.com)?/([\w.-]+/gliomask)\b")
"""Also in Colab's links, ``colab.research.google.com/github/<owner>/<name>``."""
PLACES = (
    "*.md",
    "*.cff",
    "*.yml",
    "docs/**/*.md",
    "notebooks/*.ipynb",
    "container/*",
    "Dockerfile",
)


def test_every_link_to_the_repository_is_that_of_the_package() -> None:
    """Change it in ``pyproject.toml``; this test then lists the files to change."""
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
    owner_and_name = urls["Repository"].removeprefix("https://github.com/")
    files = [path for place in PLACES for path in ROOT.glob(place) if path.is_file()]
    found = {
        str(path.relative_to(ROOT)): set(ADDRESS.findall(path.read_text(encoding="utf-8")))
        for path in files
    }
    named = {path: names for path, names in found.items() if names}
    assert "notebooks/gliomask.ipynb" in named
    assert set().union(*named.values()) == {owner_and_name}, named
