"""``gliomask predict``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gliomask.cli.command import JSON, Command, Extra, Keys
from gliomask.cli.fields import Typed
from gliomask.cli.output_folders import place_for
from gliomask.config.shipped import DEFAULT

if TYPE_CHECKING:
    from gliomask.config.predict import PredictOptions
    from gliomask.core.prediction import VolumeInterval
    from gliomask.core.reliability import Reason
    from gliomask.formats.case_record import CaseRecord
    from gliomask.results.prediction.summary import PredictResult


def run(options: PredictOptions, *, watch: str | None, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.results.prediction.summary import PredictResult
    from gliomask.workflows.predict import predict_files

    if watch is not None:
        _watch(Path(watch), options, json=json)
        return
    render.run_and_show(
        lambda control: predict_files(options, control),
        PredictResult,
        lambda result: _show(result, json=json),
    )


def _watch(folder: Path, options: PredictOptions, *, json: bool) -> None:
    from gliomask.cli import render
    from gliomask.workflows.watch import WatchOptions, watch

    with render.control() as control:
        for result in watch(WatchOptions(folder=folder, predict=options), control):
            (_print_json if json else _print_study)(result)


def _complete(keys: Keys) -> dict[str, Any]:
    return {"out": place_for([Path(path) for path in keys.get("inputs", ())], "masks")}


TYPED = {
    "inputs": Typed(metavar="INPUT", argument=True),
    "out": Typed(default="INPUT-masks in this folder"),
    "model": Typed(metavar="MODEL", default=DEFAULT),
    "sequences": Typed(
        keys={
            "t1": "T1 image before contrast, for inputs whose names do not contain the sequence.",
            "t1ce": "Post-contrast T1 image (T1ce), as for T1.",
            "t2": "T2 image, as for T1.",
            "flair": "FLAIR image, as for T1.",
        }
    ),
    "series": Typed(metavar="SEQUENCE=SERIES"),
    "write": Typed(metavar="KIND,KIND,...", commas=True),
    "uncertainty": Typed("--uncertainty", off="--quick"),
    "clean_up": Typed(old="--keep-all"),
}
"""Spelling of the options."""
COMMAND = Command(
    name="predict",
    help="Segment tumours in MRI scans. Writes a mask on the grid of each scan, its volumes with "
    "intervals, and a page to check them.",
    options="PredictOptions",
    run=run,
    typed=TYPED,
    extra={
        "watch": Extra(
            "Folder to watch: segment every new study in it, until Ctrl-C.", metavar="FOLDER"
        ),
        **JSON,
    },
    complete=_complete,
)


def _show(result: PredictResult, *, json: bool) -> None:
    from gliomask.cli import render

    if json:
        render.as_json(result)
        return
    if not result.cases:
        return
    render.table(
        f"masks by {result.model}",
        ["case", "tumour", "flag", "sequences", "missing", "notes"],
        [_row(case) for case in result.cases],
    )
    if earlier := len(result.earlier):
        render.lines(f"{earlier} completed by an earlier run; --again predicts them again")
    for case in result.cases:
        render.lines(*_reasons(case))
    render.lines(f"written to {result.out}, for research use only", *_to_open(result))


def _print_study(result: PredictResult) -> None:
    from gliomask.cli import render

    for case in result.cases:
        before = " (done earlier)" if case.case in result.earlier else ""
        render.lines(f"{case.case}: {_size(case)}{before}")
    render.problems(result.failures, "could not be segmented")


def _print_json(result: PredictResult) -> None:
    """Print a line of JSON for each study."""
    import json

    from gliomask.cli import render

    render.lines(json.dumps(result, default=render.plain))


def _row(case: CaseRecord) -> list[object]:
    from gliomask.core.reliability import unstated

    flag = case.reliability.level if case.reliability else ""
    notes = "; ".join(unstated(case.notes, _concerns(case)))
    return [case.case, _size(case), flag, _used(case), " ".join(case.sequences_missing), notes]


def _used(case: CaseRecord) -> str:
    """Sequences, with the series of a study."""
    used, series = case.sequences_used, case.series_used
    return (
        ", ".join(f"{name} = {series.get(name, name)}" for name in used)
        if series
        else " ".join(used)
    )


def _reasons(case: CaseRecord) -> list[str]:
    """Reasons for an amber or red flag, one line each."""
    return [f"{reason.level.upper()} {case.case}: {reason.text}" for reason in _concerns(case)]


def _concerns(case: CaseRecord) -> list[Reason]:
    """Reasons for an amber or red flag."""
    reasons = case.reliability.reasons if case.reliability else ()
    return [reason for reason in reasons if reason.level != "green"]


def _to_open(result: PredictResult) -> list[str]:
    """The file to open: the page of the case, or of the least reliable of several."""
    from gliomask.core.reliability import LEVELS

    def badness(case: CaseRecord) -> int:
        return LEVELS.index(case.reliability.level) if case.reliability else 0

    pages = {
        case.case: path
        for case in result.cases
        for path in case.paths(result.out)
        if path.suffix == ".html"
    }
    cases_with_page = [case for case in result.cases if case.case in pages]
    if not cases_with_page:
        return []
    worst = max(cases_with_page, key=badness)
    which = (
        ""
        if len(result.cases) == 1
        else f" first (the least reliable of {len(cases_with_page)} cases)"
    )
    return [f"open{which}: {pages[worst.case]}"]


def _size(case: CaseRecord) -> str:
    if not any(case.voxels.values()):
        return "no tumour found"
    if case.volumes_ml is None:
        sizes = [f"{region} {voxels} voxels" for region, voxels in case.voxels.items()]
    else:
        sizes = [f"{region} {ml:.1f} ml" for region, ml in case.volumes_ml.items()]
    return ", ".join(
        f"{size}{_interval(case.intervals.get(region))}"
        for region, size in zip(case.voxels, sizes, strict=True)
    )


def _interval(interval: VolumeInterval | None) -> str:
    """Calibrated interval of a size, or that there is none although uncertainty was estimated."""
    if interval is None:
        return ""
    if not interval.calibrated:
        return " (no 90 % interval)"
    low, high = interval.voxels if interval.ml is None else interval.ml
    decimals = 0 if interval.ml is None else 1
    return f" ({low:.{decimals}f} to {high:.{decimals}f})"
