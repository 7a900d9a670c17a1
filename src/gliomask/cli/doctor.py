"""``gliomask doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gliomask.cli.command import Command
from gliomask.cli.fields import Typed
from gliomask.errors import MachineError

if TYPE_CHECKING:
    from gliomask.config.doctor import DoctorOptions
    from gliomask.machine.checkup import Finding
    from gliomask.workflows.doctor import Checkup


_MARKS = {"ok": ("", ""), "note": ("note", "yellow"), "breaks": ("BREAKS", "bold red")}
"""A finding's level -> what is shown for it, and its colour."""


def run(options: DoctorOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.workflows.doctor import doctor

    with render.control() as control:
        found = doctor(options, control)
    if json:
        render.as_json(found)
    else:
        render.lines(f"gliomask {found.gliomask} on {found.system}", "")
        render.listing(_rows(found))
        render.lines("", _verdict(found))
    if found.broken:
        raise MachineError("; ".join(map(_in_short, found.broken)))


COMMAND = Command(
    name="doctor",
    help="Check this machine and installation. Fails if something would break.",
    options="DoctorOptions",
    run=run,
    typed={"out": Typed("--out-dir")},
)


def _rows(found: Checkup) -> list[tuple[object, ...]]:
    """Packages that are as they should be share a row: nobody reads twenty of them."""
    fit = [f for f in found.findings if f.part == "packages" and f.level == "ok"]
    names = ", ".join(f"{finding.name} {finding.found}" for finding in fit)
    first = [("packages", "", f"{len(fit)} needed", names)] if fit else []
    return [*first, *(_row(finding) for finding in found.findings if finding not in fit)]


def _row(finding: Finding) -> tuple[object, ...]:
    from rich.text import Text

    said = ": ".join(filter(None, (finding.found, finding.remark)))
    return (finding.part, Text(*_MARKS[finding.level]), finding.name, said)


def _verdict(found: Checkup) -> str:
    notes = sum(finding.level == "note" for finding in found.findings)
    broken = len(found.broken)
    said = "1 note" if notes == 1 else f"{notes} notes"
    if broken:
        return f"{broken} would break, {said} ({found.seconds:.1f} s)"
    return f"nothing would break, {said} ({found.seconds:.1f} s)"


def _in_short(finding: Finding) -> str:
    text = f"{finding.part}, {finding.name}: {finding.found}"
    return f"{text} ({finding.remark})" if finding.remark else text
