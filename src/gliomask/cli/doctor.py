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
"""Level of a finding -> text and colour."""


def run(options: DoctorOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.workflows.doctor import doctor

    with render.control() as control:
        checkup = doctor(options, control)
    if json:
        render.as_json(checkup)
    else:
        render.lines(f"gliomask {checkup.gliomask} on {checkup.system}", "")
        render.listing(_rows(checkup))
        render.lines("", _verdict(checkup))
    if checkup.broken:
        raise MachineError("; ".join(map(_in_short, checkup.broken)))


COMMAND = Command(
    name="doctor",
    help="Check this machine and installation. Fails if a command would not work.",
    options="DoctorOptions",
    run=run,
    typed={"out": Typed("--out-dir")},
)


def _rows(checkup: Checkup) -> list[tuple[object, ...]]:
    """Rows of the table; packages without problems share a row, because twenty rows are hard to
    read."""
    fit = [f for f in checkup.findings if f.part == "packages" and f.level == "ok"]
    names = ", ".join(f"{finding.name} {finding.found}" for finding in fit)
    first = [("packages", "", f"{len(fit)} needed", names)] if fit else []
    return [*first, *(_row(finding) for finding in checkup.findings if finding not in fit)]


def _row(finding: Finding) -> tuple[object, ...]:
    from rich.text import Text

    remark = ": ".join(filter(None, (finding.found, finding.remark)))
    return (finding.part, Text(*_MARKS[finding.level]), finding.name, remark)


def _verdict(checkup: Checkup) -> str:
    notes = sum(finding.level == "note" for finding in checkup.findings)
    broken = len(checkup.broken)
    text = "1 note" if notes == 1 else f"{notes} notes"
    if broken:
        return f"{broken} errors, {text} ({checkup.seconds:.1f} s)"
    return f"no errors, {text} ({checkup.seconds:.1f} s)"


def _in_short(finding: Finding) -> str:
    text = f"{finding.part}, {finding.name}: {finding.found}"
    return f"{text} ({finding.remark})" if finding.remark else text
