"""Plans of experiments, their folds on a small store, and choices made inside the folds."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.accuracy.chosen_inside import AREAS, THRESHOLDS, Counted, choose
from benchmarks.accuracy.folds import (
    OutOfTimeError,
    Places,
    Work,
    gliomask,
    read_plan,
    run_all,
    training_command,
)
from benchmarks.accuracy.keep_folds import keep
from benchmarks.accuracy.small_fragments import SHARES
from benchmarks.accuracy.tables import table
from gliomask.cli import main as cli
from gliomask.config import load_recipe
from gliomask.nets.cards import read_card
from gliomask.provenance.run_record import RunRecord
from tests.learning.stores import write_store

PLAN = """
base:
  set: {network: u2net-tiny, input.size: 32, epochs: 1, batch_size: 4, ema: 0.9}
plain loss: {against: base, set: {loss.bce: 0}}
second:
  against: base
  after: base
  teacher: base
  calibrate: true
  mirrored: true
  set: {loss.teacher: 0.5}
other recipe: {against: base, recipe: seed, set: {epochs: 1}}
"""


def test_every_experiment_is_a_recipe() -> None:
    plan = read_plan()
    for one in plan.values():
        recipe = load_recipe(one.recipe, one.changes)
        base = plan[one.against] if one.against else None
        if base is not None:  # something is different, else it is no experiment
            same = recipe == load_recipe(base.recipe, base.changes)
            assert not same or one.store or one.start or one.after, one.name


def test_a_change_comes_on_top_and_another_recipe_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN)
    plan = read_plan(tmp_path / "plan.yaml")
    assert plan["plain loss"].changes == (*plan["base"].changes, "loss.bce=0")
    assert (plan["other recipe"].recipe, plan["other recipe"].changes) == ("seed", ("epochs=1",))
    assert plan["plain loss"].folder == "plain-loss"


class InThisProcess:
    """Stands for a process of ``gliomask``: twelve of them would load torch twelve times."""

    alone = threading.Lock()

    def __init__(self, command: Sequence[str], **_: object) -> None:
        assert command[:3] == [sys.executable, "-m", "gliomask"]
        self.words = command[3:]

    def wait(self, _seconds: float | None) -> int:
        with self.alone, pytest.MonkeyPatch.context() as patched:
            patched.setattr(sys, "argv", ["gliomask", *self.words])
            with pytest.raises(SystemExit) as stop:
                cli.main()
        assert isinstance(stop.value.code, int)
        return stop.value.code


def no_curves(run: Path, _note: str) -> None:
    """In place of the drawing, which takes most of so small a training."""
    (run / "figures").mkdir()
    (run / "figures" / "curves.png").touch()


def test_a_command_is_a_process_of_its_own(tmp_path: Path) -> None:
    gliomask(["--version"], tmp_path / "log")
    assert (tmp_path / "log").read_text().startswith("gliomask ")
    with pytest.raises(RuntimeError, match="nothing here ended with 2"):
        gliomask(["nothing", "here"], tmp_path / "log")


@pytest.mark.slow
def test_folds_are_trained_evaluated_and_not_done_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = SimpleNamespace(Popen=InThisProcess, TimeoutExpired=subprocess.TimeoutExpired)
    monkeypatch.setattr("benchmarks.accuracy.folds.subprocess", stand_in)
    monkeypatch.setattr("gliomask.workflows.train.draw_curves", no_curves)
    (tmp_path / "plan.yaml").write_text(PLAN)
    plan = read_plan(tmp_path / "plan.yaml")
    monkeypatch.setattr("benchmarks.accuracy.tables.read_plan", lambda: plan)
    store = write_store(tmp_path / "store")
    places = Places(store.path, tmp_path / "out", {}, {})
    chosen = [plan[name] for name in ("base", "plain loss", "second")]
    with pytest.raises(OutOfTimeError):
        run_all(Work(chosen, plan, places, deadline=0), 1)
    run_all(Work(chosen, plan, places, all_patients=True), 2)
    summary = json.loads((tmp_path / "out/base/evaluation/summary.json").read_text())
    assert summary["n"] == 1  # the store has one fold of one patient
    (run,) = places.runs(plan["base"])
    assert training_command(plan["base"], places, run, plan) is None
    found = table(["base", "plain loss", "other recipe"], tmp_path / "out").rows
    assert [row[0] for row in found] == ["base", "plain loss"]
    second = tmp_path / "out/second"
    facts = json.loads((second / "fold0/provenance.json").read_text())
    assert facts["start"]["source"] == facts["teacher"]["source"] == str(run)
    assert read_card(second / "fold0/card.json").validation is not None
    assert read_card(run / "card.json").validation is None  # was not asked for
    assert read_card(second / "fold0/card.json").mirrored
    assert read_card(second / "all-patients/card.json").mirrored
    calibration = read_card(second / "all-patients/card.json").metrics["calibration"]
    assert isinstance(calibration, dict)
    assert calibration["part"] == "out of fold"
    keep([second / "fold0"], tmp_path / "kept")
    assert RunRecord(tmp_path / "kept/fold0").patients == RunRecord(second / "fold0").patients
    assert "teacher" in json.loads((tmp_path / "kept/fold0/provenance.json").read_text())
    assert str(tmp_path) not in (tmp_path / "kept/fold0/provenance.json").read_text()


def counts_of(good: tuple[int, int, int, int], marked: int) -> Counted:
    """One patient of 100 pixels, in whom one choice is right but marks so many free slices."""
    shape = (1, 2, len(THRESHOLDS), len(SHARES), len(AREAS), 3)
    counts = np.zeros(shape, np.int64)
    counts[..., 0], counts[..., 1] = 50, 100
    counts[(0, *good)] = 90, 100, marked
    one = np.array([True])
    return Counted(np.array(["a"]), one, counts, np.array([100]), np.array([10]))


def test_the_best_choice_is_found_where_it_may_be_looked_for() -> None:
    one = counts_of((1, 3, 2, 1), marked=0)
    assert choose(one, (True, True, True, True), None) == (1, 3, 2, 1)
    usual = (0, int(np.argmin(abs(THRESHOLDS - 0.5))), 0, 0)
    assert choose(one, (False, False, False, False), None) == usual
    assert choose(one, (False, True, True, True), None)[0] == 0


def test_a_choice_that_marks_too_many_free_slices_does_not_count() -> None:
    one = counts_of((1, 3, 2, 1), marked=5)
    assert choose(one, (True, True, True, True), 0.5) == (1, 3, 2, 1)
    assert choose(one, (True, True, True, True), 0.4) != (1, 3, 2, 1)
