"""Latency of cancellation: the longest time between two polls for a stop, for each use case.

    python -m benchmarks.speed.cancel_latency DATA [--model NAME] [--set key=value ...] [--top 3]

``DATA`` is a data set in a known layout, at full size (BraTS: 240 x 240 x 155, four sequences);
its first four patients are prepared, trained on, predicted, scored and evaluated in a temporary
folder (or in ``--work``), all in this process. A use case calls ``Control.stop_requested`` between
its steps, so the longest gap between two calls is the longest delay of a stop. Wall seconds depend
on the load of the machine; CPU seconds are those of all threads of this process. An engine in a
separate process shows in the wall seconds only.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gliomask.errors import BatchError
from gliomask.jobs.control import Control
from gliomask.workflows.evaluate import EvaluateOptions, evaluate
from gliomask.workflows.predict import PredictOptions, predict_files
from gliomask.workflows.prepare import PrepareOptions, prepare
from gliomask.workflows.score import ScoreOptions, score
from gliomask.workflows.train import TrainOptions, train

PATIENTS = 4
_HERE = ("jobs/control.py", "jobs/journal.py", "jobs/processes.py", "contextlib.py", __file__)


class Polls:
    """Replacement of ``stop_requested`` that records the time and place of each call."""

    def __init__(self) -> None:
        self.gaps: list[tuple[float, float, str]] = []
        self._last = time.perf_counter(), time.process_time(), "start"

    def __call__(self) -> bool:
        self.note(_place())
        return False

    def note(self, place: str) -> None:
        """Records a poll from a place."""
        now = time.perf_counter(), time.process_time(), place
        wall, cpu, before = self._last
        self.gaps.append((now[0] - wall, now[1] - cpu, f"{before} -> {place}"))
        self._last = now


def _place() -> str:
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.endswith(_HERE):
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


def measure(name: str, work: Callable[[Control], object], top: int) -> None:
    """Prints the longest gaps of a use case, by CPU seconds."""
    polls = Polls()
    with suppress(BatchError):  # of the masks of the other patients
        work(Control(stop_requested=polls))
    polls.note("end")
    total = sum(cpu for _, cpu, _ in polls.gaps)
    print(f"{name}: {len(polls.gaps)} polls in {total:.1f} CPU s")
    for wall, cpu, where in sorted(polls.gaps, key=lambda gap: -gap[1])[:top]:
        print(f"  {wall:6.2f} s wall, {cpu:6.2f} s CPU: {where}", flush=True)


def main() -> None:
    """Measures each use case on the products of the one before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="u2netp-lgg")
    parser.add_argument(
        "--set", nargs="*", default=["network=u2netp", "epochs=1", "sampling.slices=32"]
    )
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--work", type=Path)
    parser.add_argument("--top", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        run(given, given.work or Path(temporary))


def run(given: argparse.Namespace, place: Path) -> None:
    """Runs all use cases in one folder."""
    few, store = place / "data", place / "store"
    few.mkdir(parents=True, exist_ok=True)
    for folder in sorted(given.data.iterdir())[:PATIENTS]:
        if not (few / folder.name).exists():
            (few / folder.name).symlink_to(folder.resolve())
    first = sorted(few.iterdir())[0]
    masks = place / "masks"
    preparing = PrepareOptions(
        sources=(few,), out=store, workers=1, folds=0, shares=(0.5, 0.25, 0.25)
    )
    training = TrainOptions(
        calibration=False, store=store, out=place / "run", changes=tuple(given.set), device="cpu"
    )
    predicting = PredictOptions(inputs=(first,), out=masks, model=given.model, again=True)
    scoring = ScoreOptions(references=few, predictions=masks, out=place / "score", workers=1)
    evaluating = EvaluateOptions(source=store, model=given.model, out=place / "evaluation")
    for name, work in {
        "prepare": lambda control: prepare(preparing, control),
        "train": lambda control: train(training, control),
        "predict": lambda control: predict_files(predicting, control),
        "score": lambda control: score(scoring, control),
        "evaluate": lambda control: evaluate(evaluating, control),
    }.items():
        if not given.only or name in given.only:
            measure(name, work, given.top)


if __name__ == "__main__":
    main()
