"""All engines through one suite, with PyTorch as the reference: the contract of ``Engine``."""

from __future__ import annotations

import gc
import io
import sys
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from gliomask.core.volume import FloatArray
from gliomask.errors import MachineError, ModelError
from gliomask.inference.engines.choice import EngineName, engine_statuses, open_engine
from gliomask.inference.engines.engine import Engine, usable_threads
from gliomask.inference.engines.mnn_child import SHAPE
from gliomask.inference.predictor import load_predictor
from gliomask.nets.cards import ModelCard
from gliomask.nets.graph import LOGITS
from gliomask.nets.specs import TORCH_EPSILON
from gliomask.nets.u2net import build_model
from gliomask.nets.weights import load_model, save_model

ENGINES: tuple[EngineName, ...] = ("mnn", "onnxruntime", "openvino", "torch")
TOLERANCE = 2e-3
"""Of a probability; the project's own bound."""


def probability(logits: FloatArray) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = 1 / (1 + np.exp(-logits.astype(np.float64)))
    return found


@cache
def settled(
    network: str, channels: int, regions: int, epsilon: float = TORCH_EPSILON
) -> torch.nn.Module:
    """Fresh weights and batch norms with statistics, so that no layer's output is negligible."""
    torch.manual_seed(3)
    model = build_model(
        network, in_channels=channels, out_channels=regions, epsilon=epsilon
    ).train()
    with torch.no_grad():
        for _ in range(12):
            model(torch.randn(4, channels, 64, 64))
        for name, parameter in model.named_parameters():
            if "bn_s1" in name:
                parameter.add_(0.2 * torch.randn_like(parameter))
    return model.eval()


def saved(
    folder: Path,
    network: str = "u2net-tiny",
    channels: int = 2,
    regions: int = 2,
    epsilon: float = TORCH_EPSILON,
) -> Path:
    names = ("whole", "core", "enhancing")[:regions]
    card = ModelCard(
        name="tiny",
        network=network,
        in_channels=channels,
        norm_epsilon=epsilon,
        regions=names,
        sequences=("t1", "t1ce", "t2", "flair")[:channels],
        size=64,
        preprocess={"version": 1},
        synthetic=True,
        trained_on="nothing",
        licence="none",
    )
    save_model(folder, settled(network, channels, regions, epsilon), card)  # type: ignore[arg-type]
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def reference(model: Path) -> Engine:
    return open_engine(model, "torch", "cpu").engine


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, model: Path) -> Engine:
    return open_engine(model, request.param, "cpu", threads=1).engine


def inputs(count: int, height: int = 64, width: int = 64, channels: int = 2) -> FloatArray:
    shape = (count, channels, height, width)
    return np.random.default_rng(5).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("height", "width"), [(64, 64), (32, 96), (61, 47)], ids=["square", "wide", "odd"]
)
def test_the_logits_of_the_reference(
    engine: Engine, reference: Engine, height: int, width: int
) -> None:
    batch = inputs(3, height, width)
    found, expected = engine.logits(batch), reference.logits(batch)
    assert found.dtype == np.float32
    assert found.shape == (3, 2, height, width)
    assert np.ptp(expected) > 0.5  # else any answer would do
    assert np.abs(found - expected).max() < TOLERANCE


@pytest.mark.parametrize("name", ENGINES)
def test_the_epsilon_of_the_card(tmp_path: Path, name: EngineName) -> None:
    """Weights from Keras have another one than PyTorch's; a large one shows in the numbers."""
    folder = saved(tmp_path / "model", epsilon=0.05)
    network, card = load_model(folder)
    batch = inputs(2)
    with torch.no_grad():
        expected = network(torch.from_numpy(batch))[0].numpy()
        for norm in network.modules():
            if isinstance(norm, torch.nn.BatchNorm2d):
                assert norm.eps == card.norm_epsilon == 0.05
                norm.eps = TORCH_EPSILON
        other = network(torch.from_numpy(batch))[0].numpy()
    assert np.abs(other - expected).max() > 4 * TOLERANCE
    found = open_engine(folder, name, "cpu", threads=1).engine.logits(batch)
    assert np.abs(found - expected).max() < TOLERANCE


def test_all_seven_maps(engine: Engine, reference: Engine) -> None:
    batch = inputs(2)
    found, expected = engine.maps(batch), reference.maps(batch)
    assert found.dtype == np.float32
    assert found.shape == (2, 7, 2, 64, 64)
    assert np.abs(found - expected).max() < TOLERANCE
    np.testing.assert_allclose(found[:, 0], engine.logits(batch), atol=1e-5)


def test_each_input_on_its_own(engine: Engine) -> None:
    batch = inputs(4)
    alone = np.concatenate([engine.logits(batch[k : k + 1]) for k in range(4)])
    np.testing.assert_allclose(engine.logits(batch), alone, atol=1e-4)


def test_a_view_with_strides(engine: Engine) -> None:
    batch = inputs(2)
    turned = np.flip(batch, -1)
    expected = engine.logits(np.ascontiguousarray(turned))
    np.testing.assert_allclose(engine.logits(turned), expected, atol=1e-5)


def test_an_answer_is_not_overwritten_by_the_next(engine: Engine) -> None:
    batch = inputs(2)
    first = engine.logits(batch[:1])
    kept = first.copy()
    engine.logits(batch[1:])
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("name", ENGINES)
def test_nothing_gets_into_the_standard_output(
    name: EngineName, model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    open_engine(model, name, "cpu", threads=1).engine.logits(inputs(1))
    assert capfd.readouterr().out == ""


@pytest.mark.slow
@pytest.mark.parametrize("network", ["u2netp", "u2net"])
def test_the_large_networks(network: str, tmp_path: Path) -> None:
    folder = saved(tmp_path / "model", network, channels=3, regions=1)
    batch = inputs(1, channels=3)
    expected = open_engine(folder, "torch", "cpu").engine.maps(batch)
    assert np.ptp(expected) > 0.5
    for name in ENGINES[:-1]:
        found = open_engine(folder, name, "cpu", threads=2).engine.maps(batch)
        assert np.abs(probability(found) - probability(expected)).max() < TOLERANCE


def test_the_fastest_is_taken(model: Path) -> None:
    opened = open_engine(model, device="cpu")
    assert opened.engine.name.startswith("MNN")
    assert opened.note == ""
    assert opened.card.name == "tiny"


def test_a_missing_runtime_is_passed_over_and_told(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("mnn", "openvino", "onnx_runtime"):
        name = f"gliomask.inference.engines.{module}"
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.setitem(sys.modules, name, None)
    opened = open_engine(model, device="cpu")
    assert opened.engine.name.startswith("torch")
    assert "the engine mnn can't be used" in opened.note
    assert "\n" not in opened.note
    predictor = load_predictor(model, "cpu")
    assert predictor.note == opened.note
    with pytest.raises(MachineError, match=r"the engine mnn can't be used.*pip install MNN"):
        open_engine(model, "mnn", "cpu")


def test_a_child_that_dies_is_told(model: Path) -> None:
    engine = open_engine(model, "mnn", "cpu", threads=1).engine
    runner = engine._free.get()  # type: ignore[attr-defined]
    runner._process.kill()
    engine._free.put(runner)  # type: ignore[attr-defined]
    with pytest.raises(MachineError, match=r"MNN's process ended unexpectedly \(code -9\)"):
        engine.logits(inputs(1))


def test_a_child_that_dies_while_it_answers_is_reported(model: Path) -> None:
    engine = open_engine(model, "mnn", "cpu", threads=1).engine
    runner = engine._free.get()  # type: ignore[attr-defined]
    runner._process.kill()
    runner._requests = io.BytesIO()
    runner._responses = io.BytesIO(SHAPE.pack(1, 2, 64, 64, 1) + bytes(100))
    with pytest.raises(MachineError, match=r"MNN's process ended unexpectedly \(code -9\)"):
        runner(inputs(1), LOGITS)


def test_children_end_with_their_engine(model: Path) -> None:
    engine = open_engine(model, "mnn", "cpu", threads=2).engine
    runners = [engine._free.get() for _ in range(2)]  # type: ignore[attr-defined]
    processes = [runner._process for runner in runners]
    assert [process.poll() for process in processes] == [None, None]
    del engine, runners
    gc.collect()
    assert all(process.poll() is not None for process in processes)


def test_a_network_that_mnn_cannot_convert(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "gliomask.inference.engines.mnn.network_graph", lambda arrays, card: b"no network"
    )
    with pytest.raises(MachineError, match="MNN can't read the network"):
        open_engine(model, "mnn", "cpu", threads=1)
    assert open_engine(model, device="cpu").note.startswith("MNN can't read the network")


def test_damaged_weights_are_no_reason_for_another_engine(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model")
    data = bytearray((folder / "weights.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(data)
    for name in ("auto", *ENGINES):
        with pytest.raises(ModelError, match="checksum"):
            open_engine(folder, name, "cpu")


def test_only_torch_runs_on_a_gpu(model: Path) -> None:
    with pytest.raises(MachineError, match="only torch runs on a GPU"):
        open_engine(model, "mnn", "cuda")


def test_every_engine_is_there_in_development() -> None:
    statuses = {status.name: status for status in engine_statuses()}
    assert tuple(statuses) == ENGINES
    for status in statuses.values():
        assert status.version, status
        assert status.problem == "", status


def test_the_threads_that_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert usable_threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "no number")
    assert usable_threads() >= 1
