"""``gliomask fetch``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("fetch")(run)


def run(
    source: Annotated[str, typer.Argument(help="idc: and a collection of IDC: idc:upenn_gbm.")],
    out: Annotated[Path, typer.Option(help="The folder to fetch into, or to go on with.")],
    patients: Annotated[int | None, typer.Option(help="How many (default: all).")] = None,
    modalities: Annotated[str, typer.Option(help="Of the series: MR,SEG.")] = "MR",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show size, licence and what to cite.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Fetch patients of an open collection as DICOM; `inspect` and `predict` take the folder."""
    from gliomask.cli import render
    from gliomask.config import build
    from gliomask.workflows.fetch import FetchOptions, fetch

    given = {
        "source": source,
        "out": out,
        "patients": patients,
        "modalities": tuple(part.strip() for part in modalities.split(",")),
        "dry_run": dry_run,
    }
    with render.control() as control:
        result = fetch(build(FetchOptions, given, "fetch"), control)
    if json:
        render.as_json(result)
        return
    licences = ", ".join(f"{name} ({n} series)" for name, n in result.licences.items())
    done = "not fetched (dry run)" if dry_run else f"{result.fetched} series fetched"
    render.lines(
        f"{result.collection} of IDC ({result.version}): {result.patients} patients, "
        f"{result.series} series, {result.files} files, {result.size / 1e9:.2f} GB",
        f"licence: {licences}",
        f"cite: {', '.join(result.cite) or 'see the collection'}",
        f"{done}, {result.there} were there: {result.out}",
    )
    if not dry_run:
        render.lines(f"go on with: gliomask inspect {result.out}")
