"""Figures of training data: a spacing that some patients lack is no range."""

from __future__ import annotations

from pathlib import Path

from gliomask.evaluation.training_data import training_data
from gliomask.store.store import Store
from tests.learning.stores import write_store


def test_spacing_is_a_range_only_where_every_case_has_one(tmp_path: Path) -> None:
    store = write_store(tmp_path / "store")
    patients = {case.patient for case in store.cases}
    known = training_data(store, patients)
    assert known.slice_mm is not None
    assert (known.slice_mm.low, known.slice_mm.high) == (1.0, 1.0)
    first, *others = store.manifest.cases
    lacking = first.model_copy(update={"has_world": False})
    manifest = store.manifest.model_copy(update={"cases": (lacking, *others)})
    mixed = training_data(Store(store.path, manifest, store.split), patients)
    assert mixed.slice_mm is None
    assert mixed.pixel_mm is None
    assert mixed.slices == known.slices
