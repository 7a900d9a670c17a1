"""``gliomask predict``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gliomask.cli.places import place_for
from gliomask.cli.series import SeriesOption, pairs

if TYPE_CHECKING:
    from gliomask.errors import Failure
    from gliomask.results.prediction.summary import PredictedCase, PredictResult


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("predict")(run)


def run(
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="INPUT...", help="Scans: NIfTI, DICOM folders or zips, slices, data sets."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The folder to write into (default: INPUT-masks, here).")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="A run folder, or a model of `gliomask models` (default: u2netp-lgg)."),
    ] = None,
    t1: Annotated[Path | None, typer.Option(help="The native T1, by hand.")] = None,
    t1ce: Annotated[Path | None, typer.Option(help="The post-contrast T1, by hand.")] = None,
    t2: Annotated[Path | None, typer.Option(help="The T2, by hand.")] = None,
    flair: Annotated[Path | None, typer.Option(help="The FLAIR, by hand.")] = None,
    series: SeriesOption = None,
    write: Annotated[
        str | None,
        typer.Option(
            help="Of nifti, png, html, dicom-seg, rtstruct; all but the last where they apply."
        ),
    ] = None,
    bids: Annotated[
        Path | None,
        typer.Option(help="A BIDS data set, whose derivatives/gliomask gets the masks too."),
    ] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Write probability maps too.")
    ] = False,
    disagreement: Annotated[
        bool, typer.Option("--disagreement", help="Write where the network's maps differ.")
    ] = False,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Skip uncertainty estimation: no intervals, no flag."),
    ] = False,
    threshold: Annotated[
        float | None, typer.Option(help="Probability from which a voxel is tumour.")
    ] = None,
    keep_all: Annotated[
        bool,
        typer.Option("--keep-all", help="Keep fragments separate from the main tumour."),
    ] = False,
    reference: Annotated[
        str | None,
        typer.Option(help="The sequence onto whose grid the others are laid (default: flair)."),
    ] = None,
    no_align: Annotated[
        bool, typer.Option("--no-align", help="Refuse sequences on different grids.")
    ] = False,
    n4: Annotated[bool, typer.Option("--n4", help="Apply N4 bias-field correction first.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Do what an earlier run has done, too.")
    ] = False,
    watch: Annotated[
        Path | None, typer.Option(help="A folder to segment what arrives in it, until Ctrl-C.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    engine: Annotated[
        str, typer.Option(help="auto (the fastest), mnn, openvino, onnxruntime or torch.")
    ] = "auto",
    limit_memory: Annotated[
        str | None, typer.Option(help="Hold no more, e.g. 1.5GB; refuse what needs more.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Segment scans: a mask on each one's own grid, its volume, a page to look at it."""
    from gliomask.cli import render
    from gliomask.config import build
    from gliomask.errors import BatchError
    from gliomask.results.prediction.summary import PredictResult
    from gliomask.workflows.predict import PredictOptions, predict_files

    by_hand = {"t1": t1, "t1ce": t1ce, "t2": t2, "flair": flair}
    keys = {
        "inputs": inputs or [],
        "out": out or place_for(inputs or [], "masks"),
        "model": model,
        "sequences": {name: path for name, path in by_hand.items() if path is not None},
        "series": pairs(series),
        "write": None if write is None else [k.strip() for k in write.split(",") if k.strip()],
        "bids": bids,
        "probabilities": probabilities,
        "disagreement": disagreement,
        "thorough": not quick,
        "again": again,
        "threshold": threshold,
        "clean_up": not keep_all,
        "reference": reference,
        "align": not no_align,
        "n4": n4,
        "device": device,
        "engine": engine,
        "limit_memory": limit_memory,
    }
    options = build(PredictOptions, keys, "predict")
    if watch is not None:
        from gliomask.workflows.watch import WatchOptions
        from gliomask.workflows.watch import watch as look

        with render.control() as control:
            for cases, failures in look(WatchOptions(folder=watch, predict=options), control):
                (_tell_json if json else _tell)(cases, failures)
        return
    try:
        with render.control() as control:
            result = predict_files(options, control)
    except BatchError as failed:
        if isinstance(failed.result, PredictResult):  # the others are done
            _show(failed.result, json=json)
        raise
    _show(result, json=json)


def _show(result: PredictResult, *, json: bool) -> None:
    from gliomask.cli import render

    if json:
        render.as_json(result)
        return
    render.table(
        f"masks by {result.model}",
        ["case", "tumour", "flag", "sequences", "missing", "notes"],
        [_row(case) for case in result.cases],
    )
    earlier = sum(case.earlier for case in result.cases)
    if earlier:
        render.lines(f"{earlier} had been done by an earlier run; --again does them anew")
    for case in result.cases:
        render.lines(*_reasons(case))
    render.lines(f"written to {result.out}, for research use only", *_to_open(result))


def _tell(cases: Sequence[PredictedCase], failures: Sequence[Failure]) -> None:
    from gliomask.cli import render

    for case in cases:
        render.lines(f"{case.case}: {_size(case)}{'' if not case.earlier else ' (done earlier)'}")
    render.problems(failures, "could not be segmented")


def _tell_json(cases: Sequence[PredictedCase], failures: Sequence[Failure]) -> None:
    """A line of JSON for each study."""
    import json

    from gliomask.cli import render

    told = {"cases": cases, "failures": failures}
    render.lines(json.dumps(told, default=render.plain))


def _row(case: PredictedCase) -> list[object]:
    flag = case.reliability.level if case.reliability else ""
    notes = "; ".join(case.notes)
    return [case.case, _size(case), flag, _used(case), " ".join(case.missing), notes]


def _used(case: PredictedCase) -> str:
    """The sequences, each with its series where it is one of a study."""
    if not case.series:
        return " ".join(case.used)
    return ", ".join(f"{name} = {case.series.get(name, name)}" for name in case.used)


def _reasons(case: PredictedCase) -> list[str]:
    """Why a case is not green, a line for each reason."""
    flag = case.reliability
    found = [] if flag is None else [one for one in flag.reasons if one.level != "green"]
    return [f"{one.level.upper()} {case.case}: {one.text}" for one in found]


def _to_open(result: PredictResult) -> list[str]:
    """The one file to open: the page of the case, or of the worst of several."""
    from gliomask.core.reliability import LEVELS

    def badness(case: PredictedCase) -> int:
        return LEVELS.index(case.reliability.level) if case.reliability else 0

    pages = {
        case.case: path for case in result.cases for path in case.files if path.suffix == ".html"
    }
    shown = [case for case in result.cases if case.case in pages]
    if not shown:
        return []
    worst = max(shown, key=badness)
    which = "" if len(result.cases) == 1 else f" first (of {len(shown)} pages the least reliable)"
    return [f"open{which}: {pages[worst.case]}"]


def _size(case: PredictedCase) -> str:
    if not any(case.voxels.values()):
        return "no tumour found"
    if case.volumes_ml is None:
        return ", ".join(f"{region} {voxels} voxels" for region, voxels in case.voxels.items())
    return ", ".join(
        f"{region} {ml:.1f} ml{_interval(case, region)}" for region, ml in case.volumes_ml.items()
    )


def _interval(case: PredictedCase, region: str) -> str:
    if region not in case.volumes_ml_90:
        return ""
    low, high = case.volumes_ml_90[region]
    return f" ({low:.1f} to {high:.1f})"
