"""``gliomask models``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from gliomask.cli import models_add, models_import, models_remove
from gliomask.cli.command import Command, add_to
from gliomask.cli.fields import Typed
from gliomask.config.shipped import DEFAULT
from gliomask.core.counted import counted

if TYPE_CHECKING:
    from gliomask.config.models import ModelsOptions
    from gliomask.nets.known_models import KnownDice, NamedModel

_SHOW = "show"
_HELP = (
    "List, describe, add, remove and import models. `models NAME` is short for `models show NAME`."
)


class _ModelsGroup(TyperGroup):
    """Group of ``models``, whose first argument may also be the name of a model to describe."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Insert the name of the group's own command before its arguments, or instead of "list"."""
        if args[:1] == ["list"]:
            args = args[1:]
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = [_SHOW, *args]
        return super().parse_args(ctx, args)


def add_group(app: typer.Typer) -> None:
    """Adds the command and its subcommands to the application."""
    group = typer.Typer(cls=_ModelsGroup, help=_HELP)
    add_to(group, COMMAND, _SHOW)
    add_to(group, models_import.COMMAND, "import")
    add_to(group, models_add.COMMAND, "add")
    add_to(group, models_remove.COMMAND, "remove")
    app.add_typer(group, name=COMMAND.name)


def run(options: ModelsOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.nets.known_models import card_of
    from gliomask.nets.model_summary import summary

    cards = [card_of(model) for model in options.models]
    if json:
        render.as_json(cards or _everything())
        return
    for card in cards:
        render.lines(f"{card.name}, for research use only", "")
        sections = summary(card)
        render.listing(
            [(section.title, line) for section in sections for line in section.lines], width=100
        )
        render.lines("", "the whole card: --json")
    if not cards:
        _show_everything()


def _everything() -> dict[str, object]:
    from gliomask.nets.known_models import named_models, networks, recipes

    models, damaged = named_models()
    return {"models": models, "damaged": damaged, "networks": networks(), "recipes": recipes()}


def _show_everything() -> None:
    from gliomask.cli import render
    from gliomask.nets.known_models import named_models, networks, recipes

    models, damaged = named_models()
    if models:
        columns = ["name", "from", "network", "size", "sequences", "mean Dice (95 %)", "licence"]
        render.table("models", columns, map(_row, models))
    if damaged:
        rows = [(model.name, model.reason, model.remedy) for model in damaged]
        render.table("damaged models", ["name", "reason", "remedy"], rows)
    render.table(
        "networks", ["name", "parameters"], [(n.name, f"{n.parameters:,}") for n in networks()]
    )
    columns = ["name", "network", "size", "input", "epochs"]
    lines = [(r.name, r.network, r.size, r.mode, r.epochs) for r in recipes()]
    render.table("recipes", columns, lines)


COMMAND = Command(
    name="models",
    help="List models, networks and recipes, or describe models.",
    options="ModelsOptions",
    run=run,
    typed={"models": Typed(metavar="MODEL", argument=True)},
)


def _row(model: NamedModel) -> tuple[object, ...]:
    dice = "not known" if model.dice is None else _dice(model.dice)
    source = "gliomask" if model.included else "you"
    sequences = ", ".join(model.sequences)
    name = f"{model.name} (default)" if model.name == DEFAULT else model.name
    return (name, source, model.network, model.size, sequences, dice, model.licence)


def _dice(known: KnownDice) -> str:
    """``whole 0.85 (0.83 to 0.87), 87 patients out of fold``."""
    interval = " to ".join(f"{end:.2f}" for end in known.ci95)
    patients = counted(known.patients, "patient")
    return f"{known.region} {known.mean:.2f} ({interval}), {patients} {known.part}"
