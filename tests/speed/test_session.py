"""A session keeps to its budget, on a clock that tests move."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.inference.engines.choice import EngineStatus
from gliomask.jobs.control import SILENT
from gliomask.speed import session as sessions
from gliomask.speed import timing
from gliomask.speed import training as training_speed
from gliomask.speed.peak import Peak
from gliomask.speed.session import BenchSession
from gliomask.speed.subject import BenchNetwork, drawn
from gliomask.speed.timing import Budget, RunTimes
from tests.speed.test_timing import Hands

TORCH = EngineStatus("torch", "2.13", "")
ABSENT = EngineStatus("mnn", None, "not installed (pip install MNN)")


def peak(gflops: float) -> Peak:
    once = RunTimes(1.0, 1.0, 1, True)
    return Peak(gflops, 10.0, 1, once, once)


class Ticks(Hands):
    """Goes on by some time whenever somebody looks at it."""

    def __call__(self) -> float:
        self.work()
        return self.now


def measured(
    subject: BenchNetwork, tick: float, seconds: float, folder: Path, gflops: float = 100.0
) -> BenchSession:
    session = BenchSession(Budget(seconds, Ticks(tick)), peak(gflops), 1, SILENT)
    session.plan([subject])
    session.measure(subject, folder)
    return session


@pytest.fixture(autouse=True)
def _statuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "engine_statuses", lambda: (ABSENT, TORCH))
    monkeypatch.setattr(sessions, "keep_freed_memory", lambda: False)  # of the tests' process


def test_everything_is_measured_where_there_is_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "MOST", 2)
    monkeypatch.setattr(training_speed, "SIZE", 32)
    found = measured(drawn("u2net-tiny", (32, 48)), 0.01, 100.0, tmp_path)
    (engine,) = found.engines
    assert (engine.engine, engine.problem) == ("torch", "")
    assert [speed.size for speed in engine.speeds] == [32, 48]
    assert all(speed.timing.warm and speed.timing.n == 2 for speed in engine.speeds)
    (training,) = found.training
    assert (training.batch, training.size) == (8, 32)
    assert training.epoch_s == pytest.approx(1000 / training.slices_per_s)
    assert [(one.what, one.why) for one in found.skipped] == [("mnn", ABSENT.problem)]


def test_a_slow_clock_leaves_out_what_comes_last_and_says_so(tmp_path: Path) -> None:
    """Each look at the clock takes a second, so 20 s are over before the training."""
    found = measured(drawn("u2net-tiny", (32, 48)), 1.0, 20.0, tmp_path, gflops=1.0)
    assert found.training == []
    assert found.skipped[-1].what == "training u2net-tiny on cpu"
    assert "s are left" in found.skipped[-1].why
    assert found.engines[0].speeds[0].timing.n == 1


def test_nothing_is_opened_without_time_for_it(tmp_path: Path) -> None:
    found = measured(drawn("u2net", (256,)), 0.001, 5.0, tmp_path, gflops=1.0)
    assert (found.engines, found.training) == ([], [])
    assert [one.what for one in found.skipped] == ["mnn", "u2net", "training u2net on cpu"]
    assert list(tmp_path.iterdir()) == []
