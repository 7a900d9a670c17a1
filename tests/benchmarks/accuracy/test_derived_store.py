"""Stores of the same patients with other images."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.derived_store import LEAST_HEAD, derive, main, per_slice, with_neighbours
from gliomask.core.intensity import foreground_level
from gliomask.errors import InputError, StoreError
from gliomask.store.patient import patient_path
from gliomask.store.store import Store, open_store
from gliomask.workflows.evaluate import EvaluateOptions, evaluate
from gliomask.workflows.train import TrainOptions, train
from tests.learning.stores import write_store

LACKING = 1
"""The patient that has no FLAIR."""
TINY = ("network=u2net-tiny", "input.size=32", "batch_size=4", "epochs=1")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return write_store(tmp_path_factory.mktemp("data") / "store", lacking=(LACKING,))


@pytest.fixture(scope="module")
def neighbours(store: Store) -> Store:
    out = store.path.with_name("neighbours")
    main([str(store.path), str(out), "--neighbours", "1"])
    return open_store(out)


@pytest.fixture(scope="module")
def sliced(store: Store) -> Store:
    out = store.path.with_name("sliced")
    main([str(store.path), str(out), "--per-slice"])
    return open_store(out)


def test_all_but_the_images_is_the_same(store: Store, neighbours: Store, sliced: Store) -> None:
    for made in (neighbours, sliced):
        assert made.split == store.split
        for before, after in zip(store.cases, made.cases, strict=True):
            assert np.array_equal(made.labels(after.id), store.labels(before.id))
            assert np.array_equal(made.reference(after.id), store.reference(before.id))
            assert made.stack(after.id).record.box == store.stack(before.id).record.box
            assert after.fingerprint != before.fingerprint
            changed = {"sequences", "notes", "fingerprint"}
            assert after.model_dump(exclude=changed) == before.model_dump(exclude=changed)


def test_neighbours_are_the_slices_beside(store: Store, neighbours: Store) -> None:
    names = ("t1", "flair", "t1 below", "flair below", "t1 above", "flair above")
    assert neighbours.manifest.sequences == names
    plain, wide = store.images("case0"), neighbours.images("case0")
    assert neighbours.stack("case0").sequences == names
    for number, slices in enumerate([(0, 1, 2, 3, 4), (0, 0, 1, 2, 3), (1, 2, 3, 4, 4)]):
        assert np.array_equal(wide[:, 2 * number : 2 * number + 2], plain[list(slices)])


def test_a_sequence_that_lacks_lacks_its_neighbours_too(neighbours: Store) -> None:
    case = neighbours.case(f"case{LACKING}")
    assert case.sequences == ("t1", "t1 below", "t1 above")
    assert neighbours.images(case.id).shape == (case.shape[0], 3, *case.shape[1:])


def test_farther_neighbours_have_names_of_their_own() -> None:
    names = with_neighbours(2).names(("t1",))
    assert names == ("t1", "t1 below", "t1 above", "t1 2 below", "t1 2 above")


def test_every_slice_is_normalised_over_its_own_head(store: Store, sliced: Store) -> None:
    before, after = store.images("case0"), sliced.images("case0")
    for channel in range(before.shape[1]):
        level = foreground_level(before[:, channel])
        for old, new in zip(before[:, channel], after[:, channel], strict=True):
            head = new[old > level]
            assert head.mean() == pytest.approx(0, abs=2e-3)
            assert head.std() == pytest.approx(1, abs=2e-3)
            # A straight line: air keeps its place below the head.
            assert np.corrcoef(old.ravel(), new.ravel())[0, 1] > 0.9999


def test_a_slice_of_air_becomes_zero() -> None:
    images = np.full((3, 1, 20, 20), -2, np.float32)
    images[0, 0, 5:15, 5:15] = np.random.default_rng(0).normal(size=(10, 10))
    strays = int(LEAST_HEAD * 400) - 1
    images[1, 0, 0, :strays] = np.arange(strays)
    found = per_slice().images(images)
    assert found[0].std() > 0
    assert not found[1:].any()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["neighbours", "sliced"])
def test_it_is_trained_and_judged_on_like_any_other(
    name: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gliomask.workflows.train.draw_curves", lambda run, note: [])
    made: Store = request.getfixturevalue(name)
    run = tmp_path / "run"
    train(TrainOptions(store=made.path, out=run, changes=TINY, device="cpu"))
    options = EvaluateOptions(
        source=made.path, model=str(run), out=tmp_path / "out", report=False, device="cpu"
    )
    result = evaluate(options)
    assert result.summary.n == 1
    assert not result.in_training


def test_what_is_there_is_not_replaced(store: Store, sliced: Store) -> None:
    with pytest.raises(InputError, match="already exists"):
        derive(store.path, sliced.path, per_slice())


def test_nothing_is_left_of_a_store_that_fails(store: Store, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(store.path, damaged)
    images = patient_path(damaged, store.cases[-1].patient) / store.cases[-1].id / "images"
    next(path for path in (images / "c").rglob("*") if path.is_file()).unlink()
    with pytest.raises(StoreError, match="a slice is missing"):
        derive(damaged, tmp_path / "out", with_neighbours(1))
    assert [path.name for path in tmp_path.iterdir()] == ["damaged"]
