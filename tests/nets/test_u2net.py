"""The network agrees with the authors', for any channels, regions and size."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from gliomask.errors import ConfigError
from gliomask.nets.u2net import U2Net, build_model

GOLDEN = Path(__file__).parent / "golden"
Numbers = npt.NDArray[Any]


def golden(network: str) -> dict[str, Numbers]:
    with np.load(GOLDEN / f"{network}_official.npz") as stored:
        return dict(stored)


def normal(seed: int, shape: tuple[int, ...]) -> Numbers:
    # The golden maps were made with this generator: no other gives the same numbers.
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def drawn(name: str, shape: tuple[int, ...]) -> Numbers:
    """An entry of the state dict by the rule with which the golden maps were made."""
    if name.endswith("num_batches_tracked"):
        return np.zeros((), np.int64)
    n = normal(zlib.crc32(name.encode()), shape)
    if name.endswith("running_var"):
        return 1 + 0.1 * np.abs(n)
    if n.ndim == 4:
        return n * np.float32(np.sqrt(2 / np.prod(shape[1:])))
    if name.endswith(".bn_s1.weight"):
        return 1 + 0.1 * n
    return 0.1 * n


def fill(model: U2Net) -> U2Net:
    for name, value in model.state_dict().items():
        value.copy_(torch.from_numpy(drawn(name, tuple(value.shape))))
    return model.eval()


def tiny(in_channels: int = 1, out_channels: int = 1) -> U2Net:
    torch.manual_seed(0)
    return build_model("u2net-tiny", in_channels=in_channels, out_channels=out_channels)


@pytest.mark.parametrize(
    ("network", "channels"),
    [
        ("u2netp", 1),
        ("u2netp", 3),
        ("u2netp", 4),
        ("u2net", 3),
        pytest.param("u2net", 1, marks=pytest.mark.slow),
        pytest.param("u2net", 4, marks=pytest.mark.slow),
    ],
)
def test_all_seven_maps_are_the_authors(network: str, channels: int) -> None:
    known = golden(network)
    x = normal(7, tuple(known[f"c{channels}/input_shape"]))
    model = fill(build_model(network, in_channels=channels, out_channels=1))
    with torch.inference_mode():
        maps = model(torch.from_numpy(x))
    assert len(maps) == 7
    for number, found in enumerate(maps):
        np.testing.assert_allclose(
            found.numpy(), known[f"c{channels}/d{number}"], rtol=0, atol=1e-3
        )


@pytest.mark.parametrize("network", ["u2net", "u2netp"])
def test_names_and_shapes_are_the_authors_in_their_order(network: str) -> None:
    with torch.device("meta"):
        entries = build_model(network, in_channels=4, out_channels=1).state_dict()
    known = golden(network)
    assert list(entries) == known["keys"].tolist()
    assert [str(tuple(entry.shape)) for entry in entries.values()] == known["shapes_c4"].tolist()


@pytest.mark.parametrize(
    ("network", "parameters"),
    [("u2net", 44_009_869), ("u2netp", 1_131_181), ("u2net-tiny", 96_469)],
)
def test_number_of_parameters(network: str, parameters: int) -> None:
    with torch.device("meta"):
        model = build_model(network, in_channels=3, out_channels=1)
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (2, 3), (31, 33), (65, 97)])
def test_any_size_comes_out_as_it_went_in(size: tuple[int, int]) -> None:
    with torch.inference_mode():
        maps = tiny(2, 3).eval()(torch.randn(2, 2, *size))
    assert [tuple(found.shape) for found in maps] == [(2, 3, *size)] * 7
    assert all(bool(found.isfinite().all()) for found in maps)


@pytest.mark.parametrize("training", [True, False])
def test_outputs_are_logits_in_training_and_in_evaluation(training: bool) -> None:
    model = tiny().train(training)
    with torch.no_grad():
        model.get_parameter("outconv.bias").fill_(-7.0)
        model.get_parameter("outconv.weight").zero_()
        model.get_parameter("side1.bias").fill_(9.0)
        model.get_parameter("side1.weight").zero_()
        fused, finest, *_ = model(torch.randn(2, 1, 16, 16))
    assert fused.unique().tolist() == [-7.0]
    assert finest.unique().tolist() == [9.0]


def test_the_smallest_side_that_trains_alone_is_33() -> None:
    model = tiny().train()
    assert model(torch.randn(1, 1, 33, 1))[0].shape == (1, 1, 33, 1)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        model(torch.randn(1, 1, 32, 32))


def test_a_gradient_reaches_every_parameter() -> None:
    model = tiny(2, 3).train()
    loss: Tensor = sum(
        (found.square().mean() for found in model(torch.randn(2, 2, 40, 40))), torch.zeros(())
    )
    torch.autograd.backward(loss)
    silent = [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or not bool(parameter.grad.any())
    ]
    # A bias before a batch norm is taken away again by the norm: its gradient may be exactly 0.
    assert [name for name in silent if not name.endswith("conv_s1.bias")] == []
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_the_fused_map_mixes_the_six_others_by_hand() -> None:
    model = tiny(1, 2).eval()
    with torch.inference_mode():
        fused, *others = model(torch.randn(1, 1, 20, 20))
        weight, bias = model.outconv.weight[:, :, 0, 0], model.get_parameter("outconv.bias")
    # Channel k * regions + r is region r of map k.
    stacked = torch.stack(others, dim=1).reshape(1, 12, 20, 20)
    expected = torch.einsum("oc,nchw->nohw", weight, stacked) + bias[:, None, None]
    torch.testing.assert_close(fused, expected)


@pytest.mark.slow
def test_the_network_can_be_exported_for_any_batch() -> None:
    model = tiny(2, 1).eval()
    batch = torch.export.Dim("batch")
    program = torch.export.export(
        model, (torch.randn(2, 2, 33, 20),), dynamic_shapes=({0: batch},), strict=False
    )
    x = torch.randn(3, 2, 33, 20)
    with torch.inference_mode():
        for found, expected in zip(program.module()(x), model(x), strict=True):
            torch.testing.assert_close(found, expected)


def test_a_network_without_channels_or_regions_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"in_channels=0, allowed 1 or more"):
        build_model("u2netp", in_channels=0, out_channels=1)
    with pytest.raises(ConfigError, match=r"out_channels=-1, allowed 1 or more"):
        build_model("u2netp", in_channels=1, out_channels=-1)
    with pytest.raises(ConfigError, match=r"did you mean 'u2net-tiny'"):
        build_model("u2net-tinny", in_channels=1, out_channels=1)
