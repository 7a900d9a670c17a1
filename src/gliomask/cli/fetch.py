"""``gliomask fetch``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gliomask.cli.command import Command
from gliomask.cli.fields import Typed
from gliomask.core.counted import counted

if TYPE_CHECKING:
    from gliomask.config.fetch import FetchOptions


def run(options: FetchOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.workflows.fetch import fetch

    with render.control() as control:
        result = fetch(options, control)
    if json:
        render.as_json(result)
        return
    licences = ", ".join(f"{name} ({n} series)" for name, n in result.licences.items())
    done = "not fetched (dry run)" if options.dry_run else f"{result.fetched} series fetched"
    render.lines(
        f"{result.collection} of IDC ({result.version}): {counted(result.patients, 'patient')}, "
        f"{result.series} series, {result.files} files, {result.size / 1e9:.2f} GB",
        f"licence: {licences}",
        f"cite: {', '.join(result.cite) or 'see the collection'}",
        f"{done}, {result.there} already complete: {result.out}",
    )
    if not options.dry_run:
        render.lines(f"continue with: gliomask inspect {result.out}")


COMMAND = Command(
    name="fetch",
    help="Download patients of an open collection. As DICOM files for inspect and predict.",
    options="FetchOptions",
    run=run,
    typed={
        "source": Typed(metavar="COLLECTION", argument=True),
        "modalities": Typed(metavar="NAME,NAME,...", commas=True),
    },
)
