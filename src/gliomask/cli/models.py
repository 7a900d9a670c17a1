"""``gliomask models``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from gliomask.cli import models_import

if TYPE_CHECKING:
    from gliomask.workflows.models import KnownDice, ShippedModel


class _ModelsGroup(TyperGroup):
    """A group whose first word may be the name of a model: then it is shown."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts the command before names and options that are its own."""
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = [_SHOW, *args]
        return super().parse_args(ctx, args)


_SHOW = "show"


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    group = typer.Typer(
        cls=_ModelsGroup,
        help="Show models, networks and recipes, or import weights.",
    )
    group.command(_SHOW)(run)
    group.command("import")(models_import.run)
    app.add_typer(group, name="models")


def run(
    named: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL...", help="Models to describe: names or run folders."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Show models, networks and recipes, or what trained models say of themselves."""
    from gliomask.cli import render
    from gliomask.nets.model_summary import summary
    from gliomask.workflows.models import card_of, networks, recipes, shipped_models

    cards = [card_of(one) for one in named or []]
    if json:
        everything = {"models": shipped_models(), "networks": networks(), "recipes": recipes()}
        render.as_json(cards if cards else everything)
        return
    for card in cards:
        render.lines(f"{card.name}, for research use only", "")
        sections = summary(card)
        render.listing([(one.title, line) for one in sections for line in one.lines], width=100)
        render.lines("", "all that the card holds: --json")
    if cards:
        return
    if found := shipped_models():
        columns = ["name", "network", "size", "sequences", "mean Dice (95 %)", "licence"]
        render.table("models", columns, map(_row, found))
    render.table(
        "networks", ["name", "parameters"], [(n.name, f"{n.parameters:,}") for n in networks()]
    )
    columns = ["name", "network", "size", "input", "epochs"]
    shown = [(r.name, r.network, r.size, r.mode, r.epochs) for r in recipes()]
    render.table("recipes", columns, shown)


def _row(model: ShippedModel) -> tuple[object, ...]:
    dice = "not known" if model.dice is None else _dice(model.dice)
    return (model.name, model.network, model.size, ", ".join(model.sequences), dice, model.licence)


def _dice(known: KnownDice) -> str:
    """``whole 0.85 (0.83 to 0.87), 87 patients out of fold``."""
    interval = " to ".join(f"{end:.2f}" for end in known.ci95)
    return f"{known.region} {known.mean:.2f} ({interval}), {known.patients} patients {known.part}"
