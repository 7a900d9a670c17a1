"""Slices from memory and from the store are the same numbers on the network's grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gliomask.core.labels import CAVITY, ENHANCING, NECROSIS, OEDEMA
from gliomask.core.resample import fit
from gliomask.errors import StoreError
from gliomask.jobs.control import SILENT, Control
from gliomask.learning.catalogue import list_slices
from gliomask.learning.dataset import (
    StoreSlices,
    keep,
    needed_bytes,
    region_bits,
    region_maps,
)
from gliomask.store.patient import patient_path
from tests.heard import Heard
from tests.learning.stores import SEQUENCES, write_store


@pytest.fixture
def lazy(tmp_path: Path) -> StoreSlices:
    store = write_store(tmp_path, train=2, validation=1, lacking=[1])
    catalogue = list_slices(store, ("case0", "case1"), SEQUENCES, all_needed=False)
    return StoreSlices(store, catalogue, 16, ("whole",))


def test_kept_slices_are_the_slices_of_the_store(lazy: StoreSlices) -> None:
    heard = Heard()
    kept = keep(lazy, torch.device("cpu"), 2, Control(heard))
    rows = np.array([7, 0, 3])
    for ours, theirs in zip(kept.fetch(rows), lazy.fetch(rows), strict=True):
        assert torch.equal(ours, theirs)
        assert ours.dtype == theirs.dtype
    assert sum(heard.steps) == pytest.approx(2)
    assert "in memory" in kept.where
    assert kept.images.nbytes + kept.bits.nbytes == needed_bytes(lazy.catalogue, 16)


def test_slices_are_fitted_like_those_of_prediction(lazy: StoreSlices) -> None:
    images, bits = lazy.fetch(np.array([2]))
    case = lazy.catalogue.cases[0]
    expected = fit(lazy.store.images("case0", [2]), case.pixel_mm, 16)
    np.testing.assert_array_equal(images.numpy(), expected.astype(np.float16))
    assert images.shape == (1, 2, 16, 16)
    assert bits.shape == (1, 16, 16)
    assert 10 < int(bits.sum()) < 60  # 10 x 10 pixels of 32 x 32 at half the resolution


def test_an_absent_sequence_is_zero(lazy: StoreSlices) -> None:
    images, _ = lazy.fetch(np.array([6]))
    assert bool((images[0, 1] == 0).all())
    assert bool((images[0, 0] != 0).any())


def test_regions_become_bits_and_maps_again() -> None:
    labels = np.array([[[0, NECROSIS, OEDEMA, ENHANCING, CAVITY]]], np.uint8)
    bits = region_bits(labels, ("whole", "core", "enhancing"))
    np.testing.assert_array_equal(bits, [[[0, 3, 1, 7, 0]]])
    maps = region_maps(torch.from_numpy(bits), 3)
    assert maps.dtype == torch.float32
    assert maps[0, :, 0].tolist() == [[0, 1, 1, 1, 0], [0, 1, 0, 1, 0], [0, 0, 0, 1, 0]]


def test_a_case_that_is_gone_is_named(lazy: StoreSlices) -> None:
    patient_path(lazy.store.path, "patient1").rename(lazy.store.path / "gone")
    with pytest.raises(StoreError, match="case1"):
        keep(lazy, torch.device("cpu"), 2, SILENT)
