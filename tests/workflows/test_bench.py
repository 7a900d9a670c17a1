"""``bench`` on a small model: its own weights, at its own size, by every engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

import pytest
import torch

from gliomask.cli.render import plain
from gliomask.errors import ModelError
from gliomask.inference.trial import TOLERANCE, trial_card, write_trial
from gliomask.speed import peak as peaks
from gliomask.speed import session as sessions
from gliomask.speed import timing
from gliomask.speed import training as training_speed
from gliomask.speed.timing import Budget
from gliomask.workflows import bench as benches
from gliomask.workflows.bench import BenchOptions, bench


def milliseconds() -> Iterator[float]:
    """Times of a clock that advances with each reading, by a millisecond and ever more."""
    return (number * (1 + number / 1e6) / 1000 for number in count())


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(peaks, "_SIDE", 256)
    monkeypatch.setattr(peaks, "_BYTES", 2**20)
    monkeypatch.setattr(benches, "Budget", partial(Budget, clock=partial(next, milliseconds())))
    monkeypatch.setattr(timing, "MOST", 2)
    monkeypatch.setattr(training_speed, "SIZE", 32)
    monkeypatch.setattr(sessions, "keep_freed_memory", lambda: False)  # of the tests' process
    write_trial(tmp_path / "run", trial_card("u2net-tiny", 32))
    return tmp_path / "run"


def test_a_model_at_its_own_size(run: Path) -> None:
    threads = torch.get_num_threads()
    found = bench(BenchOptions(models=(run,), threads=1, seconds=30.0))
    assert torch.get_num_threads() == threads
    (model,) = found.models
    assert (model.network, model.trained) == ("u2net-tiny", True)
    assert list(model.gmac) == [32]
    assert found.threads == found.peak.threads == 1
    assert found.peak.gflops > 0
    assert {one.engine for one in found.engines} >= {"torch", "mnn"}
    for one in found.engines:
        assert one.problem == ""
        assert one.difference is not None
        assert one.difference < TOLERANCE
        for speed in one.speeds:
            flop = 2e9 * model.gmac[32]
            assert speed.gflops * speed.slice_s == pytest.approx(flop / 1e9)
            assert speed.of_peak == pytest.approx(speed.gflops / found.peak.gflops)
    assert len(found.training) == 1
    (advice,) = found.advice
    fastest = min((s.slice_s, one.engine) for one in found.engines for s in one.speeds)
    assert advice.engine == fastest[1]
    shown = json.loads(json.dumps(found, default=plain))
    assert shown["engines"][0]["speeds"][0]["timing"]["n"] >= 1


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"card\.json"):
        bench(BenchOptions(models=(tmp_path,), seconds=1.0))
