"""Keras 2's weights files: matched by order, or asked about; hostile ones are refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from gliomask.errors import ConfigError, ModelError, QuestionError
from gliomask.nets.foreign.keras import read_keras
from gliomask.nets.foreign.read import read_foreign
from tests.nets.foreign.keras2 import Layers, layers, write
from tests.nets.foreign.nets import answers, arrays_of, image, one_line, rebuilt, trained

ARRAYS = arrays_of(trained(epsilon=1e-3))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("whole") / "u2net.h5", layers(ARRAYS))


@pytest.fixture
def tiny(tmp_path: Path, whole: Path) -> Path:
    """A file of its own that may be changed."""
    return Path(shutil.copy(whole, tmp_path / "u2net.h5"))


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        read_keras(path)
    return one_line(caught.value, path)


def test_a_file_of_weights_gives_the_same_network(whole: Path) -> None:
    found = read_foreign(whole)
    kind = found.kind
    assert (kind.spec.name, kind.in_channels, kind.regions) == ("u2net-tiny", 2, 1)
    assert (found.epsilon, found.proved, found.size) == (1e-3, False, None)
    assert found.arrays.keys() == ARRAYS.keys()
    for name, values in found.arrays.items():
        np.testing.assert_array_equal(values, ARRAYS[name], name)
    due = answers(trained(epsilon=1e-3), image())
    np.testing.assert_array_equal(answers(rebuilt(found), image()), due)


def test_the_numbers_of_a_second_model_go_on(tmp_path: Path) -> None:
    found = read_keras(write(tmp_path / "second.h5", layers(ARRAYS, first=119)))
    np.testing.assert_array_equal(found.arrays["side6.weight"], ARRAYS["side6.weight"])


def test_heads_made_deepest_first_are_known_by_their_shapes(tmp_path: Path) -> None:
    """The tiny network's side outputs read 8, 8, 16, 16, 16 and 16 channels."""
    found = read_keras(write(tmp_path / "u2net.h5", layers(ARRAYS, sides=(6, 5, 4, 3, 2, 1))))
    for name, values in found.arrays.items():
        np.testing.assert_array_equal(values, ARRAYS[name], name)


def test_heads_in_an_order_that_nobody_uses_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "u2net.h5", layers(ARRAYS, sides=(1, 6, 2, 5, 3, 4)))
    assert refusal(path).startswith(
        "its side outputs are in no known order (u2net-tiny) "
        "(channels that they read=8, 16, 8, 16, 16, 16, allowed 8, 8, 16, 16, 16, 16 or 16, 16, "
    )
    found = read_keras(path, (1, 6, 2, 5, 3, 4))
    np.testing.assert_array_equal(found.arrays["side6.weight"], ARRAYS["side6.weight"])


def test_the_small_network_needs_the_order_of_its_heads(tmp_path: Path) -> None:
    """All heads of U2NETP read 64 channels."""
    arrays = arrays_of(trained("u2netp", 1))
    path = write(tmp_path / "u2netp.h5", layers(arrays, sides=(6, 5, 4, 3, 2, 1)))
    with pytest.raises(QuestionError) as caught:
        read_keras(path)
    assert [answer for answer, _ in caught.value.answers] == ["1,2,3,4,5,6", "6,5,4,3,2,1"]
    found = read_keras(path, (6, 5, 4, 3, 2, 1))
    assert found.kind.spec.name == "u2netp"
    for name, values in found.arrays.items():
        np.testing.assert_array_equal(values, arrays[name], name)
    with pytest.raises(ConfigError, match="not an order of the side outputs"):
        read_keras(path, (1, 1, 2, 3, 4, 5))


def test_what_a_layer_was_made_without(tmp_path: Path) -> None:
    """``use_bias=False``, ``scale=False``, ``center=False``: no bias, gains of 1, no shifts."""
    content = layers(ARRAYS)
    for name, of in content.items():
        of.pop("bias", None)
        if name.startswith("batch"):
            del of["gamma"], of["beta"]
    found = read_keras(write(tmp_path / "u2net.h5", content)).arrays
    assert not found["stage3.rebnconv2.conv_s1.bias"].any()
    assert not found["stage3.rebnconv2.bn_s1.bias"].any()
    assert (found["stage3.rebnconv2.bn_s1.weight"] == 1).all()


def without_last_norm(content: Layers) -> None:
    del content["batch_normalization_111"]


def swapped(content: Layers) -> None:
    """The 8 to 4 and the 4 to 4 convolution of the first block change places."""
    content["conv2d_1"], content["conv2d_2"] = content["conv2d_2"], content["conv2d_1"]


def other_norm(content: Layers) -> None:
    one = content["batch_normalization_3"]
    content["batch_normalization_3"] = {key: np.ones(9, np.float32) for key in one}


def not_finite(content: Layers) -> None:
    content["conv2d_5"]["kernel"][0, 0, 0, 0] = np.nan


def short_bias(content: Layers) -> None:
    content["conv2d_4"]["bias"] = np.zeros(3, np.float32)


def another(content: Layers) -> None:
    kernel = np.zeros((3, 3, 4, 64), np.float32)
    norm = content["batch_normalization"]
    content.clear()
    content["conv2d"] = {"kernel": kernel, "bias": np.zeros(64, np.float32)}
    content["batch_normalization"] = norm
    content["dense"] = {"kernel": np.zeros((128, 10), np.float32)}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (without_last_norm, "not the batch norms of u2net-tiny (batch norms=111, allowed 112)"),
        (swapped, "the order of its layers differs from that of u2net-tiny (conv2d_1=4x4x3x3, "),
        (other_norm, "its batch norms do not follow its convolutions as in u2net-tiny (batch_norm"),
        (not_finite, "the weights contain NaN or infinity in 'stage1.rebnconv5.conv_s1.weight'"),
        (short_bias, "the bias of a layer does not fit (conv2d_4/conv2d_4=3, allowed 4)"),
        (
            another,
            "not the weights of a U²-Net (layers=1 convolutions (first 3x3x4x64), "
            "1 batch norms, 1 others (first 128x10), allowed the 119 convolutions and 112 batch "
            "norms of u2net or u2netp)",
        ),
    ],
)
def test_other_files_are_refused_with_the_reason(
    tmp_path: Path, change: Callable[[Layers], None], text: str
) -> None:
    content = {name: {k: v.copy() for k, v in of.items()} for name, of in layers(ARRAYS).items()}
    change(content)
    shown = refusal(write(tmp_path / "u2net.h5", content))
    assert text in shown


KERNEL = "conv2d_5/conv2d_5/kernel:0"


def outside_link(file: h5py.File, folder: Path) -> None:
    del file[KERNEL]
    file[KERNEL] = h5py.ExternalLink(str(folder / "other.h5"), KERNEL)


def soft_link(file: h5py.File, folder: Path) -> None:
    del file[KERNEL]
    file[KERNEL] = h5py.SoftLink("/conv2d_6/conv2d_6/kernel:0")


def outside_data(file: h5py.File, folder: Path) -> None:
    (folder / "raw").write_bytes(bytes(4096))
    shape = file[KERNEL].shape
    del file[KERNEL]
    whole = [(str(folder / "raw"), 0, h5py.h5f.UNLIMITED)]
    file.create_dataset(KERNEL, shape, "f4", external=whole)


def virtual(file: h5py.File, folder: Path) -> None:
    shape = file[KERNEL].shape
    del file[KERNEL]
    layout = h5py.VirtualLayout(shape, "f4")
    layout[...] = h5py.VirtualSource(str(folder / "other.h5"), KERNEL, shape)
    file.create_virtual_dataset(KERNEL, layout)


def huge(file: h5py.File, folder: Path) -> None:
    """A terabyte is declared and nothing is stored (CVE-2026-0897)."""
    del file[KERNEL]
    file.create_dataset(KERNEL, (3, 3, 10**6, 10**5), "f4", chunks=(3, 3, 64, 64), compression=9)


def huge_chunk(file: h5py.File, folder: Path) -> None:
    """The right shape, kept in one chunk that unpacks to 64 MiB."""
    values = file[KERNEL][()]
    del file[KERNEL]
    grows = (None, None, *values.shape[2:])
    chunks = (1024, 1024, *values.shape[2:])
    file.create_dataset(KERNEL, data=values, maxshape=grows, chunks=chunks, compression="gzip")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (outside_link, "not the weights of a U²-Net"),
        (soft_link, "not the weights of a U²-Net"),
        (outside_data, "=outside this file"),
        (virtual, "=outside this file"),
        (huge, "not the weights of a U²-Net"),
        (huge_chunk, "gzip, chunks of 16777216"),
    ],
)
def test_hdf5_that_leads_elsewhere_or_swells_is_not_followed(
    tmp_path: Path, tiny: Path, change: Callable[[h5py.File, Path], None], text: str
) -> None:
    with h5py.File(tiny, "r+") as file:
        change(file, tmp_path)
    assert text in refusal(tiny)


def test_a_group_that_holds_itself_ends(tiny: Path) -> None:
    with h5py.File(tiny, "r+") as file:
        file["conv2d/again"] = file["conv2d"]
    assert refusal(tiny) == "contains more objects than weights have"


@pytest.mark.parametrize("keep", [0, 7, 8, 600, 20_000])
def test_damage_is_one_line(tiny: Path, keep: int) -> None:
    tiny.write_bytes(tiny.read_bytes()[:keep])
    with pytest.raises(ModelError) as caught:
        read_foreign(tiny)
    assert one_line(caught.value, tiny)


def test_hdf5_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["cjdata/image"] = np.ones((3, 3))
    assert refusal(path).startswith("an HDF5 file, but not weights of Keras (groups=cjdata")
