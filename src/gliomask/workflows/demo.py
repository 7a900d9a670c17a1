"""``demo``: the complete pipeline on synthetic patients.

It needs no data, no GPU and no network. It shows that the installation works and what the results
look like, but not the accuracy on real tumours.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gliomask.config.demo import DemoOptions as DemoOptions
from gliomask.core import atomic
from gliomask.core.output_folder import check_replaceable
from gliomask.jobs.control import SILENT, Control
from gliomask.phantom.cohort import write_cohort
from gliomask.workflows.evaluate import EvaluateOptions, evaluate
from gliomask.workflows.predict import PredictOptions, predict_files
from gliomask.workflows.prepare import PrepareOptions, prepare
from gliomask.workflows.score import ScoreOptions, score
from gliomask.workflows.train import TrainOptions, train

LAYOUT = "brats"
_SUMMARY = "summary.json"
_MARK = "SYNTHETIC-DEMO"
Result = TypeVar("Result")


@dataclass(frozen=True)
class DemoResult:
    """Result of ``demo``, all of it synthetic.

    Attributes:
        out: the folder.
        patients: train, validation, test.
        test_dice: mean Dice of the held-out patients, whole tumour.
        new_dice: Dice of the new patient's predicted mask.
        seconds: duration of each step.
        look_at: files to open, with descriptions.
    """

    out: Path
    patients: tuple[int, int, int]
    test_dice: float
    new_dice: float
    seconds: dict[str, float]
    look_at: tuple[tuple[Path, str], ...]


def demo(options: DemoOptions, control: Control = SILENT) -> DemoResult:
    """Make a phantom cohort, prepare it, train, evaluate, and predict a new patient.

    Raises:
        InputError: ``out`` contains something else than an earlier demo.
    """
    out, seconds = _fresh(options.out), dict[str, float]()

    def timed(step: str, work: Callable[[], Result]) -> Result:
        start = time.monotonic()
        result = work()
        seconds[step] = round(time.monotonic() - start, 1)
        return result

    cohort, new = out / "cohort", out / "new"
    timed(
        "phantom",
        lambda: (
            write_cohort(cohort, LAYOUT, options.patients, options.seed, control=control),
            write_cohort(new, LAYOUT, 1, options.seed + 1),
        ),
    )
    store = PrepareOptions(sources=(cohort,), out=out / "store", seed=options.seed)
    parts = timed("prepare", lambda: prepare(store, control)).split.holdout
    training = TrainOptions(store=out / "store", out=out / "run", recipe=options.recipe)
    timed("train", lambda: train(training, control))
    options_of_evaluation = EvaluateOptions(
        source=out / "store", model=str(out / "run"), out=out / "evaluation", part="test"
    )
    evaluated = timed("evaluate", lambda: evaluate(options_of_evaluation, control))
    predicting = PredictOptions(inputs=(new,), out=out / "prediction", model=str(out / "run"))
    timed("predict", lambda: predict_files(predicting, control))
    scoring = ScoreOptions(references=new, predictions=out / "prediction", out=out / "score")
    scored = timed("score", lambda: score(scoring, control))
    result = DemoResult(
        out=out,
        patients=(len(parts.train), len(parts.validation), len(parts.test)),
        test_dice=evaluated.summary.mean("dice", "whole"),
        new_dice=scored.summary.mean("dice", "whole"),
        seconds=seconds,
        look_at=_look_at(out),
    )
    _write_summary(result)
    return result


def _fresh(out: Path) -> Path:
    """Create an empty folder; an earlier demo in it is removed, anything else is refused."""
    check_replaceable(out, "a demo", {_MARK})
    if out.exists():
        shutil.rmtree(out)
    atomic.write_text(out / _MARK, "Made by `gliomask demo` from a synthetic cohort.\n")
    return out


def _look_at(out: Path) -> tuple[tuple[Path, str], ...]:
    previews = sorted((out / "prediction").glob("*.png"))
    pages = sorted((out / "prediction").glob("*.html"))
    panels = sorted((out / "evaluation" / "figures").glob("panels_*.png"))
    curves = out / "run" / "figures"
    return (
        *((path, "the new patient's mask, outlined") for path in previews[:1]),
        *((path, "the new patient in a viewer, in any browser") for path in pages[:1]),
        *(
            (path, "reference, prediction and difference of a held-out patient")
            for path in panels[:1]
        ),
        (curves, "loss and Dice loss by epoch and by iteration"),
        (out / "evaluation" / "report.html", "accuracy on the held-out patients"),
        (out / "prediction", "the mask as NIfTI, figures as JSON"),
    )


def _write_summary(result: DemoResult) -> None:
    keys = {
        "synthetic": True,
        "note": "For research use only. Synthetic patients: not a measure of accuracy on real ones",
        "patients": dict(zip(("train", "validation", "test"), result.patients, strict=True)),
        "test_dice": result.test_dice,
        "new_dice": result.new_dice,
        "seconds": result.seconds,
    }
    atomic.write_text(result.out / _SUMMARY, json.dumps(keys, indent=1) + "\n")
