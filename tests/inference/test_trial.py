"""The network that engines are tried with tells a right answer from a wrong one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gliomask.core.volume import FloatArray
from gliomask.inference import trial as trials
from gliomask.inference.engines.choice import EngineStatus, Opened
from gliomask.inference.trial import TOLERANCE, Trial, make_trial, trial_card, write_trial
from gliomask.nets.weights import load_model, save_model
from tests.fakes import BrightEngine

TORCH = EngineStatus("torch", "2.13", "")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    folder = tmp_path_factory.mktemp("trial")
    write_trial(folder, trial_card("u2net-tiny", 64))
    return make_trial(folder, 2, 64)


@dataclass
class Says(BrightEngine):
    """An engine that gives an answer whatever it is asked."""

    answer: FloatArray | None = None

    def logits(self, inputs: FloatArray) -> FloatArray:
        assert self.answer is not None
        return self.answer


def test_the_weights_are_the_same_each_time(trial: Trial, tmp_path: Path) -> None:
    before = torch.get_rng_state()
    write_trial(tmp_path, trial_card("u2net-tiny", 64))
    assert torch.equal(torch.get_rng_state(), before)
    ours, theirs = load_model(tmp_path)[0].state_dict(), load_model(trial.folder)[0].state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_probabilities_spread(trial: Trial) -> None:
    """Both answers differ by far more than the tolerance from saying 0.5, and from each other."""
    probability = 1 / (1 + np.exp(-trial.truth))
    assert trial.truth.shape == (2, 1, 64, 64)
    assert probability.std() > 0.2
    assert np.abs(probability[0] - probability[1]).max() > 0.2


def test_a_right_engine_is_far_within_the_tolerance(trial: Trial) -> None:
    proof = trial.prove(TORCH)
    assert proof.works
    assert proof.difference is not None
    assert proof.difference < TOLERANCE / 50


@pytest.mark.parametrize(
    "wrong",
    [
        lambda truth: np.zeros_like(truth),
        lambda truth: truth[::-1],
        lambda truth: truth[..., ::-1],
        lambda truth: truth + np.float32(0.02),
        lambda truth: truth * np.float32(1.05),
        lambda truth: np.where(truth > 4, np.float32(np.nan), truth),
        lambda truth: truth[:1],
        lambda truth: np.roll(truth, 1, axis=-1),
    ],
    ids=["zero", "swapped", "mirrored", "shifted", "scaled", "NaN", "one lacks", "moved"],
)
def test_a_wrong_answer_is_seen(
    trial: Trial, wrong: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(wrong)
    engine = Says(answer=wrong(trial.truth))
    opened = Opened(engine, trial_card("u2net-tiny", 64))
    monkeypatch.setattr(trials, "open_engine", lambda *words: opened)
    proof = trial.prove(TORCH)
    assert not proof.works
    assert "differs by" in proof.problem
    assert "allowed 0.002" in proof.problem


def test_batch_norms_are_no_identity(trial: Trial, tmp_path: Path) -> None:
    """An engine that forgot their statistics would be seen."""
    network, card = load_model(trial.folder)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.reset_running_stats()
    save_model(tmp_path, network, card)
    assert not replace(trial, folder=tmp_path).prove(TORCH).works


def test_whatever_an_engine_raises_is_its_problem(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*words: object) -> Opened:
        raise RuntimeError("illegal instruction")

    monkeypatch.setattr(trials, "open_engine", fails)
    assert trial.prove(TORCH).problem == "RuntimeError: illegal instruction"


def test_an_engine_that_is_absent_is_not_opened(trial: Trial) -> None:
    proof = trial.prove(EngineStatus("mnn", None, "not installed (pip install MNN)"))
    assert (proof.works, proof.version, proof.difference) == (False, None, None)
