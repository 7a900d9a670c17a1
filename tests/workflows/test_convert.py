"""``convert``: what is written is read again, equal in voxels, grid and labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from gliomask.core.case import Case
from gliomask.core.regions import region_masks
from gliomask.datasets.find import find_cases
from gliomask.datasets.load import load_case
from gliomask.errors import CaseError, CasesError, ConfigError, InputError, QuestionError
from gliomask.formats.nifti import read_nifti, write_nifti
from gliomask.phantom.write_figshare import write_slice
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


def table_of(root: Path, numbers: Sequence[int], labels: Sequence[str]) -> Path:
    """A table of cases with such masks, one for each statement of their labels."""
    rows = ["patient,flair,mask,labels"]
    for k, text in enumerate(labels):
        write_nifti(root / f"p{k}_flair.nii.gz", tiny.intensities(k + 1), tiny.AFFINE)
        write_nifti(root / f"p{k}_mask.nii.gz", tiny.numbers(*numbers), tiny.AFFINE)
        rows.append(f'p{k},p{k}_flair.nii.gz,p{k}_mask.nii.gz,"{text}"')
    (root / "cases.csv").write_text("\n".join(rows) + "\n")
    return root


@pytest.mark.parametrize("to", TARGETS)
@pytest.mark.parametrize(
    ("labels", "numbers", "names"),
    [
        ("hd-glio", (1, 2), ["edema", "enhancing tumor"]),
        ("1=necrosis,3=enhancing", (1, 3), ["necrosis", "enhancing tumor"]),
        ("1=enhancing", (1,), ["enhancing tumor"]),
        ("1=core", (1,), ["tumor core"]),
        ("1=core,2=oedema", (1, 2), ["tumor core", "edema"]),
        ("1=core,2=oedema,3=enhancing", (1, 2, 3), ["necrosis", "edema", "enhancing tumor"]),
        ("1=core,3=enhancing", (1, 3), ["necrosis", "enhancing tumor"]),
        ("1=necrosis,2=oedema", (1, 2), ["tumor"]),
    ],
)
def test_a_round_trip_keeps_the_regions_of_any_scheme(
    tmp_path: Path, to: str, labels: str, numbers: Sequence[int], names: list[str]
) -> None:
    source = table_of(tmp_path, numbers, [labels])
    assert list(written(source, tmp_path / "out", to).labels.values()) == names
    (old,), (new,) = find_cases(source).cases, find_cases(tmp_path / "out").cases
    assert new.regions == old.regions
    before, after = load_case(old)[1], load_case(new)[1]
    assert before is not None
    assert after is not None
    for drawn, same in zip(
        region_masks(before, old.regions), region_masks(after, old.regions), strict=True
    ):
        assert drawn.any()
        np.testing.assert_array_equal(drawn, same)


def test_masks_of_different_regions_are_refused(tmp_path: Path) -> None:
    source = table_of(tmp_path, (1, 2), ["hd-glio", "1=core,2=oedema"])
    with pytest.raises(InputError) as refused:
        written(source, tmp_path / "out", "nnunet")
    assert str(refused.value) == (
        "its masks have different regions, which can't be represented by one numbering "
        "(regions=whole, core; whole, enhancing); convert the cases of each kind alone, or only "
        "the whole tumour of all: `... labels=binary`"
    )


def test_binary_is_no_answer_for_masks_of_a_part(tmp_path: Path) -> None:
    source = table_of(tmp_path, (1,), ["1=core", "1=enhancing"])
    with pytest.raises(InputError, match=r"convert the cases of each kind alone$"):
        written(source, tmp_path / "out", "nnunet")


def test_masks_without_a_complete_region_are_refused(tmp_path: Path) -> None:
    source = table_of(tmp_path, (1,), ["1=necrosis"])
    with pytest.raises(InputError) as refused:
        written(source, tmp_path / "out", "nnunet")
    assert str(refused.value) == (
        "its masks contain no region in full (regions=none, allowed whole, core, enhancing); state "
        "what the numbers in them mean: `... labels=1=necrosis,2=oedema,3=enhancing`"
    )


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
    patients = {case.patient for case in find_cases(source).cases}
    assert len(patients) == 5
    for to in TARGETS:
        written(source, tmp_path / to, to)
        assert {case.patient for case in find_cases(tmp_path / to).cases} == patients
    names = {path.name for path in (tmp_path / "bids").glob("sub-*/ses-*")}
    assert names == {"ses-1", "ses-2"}
    rows = (tmp_path / "bids" / "patients.csv").read_text().splitlines()
    assert rows[:2] == ["case,patient", "sub-BraTSGLI00001_ses-1,BraTS-GLI-00001"]


def test_a_converted_set_has_the_patients_of_its_source(tmp_path: Path) -> None:
    """BIDS changes ``BraTS2021_00009`` to ``BraTS202100009``, which no rule for names knows."""
    for name in ("BraTS2021_00009", "BraTS20_Training_309"):
        tiny.brats(tmp_path / "data", name, 1, 2, 4)
    patients = {case.patient for case in find_cases(tmp_path / "data").cases}
    assert patients == {"BraTS2021_00009", "TCGA-DU-A5TR"}
    for to in TARGETS:
        written(tmp_path / "data", tmp_path / to, to)
        found = find_cases(tmp_path / to)
        assert {case.patient for case in found.cases} == patients
        noted = "the patients of 2 cases are from patients.csv" in found.explanation
        assert noted == (to == "bids")  # the others keep the published names


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b"patient,grade\nsub-1,2\n", ""),
        (b"case,patient,age\nBraTS2021_00009,7,60\nsub-7,,\n", ""),
        ("patient,name\n1,Müller\n".encode("latin-1"), "not used"),
        (b"case,patient\nsub-x,\n", "not used: row 2 is incomplete"),
        (b"case,case,patient\na,b,c\n", "not used: a column occurs twice"),
        (b"\x89PNG\x00", "not used"),
        (b"case,patient\nBraTS2021_00009,7\n", ""),  # which states its patient itself
    ],
)
def test_other_tables_of_this_name_change_nothing(
    tmp_path: Path, content: bytes, note: str
) -> None:
    tiny.brats(tmp_path / "data", "BraTS2021_00009", 1, 2, 4)
    before = find_cases(tmp_path / "data")
    (tmp_path / "data" / "patients.csv").write_bytes(content)
    after = find_cases(tmp_path / "data")
    assert after.cases == before.cases
    notes = [text for text in after.explanation if text not in before.explanation]
    assert len(notes) == bool(note)
    assert all(note in text for text in notes)


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


def sparse(root: Path, name: str = "LGG-104", slices: tuple[int, ...] = (2, 3)) -> None:
    """A patient of LGG-1p19qDeletion whose tumour was outlined in these slices."""
    for kind, seed in (("T1", 1), ("T2", 2)):
        tiny.scan(root / name / f"{name}_{kind}.nii.gz", seed)
    labels = np.zeros(tiny.SHAPE, np.uint8)
    for k in slices:
        labels[2:4, 3:5, k] = 1
    write_nifti(root / name / f"{name}-Segmentation.nii.gz", labels, tiny.AFFINE)


def test_slices_that_nobody_annotated_are_ignored_by_nnunet(tmp_path: Path) -> None:
    sparse(tmp_path / "data")
    result = written(tmp_path / "data", tmp_path / "out", "nnunet")
    assert result.labels == {1: "tumor", 2: "ignore"}
    said = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert said["labels"] == {"background": 0, "tumor": 1, "ignore": 2}
    mask, _ = read_nifti(tmp_path / "out" / "labelsTr" / "LGG-104.nii.gz")
    expected = np.full(tiny.SHAPE, 2)
    expected[:, :, 2:4] = 0
    expected[2:4, 3:5, 2:4] = 1
    np.testing.assert_array_equal(mask, expected)
    # And what is read of it again has the same slices.
    (before,), (after,) = (find_cases(tmp_path / name).cases for name in ("data", "out"))
    assert after.sparse
    np.testing.assert_array_equal(load_case(after)[1], load_case(before)[1])


@pytest.mark.parametrize("to", TARGETS)
def test_slices_that_nobody_annotated_are_left_out(tmp_path: Path, to: str) -> None:
    """Slices 1, 2 and 4 were annotated: a case of two slices, and a case of one."""
    sparse(tmp_path / "data", slices=(1, 2, 4))
    result = written(tmp_path / "data", tmp_path / "out", to, unannotated="drop")
    assert (result.training, result.labels) == (2, {1: "tumor"})
    found = sorted(find_cases(tmp_path / "out").cases, key=lambda case: case.id)
    for case, (first, last) in zip(found, ((1, 3), (4, 5)), strict=True):
        volume, labels = load_case(case)
        assert not case.sparse
        for image, seed in zip(volume.array, (1, 2), strict=True):
            np.testing.assert_array_equal(image, tiny.intensities(seed)[..., first:last])
        np.testing.assert_array_equal(volume.affine[:3, 3], [0, 8, 2 * first])
        assert labels is not None
        assert labels.any(axis=(0, 1)).all()
    rows = (tmp_path / "out" / "patients.csv").read_text().splitlines()[1:]
    assert {row.split(",")[1] for row in rows} == {"LGG-104"}


def test_a_single_run_of_slices_keeps_the_name_of_its_case(tmp_path: Path) -> None:
    sparse(tmp_path / "data")
    written(tmp_path / "data", tmp_path / "out", "msd", unannotated="drop")
    assert [p.name for p in (tmp_path / "out" / "labelsTr").iterdir()] == ["LGG-104.nii.gz"]


def test_a_layout_without_a_label_for_them_asks(tmp_path: Path) -> None:
    sparse(tmp_path / "data")
    for to in ("msd", "bids"):
        with pytest.raises(QuestionError, match="only slices with tumour were annotated") as asked:
            written(tmp_path / "data", tmp_path / "out", to)
        assert (asked.value.option, asked.value.answers[0][0]) == ("unannotated", "drop")
        with pytest.raises(ConfigError, match=r"unannotated=ignore, allowed drop"):
            written(tmp_path / "data", tmp_path / "out", to, unannotated="ignore")
    assert not (tmp_path / "out").exists()


def test_a_slice_annotated_in_part_is_refused(tmp_path: Path) -> None:
    sparse(tmp_path / "data")
    written(tmp_path / "data", tmp_path / "out", "nnunet")
    path = tmp_path / "out" / "labelsTr" / "LGG-104.nii.gz"
    labels = read_nifti(path)[0].astype(np.uint8)
    labels[0, 0, 3] = 2
    write_nifti(path, labels, tiny.AFFINE)
    (case,) = find_cases(tmp_path / "out").cases
    with pytest.raises(CaseError, match=r"a partly annotated slice.*slice=4"):
        load_case(case)


@pytest.mark.parametrize("to", TARGETS)
def test_single_slices_of_matlab_files(tmp_path: Path, to: str) -> None:
    tumour = np.zeros((6, 8), np.bool_)
    tumour[2:4, 3:5] = True
    write_slice(tmp_path / "data" / "12.mat", np.arange(48).reshape(6, 8), tumour, "100360")
    result = written(tmp_path / "data", tmp_path / "out", to)
    assert (result.training, result.labels, result.sequences) == (1, {1: "tumor core"}, ("t1ce",))
    (before,), (after,) = (find_cases(tmp_path / name).cases for name in ("data", "out"))
    (volume, labels), (same, found) = load_case(before), load_case(after)
    np.testing.assert_array_equal(same.array, volume.array)
    np.testing.assert_array_equal(found, labels)


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
    assert "output folder exists already" in capsys.readouterr().err
    assert command(monkeypatch, "convert", source, "--to", "zip", "--out", tmp_path / "z") == 2
    assert "to=zip, allowed nnunet, msd, bids" in capsys.readouterr().err
