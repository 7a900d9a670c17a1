"""``models import``: a folder that every engine runs as the weights' own program does."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from gliomask.errors import ConfigError, QuestionError, StoppedError
from gliomask.inference.engines.choice import open_engine
from gliomask.jobs.control import Control
from gliomask.nets.cards import read_card
from gliomask.workflows.import_model import ImportOptions, import_model
from tests.commands import run
from tests.nets.foreign.keras2 import layers, write
from tests.nets.foreign.nets import answers, arrays_of, image, trained

NETWORK = trained(epsilon=1e-3)
KNOWN = {"sequences": ("t1ce", "t2"), "regions": ("whole",), "size": 64}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("keras") / "u2net.h5", layers(arrays_of(NETWORK)))


def test_the_folder_answers_as_the_file(weights: Path, tmp_path: Path) -> None:
    options = ImportOptions(file=weights, out=tmp_path / "model", licence="MIT", **KNOWN)
    result = import_model(options)
    card = read_card(tmp_path / "model" / "card.json")
    assert (card.norm_epsilon, card.licence, card.size) == (1e-3, "MIT", 64)
    assert card.patients == ()
    assert "not verified" in result.notes[0]
    due = answers(NETWORK, image())[0]
    engine = open_engine(tmp_path / "model", "mnn", "cpu", threads=1).engine
    np.testing.assert_allclose(engine.logits(image()), due, atol=1e-4 * np.ptp(due))


@pytest.mark.parametrize("left_out", ["sequences", "regions", "size"])
def test_what_weights_do_not_tell_is_asked(weights: Path, tmp_path: Path, left_out: str) -> None:
    given = {key: value for key, value in KNOWN.items() if key != left_out}
    with pytest.raises(QuestionError) as caught:
        import_model(ImportOptions(file=weights, out=tmp_path / "model", **given))
    assert caught.value.option == left_out
    assert not (tmp_path / "model").exists()


def test_names_must_fit_the_channels(weights: Path, tmp_path: Path) -> None:
    given = {**KNOWN, "sequences": ("t1", "t1ce", "t2")}
    with pytest.raises(ConfigError, match=r"sequences=t1,t1ce,t2, allowed 2 names"):
        import_model(ImportOptions(file=weights, out=tmp_path / "model", **given))


def test_nothing_is_replaced(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(ConfigError, match="output folder exists already"):
        import_model(ImportOptions(file=weights, out=tmp_path / "model", **KNOWN))


def test_nothing_is_written_after_a_stop(weights: Path, tmp_path: Path) -> None:
    options = ImportOptions(file=weights, out=tmp_path / "model", **KNOWN)
    with pytest.raises(StoppedError):
        import_model(options, Control(stop_requested=lambda: True))
    assert list(tmp_path.iterdir()) == []


def test_by_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "u2net.pth"
    torch.save(trained().state_dict(), path)
    words = ("models", "import", path, "--out", tmp_path / "model")
    assert run(monkeypatch, *words) == 2
    assert "--sequences t1ce,t2 (post-contrast T1, then T2)" in capsys.readouterr().err
    options = ("--sequences", "t1ce,t2", "--regions", "whole", "--size", "64", "--json")
    assert run(monkeypatch, *words, *options) == 0
    assert json.loads(capsys.readouterr().out)["norm_epsilon"] == 1e-5
    assert run(monkeypatch, "models", tmp_path / "model") == 0
    assert "u2net" in capsys.readouterr().out
    assert run(monkeypatch, "models") == 0
    assert "networks" in capsys.readouterr().out
