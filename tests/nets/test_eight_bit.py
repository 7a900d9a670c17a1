"""8-bit weights: numbers by hand, a network there and back, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from gliomask.errors import ModelError
from gliomask.nets.arrays import WEIGHTS_FILE, read_arrays
from gliomask.nets.eight_bit import SCALE, pack, unpack
from gliomask.nets.weights import load_model, save_model
from tests.nets.test_weights import card, reseal, tiny


def test_by_hand() -> None:
    """The largest of a channel becomes 127; half a step is the most that is lost."""
    weights = np.zeros((3, 1, 1, 3), np.float32)
    weights[0] = [2.54, -1.27, 0.011]
    weights[1] = [-127, 1.4, 1.6]
    packed = pack({"w": weights, "bias": np.array([0.3], np.float32)})
    assert packed["w"].dtype == np.int8
    assert packed["w"][:, 0, 0].tolist() == [[127, -64, 1], [-127, 1, 2], [0, 0, 0]]
    assert packed["w" + SCALE].tolist() == pytest.approx([0.02, 1, 1])
    plain = unpack(packed)
    assert sorted(plain) == ["bias", "w"]
    assert plain["bias"].tolist() == [np.float32(0.3)]
    assert plain["w"][0, 0, 0] == pytest.approx([2.54, -1.28, 0.02])


def test_nothing_and_plain_weights_stay() -> None:
    assert pack({}) == unpack({}) == {}
    plain = {"w": np.ones((1, 1, 3, 3), np.float32), "n": np.asarray(3)}
    assert unpack(plain).keys() == plain.keys()
    assert unpack(plain)["w"] is plain["w"]


def test_a_network_comes_back_within_half_a_step(tmp_path: Path) -> None:
    network = tiny()
    whole = save_model(tmp_path / "whole", network, card())
    small = save_model(tmp_path / "small", network, card(), eight_bit=True)
    assert whole.weights_sha256 != small.weights_sha256
    sizes = [(tmp_path / name / WEIGHTS_FILE).stat().st_size for name in ("whole", "small")]
    assert sizes[1] < 0.5 * sizes[0]
    back = load_model(tmp_path / "small")[0].state_dict()
    for name, tensor in network.state_dict().items():
        read = back[name]
        assert read.dtype == tensor.dtype
        if tensor.ndim == 4:
            step = tensor.abs().amax(dim=(1, 2, 3), keepdim=True) / 127
            assert bool(((read - tensor).abs() <= 0.5001 * step).all())
        else:
            assert torch.equal(read, tensor)
    arrays, _ = read_arrays(tmp_path / "small")
    assert all(np.array_equal(arrays[n], t.numpy()) for n, t in back.items())


def test_packing_twice_changes_nothing(tmp_path: Path) -> None:
    first = save_model(tmp_path / "a", tiny(), card(), eight_bit=True)
    network, read = load_model(tmp_path / "a")
    second = save_model(tmp_path / "b", network, read, eight_bit=True)
    assert first.weights_sha256 == second.weights_sha256


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        (lambda a: a | {"side1.weight" + SCALE: np.ones(2, np.float32)}, "unknown entry"),
        (lambda a: a | {"side1.bias" + SCALE: np.ones(1, np.float32)}, "unknown entry"),
        (lambda a: {n: v for n, v in a.items() if n != "side1.weight" + SCALE}, "int8"),
        (lambda a: a | {"side1.weight" + SCALE: np.array([np.nan], np.float32)}, "NaN or infinity"),
    ],
)
def test_scales_that_do_not_fit_are_refused(tmp_path: Path, broken: object, text: str) -> None:
    save_model(tmp_path, tiny(), card(), eight_bit=True)
    assert callable(broken)
    save_file(broken(load_file(tmp_path / WEIGHTS_FILE)), tmp_path / WEIGHTS_FILE)
    reseal(tmp_path)
    with pytest.raises(ModelError, match=text):
        load_model(tmp_path)
