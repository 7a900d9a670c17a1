"""``convert``: what is written is read again, equal in voxels, grid and labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gliomask.core.case import Case, ImageFile
from gliomask.core.label_scheme import BINARY
from gliomask.datasets.find import find_cases
from gliomask.datasets.load import load_case
from gliomask.datasets.writing.labels import written_labels
from gliomask.errors import CasesError, ConfigError, InputError
from gliomask.formats.nifti import read_nifti, write_nifti
from gliomask.store.manifest import read_split
from gliomask.workflows.convert import ConvertOptions, ConvertResult, convert
from gliomask.workflows.prepare import PrepareOptions, prepare
from tests.commands import run as command
from tests.datasets import tiny

TARGETS = ("nnunet", "msd", "bids")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Five patients of BraTS 2023, the first with two time points."""
    for number, point in ((1, 0), (1, 1), (2, 0), (3, 0), (4, 0), (5, 0)):
        name = f"BraTS-GLI-0000{number}-00{point}"
        tiny.brats(tmp_path / "data", name, 1, 2, 3, sequences=("t1n", "t2f"))
    return tmp_path / "data"


def written(source: Path, out: Path, to: str, **how: object) -> ConvertResult:
    return convert(ConvertOptions.model_validate({"source": source, "out": out, "to": to, **how}))


def by_images(cases: tuple[Case, ...]) -> list[tuple[Case, bytes]]:
    """Cases by what they show: a layout may call them otherwise."""
    return sorted(
        ((case, load_case(case)[0].array.tobytes()) for case in cases), key=lambda p: p[1]
    )


@pytest.mark.parametrize("to", TARGETS)
def test_a_round_trip_keeps_voxels_grid_and_labels(source: Path, tmp_path: Path, to: str) -> None:
    # Distinct images, and a value that no whole number is.
    for k, path in enumerate(sorted(source.rglob("*-t2f.nii.gz"))):
        write_nifti(path, tiny.intensities(100 + k).astype(np.float32) + 0.25, tiny.AFFINE)
    result = written(source, tmp_path / "out", to)
    assert (result.training, result.bare, result.sequences) == (6, 0, ("t1", "flair"))
    assert list(result.labels.values()) == ["necrosis", "edema", "enhancing tumor"]
    before, after = find_cases(source).cases, find_cases(tmp_path / "out").cases
    assert len(after) == 6
    for (old, _), (new, _) in zip(by_images(before), by_images(after), strict=True):
        (volume, labels), (same, found) = load_case(old), load_case(new)
        assert same.sequences == volume.sequences
        np.testing.assert_array_equal(same.array, volume.array)
        np.testing.assert_array_equal(same.affine, volume.affine)
        assert labels is not None
        assert labels.any()
        np.testing.assert_array_equal(found, labels)


def test_a_cavity_is_a_label_where_there_is_one(tmp_path: Path) -> None:
    name = "BraTS-GLI-00001-100"
    tiny.brats(tmp_path / "data", name, 1, 2, 3, 4, sequences=("t1n", "t2f"))
    result = written(tmp_path / "data", tmp_path / "out", "nnunet")
    assert result.labels[4] == "resection cavity"
    (case,) = find_cases(tmp_path / "out").cases
    np.testing.assert_array_equal(np.unique(load_case(case)[1]), [0, 1, 2, 3, 4])  # type: ignore[arg-type]


def test_whole_numbers_are_kept_small(source: Path, tmp_path: Path) -> None:
    import nibabel as nib

    written(source, tmp_path / "out", "nnunet")
    image = nib.load(tmp_path / "out" / "imagesTr" / "BraTS-GLI-00002-000_0001.nii.gz")
    assert image.get_data_dtype() == np.int16  # type: ignore[attr-defined]


def test_the_folds_are_those_that_prepare_draws(source: Path, tmp_path: Path) -> None:
    written(source, tmp_path / "out", "nnunet", seed=3)
    options = PrepareOptions(sources=(source,), out=tmp_path / "store", seed=3, workers=1)
    prepare(options)
    split = read_split(tmp_path / "store" / "split.json")
    folds = json.loads((tmp_path / "out" / "splits_final.json").read_text())
    cases = {case.id: case.patient for case in find_cases(source).cases}
    assert len(folds) == len(split.folds) == 5
    for fold, parts in zip(folds, split.folds, strict=True):
        assert {cases[case] for case in fold["val"]} == set(parts.test)
        assert {cases[case] for case in fold["train"]} == {*parts.train, *parts.validation}
        assert sorted(fold["train"] + fold["val"]) == sorted(cases)
    # And the very file of a store, whatever its seed.
    written(source, tmp_path / "again", "nnunet", split=tmp_path / "store" / "split.json")
    assert json.loads((tmp_path / "again" / "splits_final.json").read_text()) == folds


def test_time_points_of_a_patient_stay_one_patient(source: Path, tmp_path: Path) -> None:
    for to in TARGETS:
        written(source, tmp_path / to, to)
        assert len({case.patient for case in find_cases(tmp_path / to).cases}) == 5
    names = {path.name for path in (tmp_path / "bids").glob("sub-*/ses-*")}
    assert names == {"ses-1", "ses-2"}
    rows = (tmp_path / "bids" / "patients.csv").read_text().splitlines()
    assert rows[:2] == ["case,patient", "sub-BraTSGLI00001_ses-1,BraTS-GLI-00001"]


def test_one_label_and_a_set_of_pictures(tmp_path: Path) -> None:
    tiny.kaggle(tmp_path / "data")
    result = written(tmp_path / "data", tmp_path / "out", "msd")
    assert result.labels == {1: "tumor"}
    said = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert said["labels"] == {"0": "background", "1": "tumor"}
    assert said["training"][0]["label"] == "./labelsTr/TCGA_CS_4941_19960909.nii.gz"
    assert said["tensorImageSize"] == "4D"


def test_cases_without_masks_are_for_testing(tmp_path: Path) -> None:
    tiny.brats(tmp_path / "data", "BraTS-GLI-00001-000", sequences=("t1n", "t2f"))
    result = written(tmp_path / "data", tmp_path / "out", "nnunet", sequences=("flair",))
    assert (result.training, result.bare, result.labels) == (0, 1, {})
    assert [p.name for p in (tmp_path / "out").rglob("*.nii.gz")] == [
        "BraTS-GLI-00001-000_0000.nii.gz"
    ]
    array, _ = read_nifti(tmp_path / "out" / "imagesTs" / "BraTS-GLI-00001-000_0000.nii.gz")
    np.testing.assert_array_equal(array, tiny.intensities(1))


def test_a_case_that_lacks_a_channel(source: Path, tmp_path: Path) -> None:
    next(source.glob("BraTS-GLI-00004-000/*t2f*")).unlink()
    with pytest.raises(CasesError, match="1 cases can't be used, 5 can") as caught:
        written(source, tmp_path / "out", "nnunet")
    assert caught.value.problems[0][1] == "lacks flair, and every case needs all channels"
    assert not (tmp_path / "out").exists()
    assert written(source, tmp_path / "out", "nnunet", skip_bad=True).training == 5
    assert written(source, tmp_path / "t1", "nnunet", sequences=("t1",)).training == 6
    assert written(source, tmp_path / "bids", "bids").training == 6
    with pytest.raises(ConfigError, match=r"no case has this sequence \(sequences=t2"):
        written(source, tmp_path / "t2", "nnunet", sequences=("t2",))


def test_what_a_layout_can_not_say_is_refused(tmp_path: Path) -> None:
    image = ImageFile((tmp_path / "x.nii.gz",))
    one = Case("a", "a", {"t2": image}, image, BINARY, sparse=True)
    with pytest.raises(InputError, match="only slices with tumour were annotated"):
        written_labels([one])


def test_by_command(
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("convert", source, "--to", "nnunet", "--out", tmp_path / "out")
    assert command(monkeypatch, *words) == 0
    assert "6 cases with a mask and 0 without, from brats" in capsys.readouterr().out
    assert command(monkeypatch, *words) == 2
    assert "something at the place of the result" in capsys.readouterr().err
    assert command(monkeypatch, "convert", source, "--to", "zip", "--out", tmp_path / "z") == 2
    assert "to=zip, allowed nnunet, msd, bids" in capsys.readouterr().err
