"""Files written by Keras 3 itself give a network that answers as Keras does.

Keras runs here on its PyTorch back end; it is a reference in tests and no dependency. Without it
these tests skip, and Keras 2's own layout is tested in ``test_keras_order`` all the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from torch.nn import BatchNorm2d

from gliomask.errors import ModelError
from gliomask.nets.foreign.keras import read_keras
from gliomask.nets.foreign.read import read_foreign
from tests.nets.foreign.keras_u2net import KerasU2Net, Style, fill
from tests.nets.foreign.nets import Numbers, answers, image, one_line, rebuilt

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras' own
]
SIDE = 64
TOLERANCE = 2e-5
"""Of a logit: both compute in single precision, in another order."""


@pytest.fixture(scope="module")
def keras() -> Any:
    os.environ["KERAS_BACKEND"] = "torch"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    found = pytest.importorskip("keras", reason="Keras is not installed: pip install keras")
    if found.backend.backend() != "torch":
        pytest.skip(f"Keras runs on {found.backend.backend()} here")
    return found


@dataclass(frozen=True)
class Port:
    """A model of Keras and its answer: (7, N, R, H, W) probabilities."""

    model: Any
    answer: Numbers


def port(keras: Any, style: Style, channels: int = 2, regions: int = 1) -> Port:
    model = KerasU2Net(keras, style).build("u2net-tiny", channels, regions, SIDE)
    fill(model)
    inputs = image(channels, SIDE).transpose(0, 2, 3, 1)
    outputs = [keras.ops.convert_to_numpy(one) for one in model(inputs, training=False)]
    return Port(model, np.stack(outputs).transpose(0, 1, 4, 2, 3))


@pytest.fixture(scope="module")
def plain(keras: Any) -> Port:
    return port(keras, Style())


def legacy_weights(model: Any, path: Path) -> None:
    """``save_weights`` of Keras 2, by the code with which Keras 3 still writes such files."""
    name = "keras.src.legacy.saving.legacy_h5_format"
    with h5py.File(path, "w") as file:
        import_module(name).save_weights_to_hdf5_group(file, model)


def without_names(model: Any, path: Path) -> None:
    """``.weights.h5`` of the first Keras 3, which kept no names."""
    model.save_weights(path)
    with h5py.File(path, "r+") as file:
        file.visititems(lambda _, found: found.attrs.pop("name", None) and None)


def saved(model: Any, path: Path) -> None:
    model.save(path)


def saved_weights(model: Any, path: Path) -> None:
    model.save_weights(path)


def assert_same(path: Path, due: Port, channels: int = 2) -> None:
    found = answers(rebuilt(read_foreign(path)), image(channels, SIDE))
    expected = np.log(due.answer / (1 - due.answer))
    assert np.ptp(expected) > 1  # else any network would do
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)


@pytest.mark.parametrize(
    ("write", "name", "layout", "proved"),
    [
        (saved, "a.keras", "Keras 3 model (.keras)", True),
        (saved, "a.h5", "Keras model in HDF5", True),
        (saved_weights, "a.weights.h5", "Keras 3 weights", False),
        (without_names, "b.weights.h5", "Keras 3 weights", False),
        (legacy_weights, "c.h5", "Keras 2 weights", False),
    ],
)
def test_every_layout_answers_as_keras(
    plain: Port,
    tmp_path: Path,
    write: Callable[[Any, Path], None],
    name: str,
    layout: str,
    proved: bool,
) -> None:
    path = tmp_path / name
    write(plain.model, path)
    found = read_keras(path)
    assert (found.layout, found.proved, found.epsilon) == (layout, proved, 1e-3)
    assert found.size == (SIDE if proved else None)
    assert_same(path, plain)


def test_pytorchs_epsilon_would_give_another_answer(plain: Port, tmp_path: Path) -> None:
    plain.model.save(tmp_path / "a.keras")
    found = rebuilt(read_keras(tmp_path / "a.keras"))
    right = answers(found, image(2, SIDE))
    for module in found.modules():
        if isinstance(module, BatchNorm2d):
            module.eps = 1e-5
    assert np.abs(answers(found, image(2, SIDE)) - right).max() > 100 * TOLERANCE


@pytest.mark.parametrize(
    "style",
    [
        Style(skip_first=True),
        Style(bias=False, sides=(4, 1, 6, 2, 5, 3)),
        Style(epsilon=0.01),
    ],
    ids=["skip connections first", "no bias, heads in any order", "another epsilon"],
)
def test_the_graph_tells_what_a_port_does_otherwise(
    keras: Any, tmp_path: Path, style: Style
) -> None:
    made = port(keras, style, channels=3, regions=2)
    made.model.save(tmp_path / "port.keras")
    found = read_keras(tmp_path / "port.keras")
    assert found.proved
    assert found.epsilon == (style.epsilon or 1e-3)
    assert (found.kind.in_channels, found.kind.regions) == (3, 2)
    assert_same(tmp_path / "port.keras", made, channels=3)


def test_a_port_that_computes_something_else_is_refused(keras: Any, tmp_path: Path) -> None:
    path = tmp_path / "port.keras"
    KerasU2Net(keras, Style(interpolation="nearest")).build("u2net-tiny", 1, 1, SIDE).save(path)
    with pytest.raises(ModelError) as caught:
        read_keras(path)
    text = one_line(caught.value, path)
    assert text.startswith("its graph is not that of u2net-tiny: it would compute something else (")
    assert "resizing nearest, allowed " in text
    assert "resizing bilinear" in text
