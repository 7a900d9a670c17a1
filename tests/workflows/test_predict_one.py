"""``gliomask.predict``: the command's result, for files and for arrays in memory."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest

import gliomask
from gliomask.core.prediction import Prediction
from gliomask.core.volume import Affine, Volume
from gliomask.errors import CaseError, InputError
from gliomask.formats.nifti import read_nifti_labels, write_nifti
from gliomask.inference.predictor import Predictor
from gliomask.workflows.predict import PredictOptions, predict_files
from tests.fakes import FakeModel, head_volume, write_head, write_picture_head
from tests.workflows.heads import write_dicom_head

NAME = "BraTS-GLI-00001-000"
ORDERS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((0, 1, 2), ()),
    ((0, 1, 2), (0, 1)),
    ((2, 0, 1), (1,)),
    ((1, 2, 0), (0, 2)),
]
MODEL = FakeModel(size=64)
Numbers = npt.NDArray[Any]


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", MODEL)


@pytest.mark.parametrize("case", ["../gone", "p/1", "a\\b", "", "..", "p 1", "anna\n"])
def test_a_name_that_is_no_file_name_is_refused(case: str) -> None:
    with pytest.raises(InputError, match="can't be that of its files") as caught:
        gliomask.predict({"flair": head_volume().array[1]}, case=case)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("state another: predict(images, case=")


def of_command(folder: Path, place: Path) -> tuple[Numbers, Affine]:
    """The mask that the command writes."""
    options = PredictOptions(inputs=(place,), out=folder / "out", model=Path("m"), write=("nifti",))
    (case,) = predict_files(options).cases
    return read_nifti_labels(folder / "out" / f"{case.case}_mask.nii.gz")


def rounded(volume: Volume) -> Volume:
    """The head in whole numbers, so that every type of numbers holds it."""
    return Volume(np.rint(volume.array * 10), volume.affine, volume.sequences)


def in_memory(volume: Volume, dtype: str = "f4") -> dict[str, tuple[Numbers, Affine]]:
    pairs = zip(volume.sequences, volume.array, strict=True)
    return {name: (image.astype(dtype), volume.affine) for name, image in pairs}


def assert_same(found: Prediction, mask: Numbers, affine: Affine) -> None:
    assert mask.any()
    assert np.array_equal(found.mask, mask)
    assert np.allclose(found.affine, affine, atol=1e-5)


@pytest.mark.parametrize(("axes", "flips"), ORDERS)
def test_every_way_in_gives_the_mask_of_the_command(
    tmp_path: Path, axes: tuple[int, ...], flips: tuple[int, ...]
) -> None:
    volume = rounded(head_volume(axes, flips))
    folder = write_head(tmp_path / "in", NAME, volume)
    mask, affine = of_command(tmp_path, folder)
    files: dict[str, str | Path] = {
        "t1": folder / f"{NAME}-t1n.nii.gz",
        "flair": str(folder / f"{NAME}-t2f.nii.gz"),
    }
    loaded: dict[str, Any] = {name: nib.nifti1.load(path) for name, path in files.items()}
    assert_same(gliomask.predict(folder, Path("m")), mask, affine)
    assert_same(gliomask.predict(str(folder), Path("m")), mask, affine)
    assert_same(gliomask.predict(files, Path("m")), mask, affine)
    assert_same(gliomask.predict(loaded, Path("m")), mask, affine)
    for dtype in ("i2", ">i2", "i4", "f4", "f8"):
        assert_same(gliomask.predict(in_memory(volume, dtype), Path("m")), mask, affine)


def test_the_memory_order_does_not_matter() -> None:
    volume = head_volume()
    plain = in_memory(volume)
    spread: dict[str, tuple[Numbers, Affine]] = {}
    for name, (image, affine) in plain.items():
        wide = np.zeros(tuple(2 * n for n in image.shape), np.float32)
        wide[::2, ::2, ::2] = image
        spread[name] = (wide[::2, ::2, ::2], affine)
        assert not spread[name][0].flags.c_contiguous
    fortran = {name: (np.asfortranarray(image), affine) for name, (image, affine) in plain.items()}
    due = gliomask.predict(plain, Path("m"))
    assert_same(gliomask.predict(spread, Path("m")), due.mask, due.affine)
    assert_same(gliomask.predict(fortran, Path("m")), due.mask, due.affine)


def test_the_input_is_not_changed() -> None:
    given = in_memory(head_volume())
    before = {name: image.copy() for name, (image, _) in given.items()}
    gliomask.predict(given, Path("m"), maps=True)
    for name, (image, _) in given.items():
        assert np.array_equal(image, before[name])


def test_the_order_of_the_sequences_does_not_matter() -> None:
    given = in_memory(head_volume())
    due = gliomask.predict(given, Path("m"))
    other = gliomask.predict(dict(reversed(given.items())), Path("m"))
    assert other.used == due.used == ("t1", "flair")
    assert np.array_equal(other.mask, due.mask)


def test_a_scaled_header_counts() -> None:
    """nibabel's image holds int16 with a slope, as files of scanners often do."""
    volume = rounded(head_volume())
    images = {}
    for name, image in zip(volume.sequences, volume.array, strict=True):
        made = nib.nifti1.Nifti1Image(image.astype(np.float64) * 0.25 + 3, volume.affine)
        made.set_data_dtype(np.int16)
        images[name] = nib.nifti1.Nifti1Image.from_bytes(made.to_bytes())
    due = gliomask.predict(in_memory(volume), Path("m"))
    assert_same(gliomask.predict(images, Path("m")), due.mask, due.affine)


def test_dicom(tmp_path: Path) -> None:
    write_dicom_head(tmp_path / "study")
    mask, affine = of_command(tmp_path, tmp_path / "study")
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        for path in sorted((tmp_path / "study").iterdir()):
            archive.write(path, path.name)
    folder = gliomask.predict(tmp_path / "study", Path("m"))
    assert_same(folder, mask, affine)
    assert_same(gliomask.predict(tmp_path / "study.zip", Path("m")), mask, affine)
    assert folder.case == "P1_20010203"


def test_pictures(tmp_path: Path) -> None:
    found = gliomask.predict(write_picture_head(tmp_path, "someone"), Path("m"))
    assert found.mask.any()
    assert found.volumes_ml is None


def test_a_loaded_predictor_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("gliomask.segmentation.segmenter.load_predictor")
    predictor = Predictor(MODEL.engine, MODEL.card)
    found = gliomask.predict(in_memory(head_volume()), predictor, case="anna")
    assert (found.case, found.model) == ("anna", "fake")
    strict = gliomask.predict(in_memory(head_volume()), predictor, threshold=0.999)
    assert strict.voxels["whole"] < found.voxels["whole"]
    assert predictor.card.threshold == 0.5


def test_what_is_kept_and_asked() -> None:
    given = in_memory(head_volume())
    small = gliomask.predict(given, Path("m"), maps=False)
    assert (small.probabilities, small.disagreement) == (None, None)
    assert small.reliability is not None
    usual = gliomask.predict(given, Path("m"))
    assert usual.probabilities is not None
    assert usual.disagreement is not None
    assert gliomask.predict(given, Path("m"), uncertainty=False).reliability is None


def test_another_grid_with_a_reference() -> None:
    given = in_memory(head_volume())
    given["t1"] = in_memory(head_volume((2, 0, 1), (1,)))["t1"]
    found = gliomask.predict(given, Path("m"), reference="flair")
    assert found.mask.shape == given["flair"][0].shape
    assert found.notes == ("t1 was resampled to the grid of flair",)
    due = gliomask.predict(in_memory(head_volume()), Path("m"))
    assert np.array_equal(found.mask, due.mask)


def test_shading_is_taken_out_as_by_the_command() -> None:
    given = {n: (np.maximum(image, 0), a) for n, (image, a) in in_memory(head_volume()).items()}
    found = gliomask.predict(given, Path("m"), n4=True, uncertainty=False)
    assert any("N4" in note for note in found.notes)
    assert found.provenance["alignment"] == {"n4": True}
    with pytest.raises(CaseError, match="case: t1"):
        gliomask.predict(in_memory(head_volume()), Path("m"), n4=True)


def refused(images: Any, **how: Any) -> str:
    with pytest.raises(InputError) as caught:
        gliomask.predict(images, Path("m"), **how)
    return str(caught.value)


def changed(**images: Any) -> dict[str, Any]:
    return {**in_memory(head_volume()), **images}


def test_words_that_are_not_known() -> None:
    given = in_memory(head_volume())
    assert "unknown sequence (sequence=flare" in refused({"flare": given["flair"]})
    assert "flair" in refused({"flare": given["flair"]}).split("allowed")[1]
    with pytest.raises(TypeError, match="treshold"):
        gliomask.predict(given, Path("m"), treshold=0.5)  # type: ignore[call-arg]
    for value in (0, 1, 1.5, -1, float("nan")):
        assert "value not allowed (`threshold`=" in refused(given, threshold=value)
    assert "value not allowed (`reference`=swi, allowed t1, t1ce" in refused(given, reference="swi")
    assert "reference" in refused(given, reference="t2")


def test_images_that_are_none() -> None:
    array, affine = in_memory(head_volume())["t1"]
    holed = array.copy()
    holed[0, 0, 0] = np.nan
    huge = array.astype(np.float64)
    huge[0, 0, 0] = 1e300
    assert "t1: not a volume (shape=(2, 24, 20, 8), allowed 3-D)" in refused(
        changed(t1=(np.stack([array, array]), affine))
    )
    assert "t1: contains NaN or infinity" in refused(changed(t1=(holed, affine)))
    assert "t1: contains NaN or infinity" in refused(changed(t1=(huge, affine)))
    assert "t1 is constant" in refused(changed(t1=(np.ones((4, 4, 4)), affine)))
    assert "t1 is constant" in refused(changed(t1=(np.ones((4, 0, 4)), affine)))
    assert "t1: not numbers (dtype=complex64" in refused(changed(t1=(array.astype("c8"), affine)))
    assert "t1: not numbers (dtype=<U" in refused(changed(t1=(array.astype(str), affine)))
    assert "t1: not an affine (affine=(3, 3)" in refused(changed(t1=(array, np.eye(3))))
    assert "t1: not an affine" in refused(changed(t1=(array, np.diag([1.0, 0, 1, 1]))))
    assert "t1: not an affine" in refused(changed(t1=(array, np.full((4, 4), np.nan))))


def test_things_that_are_no_images() -> None:
    array, affine = in_memory(head_volume())["t1"]
    for one in ("a.nii.gz", array, (array,), (array, affine, 1), None):
        assert "not an image in memory (t1=" in refused(changed(t1=one))
    assert refused({}).startswith("no input; give scans: ")


def test_grids_that_differ() -> None:
    array, affine = in_memory(head_volume())["t1"]
    said = refused(changed(t1=(array[:-1], affine)), align=False)
    assert "case: flair is on another grid than t1" in said
    moved = affine.copy()
    moved[0, 3] += 2
    given = changed(t1=(array, moved))
    assert "flair lies up to 2 mm away from t1" in refused(given, align=False)
    assert gliomask.predict(given, Path("m")).mask.shape == array.shape


def test_an_image_that_the_model_does_not_use_is_not_looked_at() -> None:
    found = gliomask.predict(changed(t2=(np.zeros(3), np.eye(4))), Path("m"))
    assert found.notes == ("t2 not used: the model fake takes t1, flair",)


def test_sequences_that_the_model_needs() -> None:
    assert "needs flair" in refused({"t1": in_memory(head_volume())["t1"]})


def test_places_that_hold_no_examination_or_several(tmp_path: Path) -> None:
    assert "nowhere" in refused(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "empty" in refused(tmp_path / "empty")
    for number in (1, 2):
        write_head(tmp_path / "two", f"BraTS-GLI-0000{number}-000", head_volume())
    said = refused(tmp_path / "two")
    assert "2 examinations instead of one (BraTS-GLI-00001-000, BraTS-GLI-00002-000)" in said
    assert "predict_files" in said
    assert "flare" in refused({"flare": tmp_path / "two" / "a.nii.gz"})


def test_a_series_is_chosen_as_the_command_does(tmp_path: Path) -> None:
    """The FLAIR is series 2; derived ones are only used when someone says so."""
    write_dicom_head(tmp_path / "study", ImageType=["DERIVED", "SECONDARY"])
    with pytest.raises(InputError, match="DERIVED"):
        gliomask.predict(tmp_path / "study", Path("m"))
    chosen = {"t1": "1", "flair": "2"}
    options = PredictOptions(
        inputs=(tmp_path / "study",), out=tmp_path / "out", model=Path("m"), series=chosen
    )
    (case,) = predict_files(options).cases
    mask, affine = read_nifti_labels(tmp_path / "out" / f"{case.case}_mask.nii.gz")
    assert_same(gliomask.predict(tmp_path / "study", Path("m"), series=chosen), mask, affine)


@pytest.fixture
def flair_model(monkeypatch: pytest.MonkeyPatch) -> None:
    model = FakeModel(size=64, in_channels=1, sequences=("flair",))
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", model)


@pytest.mark.usefixtures("flair_model")
def test_one_image_is_enough(tmp_path: Path) -> None:
    volume = head_volume()
    flair = volume.array[1]
    expected = gliomask.predict({"flair": (flair, volume.affine)}, Path("m"))
    assert expected.mask.any()
    for name in ("a_flair.nii.gz", "unknown.nii.gz"):
        write_nifti(tmp_path / name, flair, volume.affine)
    told: list[Prediction] = [
        gliomask.predict(nib.load(tmp_path / "a_flair.nii.gz"), Path("m")),
        gliomask.predict(str(tmp_path / "a_flair.nii.gz"), Path("m")),
        gliomask.predict(tmp_path / "unknown.nii.gz", Path("m"), sequence="flair"),
        gliomask.predict(nib.load(tmp_path / "unknown.nii.gz"), Path("m"), sequence="flair"),
        gliomask.predict((flair, volume.affine), Path("m"), sequence="flair"),
    ]
    for one in told:
        assert one.used == ("flair",)
        assert np.array_equal(one.mask, expected.mask)


@pytest.mark.usefixtures("flair_model")
def test_one_image_of_which_nothing_tells_the_sequence(tmp_path: Path) -> None:
    volume = head_volume()
    image = (volume.array[1], volume.affine)
    write_nifti(tmp_path / "unknown.nii.gz", *image)
    unnamed = nib.Nifti1Image(*image)
    for one in (image, unnamed, nib.load(tmp_path / "unknown.nii.gz")):
        with pytest.raises(CaseError, match=r'predict\(image, sequence="flair"\)'):
            gliomask.predict(one, Path("m"))
    with pytest.raises(InputError, match="unknown sequence"):
        gliomask.predict(image, Path("m"), sequence="swi")
    with pytest.raises(InputError, match="already"):
        gliomask.predict({"flair": image}, Path("m"), sequence="flair")
