"""``gliomask serve export-corrections``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gliomask.cli.command import Command
from gliomask.cli.fields import Typed

if TYPE_CHECKING:
    from gliomask.config.export_corrections import ExportCorrectionsOptions


def run(options: ExportCorrectionsOptions, *, json: bool) -> None:
    """Export, and print the next commands."""
    from gliomask.cli import render
    from gliomask.web.database import open_database
    from gliomask.web.folder import DataFolder
    from gliomask.web.stored_corrections import StoredCorrections
    from gliomask.workflows.export_corrections import ApprovedCorrection, export_corrections

    stored = StoredCorrections(open_database(options.data), DataFolder(options.data))
    approved = [
        ApprovedCorrection(
            job=label.job,
            number=label.number,
            author=label.author,
            approver=label.approver or "",
            mask=mask,
            case=case,
        )
        for label, mask, case in stored.approved()
    ]
    with render.control() as control:
        result = export_corrections(options, approved, control)
    if json:
        render.as_json(result)
        return
    render.lines(
        f"{len(result.cases)} cases of {len(result.patients)} patients, for training only",
        f"next: gliomask prepare {result.out} --out STORE",
        "then: gliomask train STORE --out RUN --from MODEL --all-patients",
        f"{result.out}",
    )


EXPORT = Command(
    name="serve export-corrections",
    module="export_corrections",
    help="Export approved corrections as a data set to train on, from a server's data folder.",
    options="ExportCorrectionsOptions",
    run=run,
    typed={"data": Typed(default="~/.local/share/gliomask/serve")},
)
