"""MkDocs hook: fills the reference pages from the program itself.

``<!-- commands -->`` becomes every command with its options, as the parser has them,
``<!-- recipe keys -->`` the keys of a recipe, as the configuration defines them, and
``<!-- names of MODULE -->`` the public names of a module, which mkdocstrings then documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import typer
from pydantic import BaseModel

from gliomask.cli.main import app
from gliomask.config import Recipe

_COMMANDS = "<!-- commands -->"
_KEYS = "<!-- recipe keys -->"
_NAMES = re.compile(r"<!-- names of ([\w.]+) -->")
_ROOT = "gliomask"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The text of a page, its markers replaced."""
    if _COMMANDS in markdown:
        markdown = markdown.replace(_COMMANDS, commands())
    if _KEYS in markdown:
        markdown = markdown.replace(_KEYS, recipe_keys())
    return _NAMES.sub(lambda marker: names(marker[1]), markdown)


def commands() -> str:
    """Every command as Markdown, in the order of ``gliomask --help``."""
    return "\n\n".join(_sections(typer.main.get_command(app), None, _ROOT))


def recipe_keys() -> str:
    """A table of every key of a recipe with its default."""
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *_keys(Recipe, "")])


def names(module: str) -> str:
    """A directive for each public name of a module."""
    public = import_module(module).__all__
    return "\n\n".join(f"::: {module}.{name}" for name in public)


def _keys(options: type[BaseModel], prefix: str) -> list[str]:
    rows = []
    for name, field in options.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            rows += _keys(kind, f"{prefix}{name}.")
            continue
        default = "" if field.default is None else _default(field.get_default())
        rows.append(f"| `{prefix}{name}` | {default} | {_cell(field.description or '')} |")
    return rows


def _default(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _sections(command: Any, parent: Any, title: str) -> Iterator[str]:
    """A command and, if it is a group, those below it."""
    name = title.split()[-1]
    context = command.make_context(name, [], parent=parent, resilient_parsing=True)
    yield _command(command, context, title)
    if hasattr(command, "list_commands"):
        for below in command.list_commands(context):
            one = command.get_command(context, below)
            if not one.hidden:
                yield from _sections(one, context, f"{title} {below}")


def _command(command: Any, context: Any, title: str) -> str:
    usage = " ".join([title, *command.collect_usage_pieces(context)])
    rows = [row for parameter in command.get_params(context) if (row := _row(parameter, context))]
    table = ["| | |", "|---|---|", *rows]
    return "\n".join([f"## {title}", "", command.help or "", "", "```", usage, "```", "", *table])


def _row(parameter: Any, context: Any) -> str:
    """An option or argument with its default; empty for one that ``--help`` hides as well."""
    record = parameter.get_help_record(context)
    if record is None:
        return ""
    name, text = record
    return f"| `{_cell(name)}` | {_cell(text).replace('<', '&lt;')} |"


def _cell(text: str) -> str:
    plain = " ".join(text.split()).replace("|", "\\|")
    return plain.replace("``", "`")
