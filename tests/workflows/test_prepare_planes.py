"""A store with coronal and sagittal slices, and a model that is trained on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.cli.prepare import run as run_prepare
from gliomask.config.train import TrainOptions
from gliomask.core.geometry import to_reading
from gliomask.evaluation.reference_cases import find_subjects
from gliomask.nets.cards import CARD_FILE, read_card
from gliomask.store.store import Store, open_store
from gliomask.workflows.prepare import PrepareOptions, PrepareResult, prepare
from gliomask.workflows.train import train
from tests.brains import tumour, write_brain

CASES = tuple(f"BraTS2021_0000{n}" for n in range(3))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("brains")
    for case in CASES:
        write_brain(root, case)
    return root


def options(data: Path, out: Path, **more: Any) -> PrepareOptions:
    keys = {"sources": (data,), "out": out, "workers": 1, "folds": 0, "planes": True, **more}
    return PrepareOptions.model_validate(keys)


def make(data: Path, out: Path, **more: Any) -> PrepareResult:
    return prepare(options(data, out, **more))


@pytest.fixture(scope="module")
def store(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    return open_store(make(data, tmp_path_factory.mktemp("made") / "store").store)


def test_each_brain_is_also_cut_in_the_other_planes(store: Store) -> None:
    assert [case.id for case in store.cases] == list(CASES)
    assert [case.id for case in store.manifest.crossing] == [
        f"{case}+{plane}" for case in CASES for plane in ("coronal", "sagittal")
    ]
    for case in store.manifest.crossing:
        assert case.patient == case.id.partition("+")[0]
        assert sum(case.tumour_px) == tumour().sum()


def test_the_command_names_their_number(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_prepare(options(data, tmp_path / "store"), json=False)
    assert "3 cases also in coronal and sagittal slices, for training" in capsys.readouterr().out


def test_the_mask_is_cut_like_the_images(store: Store) -> None:
    """Rows of both run from the top of the head: the tumour is where FLAIR is bright."""
    for case in store.manifest.crossing:
        flair, marked = store.images(case.id)[:, 1], store.labels(case.id) > 0
        assert flair[marked].mean() > flair[~marked].mean() + 2
    coronal = store.manifest.crossing[0]
    record = store.stack(coronal.id).record
    np.testing.assert_array_equal(
        store.reference(coronal.id) > 0, to_reading(tumour() > 0, record.turn)
    )


def test_they_are_no_cases_to_evaluate(store: Store) -> None:
    subjects = find_subjects(store.path, "all", None).subjects
    assert [subject.case for subject in subjects] == list(CASES)


def test_another_choice_prepares_anew(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "store"
    write_brain(data, CASES[0])
    only: dict[str, Any] = {"shares": (1.0, 0.0, 0.0)}
    assert make(data, out, **only).made == 1
    assert make(data, out, **only).made == 0
    assert make(data, out, planes=False, **only).made == 1
    assert open_store(out).manifest.crossing == ()


@pytest.mark.parametrize("voxel_mm", [1.0, 2.0])
def test_only_small_voxels_are_cut_in_all_planes(tmp_path: Path, voxel_mm: float) -> None:
    write_brain(tmp_path / "data", CASES[0], voxel_mm)
    made = make(tmp_path / "data", tmp_path / "store", shares=(1.0, 0.0, 0.0))
    assert len(made.manifest.crossing) == (2 if voxel_mm == 1.0 else 0)


def test_a_model_is_trained_on_all_planes_of_its_training_patients(
    store: Store, tmp_path: Path
) -> None:
    changes = (
        "network=u2net-tiny", "input.size=32", "epochs=1", "batch_size=8", "sampling.slices=32",
        "regions=[whole]",
    )  # fmt: skip
    keys = {"store": store.path, "out": tmp_path / "run", "changes": changes}
    train(TrainOptions.model_validate(keys))
    card = read_card(tmp_path / "run" / CARD_FILE)
    assert card.planes == ("axial", "coronal", "sagittal")
    assert len(card.patients) == 1
    slices = sum(case.shape[0] for case in (*store.cases, *store.manifest.crossing)) // 3
    assert f"{slices} slices" in card.trained_on
