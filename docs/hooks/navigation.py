"""MkDocs hook: the navigation, one section for each folder; a new page needs no entry anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_SECTIONS = {
    "tutorials": "Tutorials",
    "how-to": "How-to guides",
    "reference": "Reference",
    "explanation": "Explanation",
    "decisions": "Decisions",
}


def on_config(config: Any) -> Any:
    """Lists the pages of each folder by name; a folder's README comes first, as its index."""
    root = Path(config["docs_dir"])
    config["nav"] = [{"Home": "index.md"}] + [
        {
            title: [
                f"{folder}/{page.name}" for page in sorted((root / folder).glob("*.md"), key=_key)
            ]
        }
        for folder, title in _SECTIONS.items()
    ]
    return config


def _key(page: Path) -> tuple[bool, str]:
    return page.name != "README.md", page.name
