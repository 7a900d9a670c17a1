"""``gliomask models``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("models")(run)


def run(
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="RUN...", help="Run folders to describe.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Show networks and recipes, or what trained models say of themselves."""
    from gliomask.cli import render
    from gliomask.workflows.models import card_of, networks, recipes

    cards = [card_of(run) for run in runs or []]
    if json:
        plain = cards if cards else {"networks": networks(), "recipes": recipes()}
        render.as_json(plain)
    elif cards:
        for card in cards:
            rows = [(key, value) for key, value in card.model_dump(mode="json").items()]
            render.table(card.name, ["", "for research use only"], rows)
    else:
        render.table(
            "networks", ["name", "parameters"], [(n.name, f"{n.parameters:,}") for n in networks()]
        )
        columns = ["name", "network", "size", "input", "epochs"]
        shown = [(r.name, r.network, r.size, r.mode, r.epochs) for r in recipes()]
        render.table("recipes", columns, shown)
