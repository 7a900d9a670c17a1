"""Training and prediction show a network the same numbers of the same case: the difference is 0."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.core.slices import to_slices
from gliomask.core.volume import FloatArray
from gliomask.inference.predictor import Predictor
from gliomask.learning.catalogue import list_slices
from gliomask.learning.dataset import StoreSlices
from gliomask.store.store import Store, open_store
from gliomask.studies.one_grid import load_on_one_grid
from gliomask.workflows.prepare import PrepareOptions, prepare
from tests.fakes import BrightEngine, fake_card, head_labels, head_volume, write_head
from tests.finding import find_studies

ORDERS = [((0, 1, 2), ()), ((2, 0, 1), (1,)), ((1, 0, 2), (0, 2)), ((2, 1, 0), (0, 1, 2))]
NAME = "BraTS-GLI-0000{}-000"
SIZE = 27
"""Of the network's grid: no divisor of the head's sides, so that slices are interpolated."""


class Watched(BrightEngine):
    """Keeps what the network was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs: list[FloatArray] = []

    def logits(self, inputs: FloatArray) -> FloatArray:
        self.inputs.append(inputs.copy())
        return super().logits(inputs)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The head four times, its axes in another order each time, and a store of them."""
    root = tmp_path_factory.mktemp("same")
    for number, (axes, flips) in enumerate(ORDERS):
        volume, labels = head_volume(axes, flips), head_labels(axes, flips)
        write_head(root / "data", NAME.format(number), volume, labels)
    keys = {"sources": (root / "data",), "out": root / "store", "workers": 1, "folds": 2}
    prepare(PrepareOptions.model_validate(keys))
    return root


@pytest.fixture
def store(folder: Path) -> Store:
    return open_store(folder / "store")


@pytest.mark.parametrize("number", range(len(ORDERS)))
def test_the_store_holds_what_prediction_makes(folder: Path, store: Store, number: int) -> None:
    name = NAME.format(number)
    (case,) = find_studies((folder / "data" / name,))
    stack = to_slices(load_on_one_grid(case).volume)
    kept = store.stack(name)
    np.testing.assert_array_equal(kept.array, stack.array)
    assert kept.sequences == stack.sequences
    assert kept.record.box == stack.record.box
    np.testing.assert_array_equal(kept.record.affine, stack.record.affine)
    np.testing.assert_array_equal(kept.array, store.stack(NAME.format(0)).array)


@pytest.mark.parametrize("number", range(len(ORDERS)))
def test_the_network_is_shown_the_same(folder: Path, store: Store, number: int) -> None:
    name = NAME.format(number)
    catalogue = list_slices(store, (name,), ("t1", "flair"), all_needed=True)
    rows = np.arange(len(catalogue))
    trained, _ = StoreSlices(store, catalogue, SIZE, ("whole",)).fetch(rows)
    (case,) = find_studies((folder / "data" / name,))
    engine = Watched()
    Predictor(engine, fake_card(size=SIZE)).predict(load_on_one_grid(case).volume)
    predicted = np.concatenate(engine.inputs)
    assert predicted.std() > 0.5
    np.testing.assert_array_equal(trained.numpy().astype(np.float32), predicted)
