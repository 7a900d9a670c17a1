"""The PyTorch engine and the loading of a run folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gliomask.core.slices import VERSION
from gliomask.core.volume import Volume
from gliomask.errors import MachineError, ModelError
from gliomask.inference.engines.pytorch import TorchEngine
from gliomask.inference.predictor import load_predictor
from gliomask.nets.cards import ModelCard
from gliomask.nets.u2net import U2Net, build_model
from gliomask.nets.weights import save_model


@pytest.fixture
def model() -> U2Net:
    torch.manual_seed(0)
    return build_model("u2net-tiny", in_channels=2, out_channels=1)


def inputs(n: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(n, 2, 32, 32)).astype(np.float32)


def test_gives_the_fused_logits(model: U2Net) -> None:
    batch = inputs(3)
    model.eval()
    with torch.no_grad():
        expected = model(torch.from_numpy(batch))[0].numpy()
    found = TorchEngine(model, "cpu").logits(batch)
    assert found.dtype == np.float32
    assert found.shape == (3, 1, 32, 32)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_gives_the_side_maps_after_the_fused_one(model: U2Net) -> None:
    batch = inputs(3)
    model.eval()
    with torch.no_grad():
        expected = [found.numpy() for found in model(torch.from_numpy(batch))]
    engine = TorchEngine(model, "cpu")
    found = engine.maps(batch)
    assert found.dtype == np.float32
    assert found.shape == (3, 7, 1, 32, 32)
    for k, one in enumerate(expected):
        np.testing.assert_allclose(found[:, k], one, atol=1e-4)
    np.testing.assert_array_equal(found[:, 0], engine.logits(batch))


def test_each_input_on_its_own(model: U2Net) -> None:
    engine = TorchEngine(model, "cpu")
    batch = inputs(4)
    alone = np.concatenate([engine.logits(batch[k : k + 1]) for k in range(4)])
    np.testing.assert_allclose(engine.logits(batch), alone, atol=1e-4)


def test_no_such_device(model: U2Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(MachineError, match="no CUDA device"):
        TorchEngine(model, "cuda")
    assert TorchEngine(model, "auto").name.endswith("on cpu")


def saved(folder: Path, model: U2Net, version: int = VERSION) -> Path:
    card = ModelCard(
        name="tiny",
        network="u2net-tiny",
        in_channels=2,
        regions=("whole",),
        sequences=("t1", "flair"),
        size=32,
        preprocess={"version": version},
        synthetic=True,
        trained_on="nothing",
        licence="none",
    )
    save_model(folder, model, card)
    return folder


def test_a_run_folder_predicts(tmp_path: Path, model: U2Net) -> None:
    predictor = load_predictor(saved(tmp_path / "run", model), "cpu")
    array = np.random.default_rng(2).normal(100, 20, (2, 20, 24, 5)).astype(np.float32)
    found = predictor.predict(Volume(array, np.eye(4), ("t1", "flair")), "one")
    assert found.mask.shape == (20, 24, 5)
    assert found.case == "one"
    assert found.model == "tiny"
    assert found.provenance["weights_sha256"] == predictor.card.weights_sha256


def test_damaged_weights_are_refused(tmp_path: Path, model: U2Net) -> None:
    run = saved(tmp_path / "run", model)
    data = bytearray((run / "weights.safetensors").read_bytes())
    data[-1] ^= 1
    (run / "weights.safetensors").write_bytes(data)
    with pytest.raises(ModelError, match="checksum"):
        load_predictor(run)


def test_another_preprocessing_is_refused(tmp_path: Path, model: U2Net) -> None:
    with pytest.raises(ModelError, match="another preprocessing"):
        load_predictor(saved(tmp_path / "run", model, VERSION + 1))


@pytest.mark.gpu
def test_the_gpu_agrees_with_the_cpu(model: U2Net) -> None:
    batch = inputs(4)
    cpu, gpu = TorchEngine(model, "cpu").logits(batch), TorchEngine(model, "cuda").logits(batch)
    np.testing.assert_allclose(cpu, gpu, atol=1e-2)
