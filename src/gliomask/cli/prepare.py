"""``gliomask prepare``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gliomask.cli.command import Command
from gliomask.cli.fields import Typed
from gliomask.core.counted import counted

if TYPE_CHECKING:
    from gliomask.config.prepare import PrepareOptions
    from gliomask.core.split import Split
    from gliomask.store.manifest import StoreManifest
    from gliomask.workflows.prepare import PrepareResult


def run(options: PrepareOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.workflows.prepare import prepare

    with render.control() as control:
        result = prepare(options, control)
    render.problems(result.skipped, "omitted")
    if json:
        render.as_json(_keys(result))
    else:
        render.lines(*_lines(result))


def _keys(result: PrepareResult) -> dict[str, object]:
    return {
        "store": result.store,
        "cases": len(result.manifest.cases),
        "patients": {name: len(ids) for name, ids in result.split.holdout.named()},
        "folds": len(result.split.folds),
        "fold_by": result.split.fold_by,
        "fold_names": result.split.fold_names,
        "sequences": result.manifest.sequences,
        "regions": result.manifest.regions,
        "made": result.made,
        "skipped": result.skipped,
    }


def _lines(result: PrepareResult) -> list[str]:
    manifest = result.manifest
    slices = sum(case.shape[0] for case in manifest.cases)
    positive = sum(sum(n > 0 for n in case.tumour_px) for case in manifest.cases)
    parts = ", ".join(f"{len(ids)} {name}" for name, ids in result.split.holdout.named())
    return [
        *result.explanation,
        f"{counted(len(manifest.cases), 'case')}, {slices} slices, {positive} of them with tumour",
        *_crossing(manifest),
        f"sequences {', '.join(manifest.sequences)}; regions {', '.join(manifest.regions)}",
        f"patients: {parts}; {_folds(result.split)}",
        f"{counted(result.made, 'patient')} prepared in this run, store {result.store}",
        *(f"licence of the data: {licence}" for licence in manifest.licences),
        *(["all data is synthetic"] if manifest.synthetic else []),
    ]


def _crossing(manifest: StoreManifest) -> list[str]:
    """Number of cases that are also stored in other planes; nothing without any."""
    brains = sum(case.plane == "coronal" for case in manifest.crossing)
    also = f"{counted(brains, 'case')} also in coronal and sagittal slices, for training"
    return [also] if brains else []


COMMAND = Command(
    name="prepare",
    help="Prepare data for training. Writes a store of slices, split by patient.",
    options="PrepareOptions",
    run=run,
    typed={
        "sources": Typed(metavar="SOURCE", argument=True),
        "out": Typed(metavar="STORE"),
        "labels": Typed(metavar="SCHEME"),
        "split": Typed(metavar="FILE"),
        "patients": Typed(metavar="FILE"),
        "shares": Typed(metavar="TRAIN VALIDATION TEST"),
    },
)


def _folds(split: Split) -> str:
    named = f" by site ({', '.join(split.fold_names)})" if split.fold_names else ""
    return f"{len(split.folds)} folds{named}"
