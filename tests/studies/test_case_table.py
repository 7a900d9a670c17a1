"""Tables of examinations in unknown layouts, read back as ``prepare`` reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.datasets.find import find_masked
from gliomask.errors import ConfigError, LayoutError
from gliomask.workflows.inspect import Inspection, InspectOptions, inspect
from tests.datasets.tiny import brats, mask, scan
from tests.studies.test_sequence_folders import erasmus


def tabulate(folder: Path, table: Path) -> Inspection:
    with pytest.raises(LayoutError, match=r"inspect table=cases.csv"):
        find_masked(folder)
    found = inspect(InspectOptions(paths=(folder,), table=table))
    assert found.table == table
    return found


def masks_in(table: Path) -> dict[str, str]:
    """Case -> path of its mask below the folder of the table, as ``prepare`` reads it."""
    cases = find_masked(table).cases
    labels = {case.id: case.label for case in cases}
    return {
        case: label.paths[0].resolve().relative_to(table.parent.resolve()).as_posix()
        for case, label in labels.items()
        if label is not None
    }


def test_a_folder_for_each_sequence(tmp_path: Path) -> None:
    for name in ("EGD-0001", "EGD-0002"):
        erasmus(tmp_path / "data" / name)
    found = tabulate(tmp_path / "data", tmp_path / "tables" / "cases.csv")
    assert found.table_notes == ()
    lines = (tmp_path / "tables" / "cases.csv").read_text().splitlines()
    assert lines[0] == "patient,case,t1,t1ce,t2,flair,mask"
    assert lines[1] == (
        "EGD-0001,EGD-0001,../data/EGD-0001/1_T1/NIFTI/T1.nii.gz,"
        "../data/EGD-0001/2_T1GD/NIFTI/T1GD.nii.gz,../data/EGD-0001/3_T2/NIFTI/T2.nii.gz,"
        "../data/EGD-0001/4_FLAIR/NIFTI/FLAIR.nii.gz,../data/EGD-0001/5_MASK/NIFTI/MASK.nii.gz"
    )
    cases = find_masked(tmp_path / "tables" / "cases.csv").cases
    assert [(case.patient, len(case.images)) for case in cases] == [
        ("EGD-0001", 4),
        ("EGD-0002", 4),
    ]


def test_examinations_in_one_folder_have_the_masks_of_their_names(tmp_path: Path) -> None:
    for patient in ("ann", "bob"):
        for sequence in ("t1", "flair"):
            scan(tmp_path / "all" / f"{patient}_{sequence}.nii.gz")
        mask(tmp_path / "all" / "masks" / f"{patient}_seg.nii.gz", 1)
    tabulate(tmp_path / "all", tmp_path / "cases.csv")
    assert masks_in(tmp_path / "cases.csv") == {
        "ann": "all/masks/ann_seg.nii.gz",
        "bob": "all/masks/bob_seg.nii.gz",
    }


def test_two_masks_are_left_to_the_user(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "ann"
    scan(folder / "t1.nii.gz")
    mask(folder / "reader1_seg.nii.gz", 1)
    mask(folder / "reader2_seg.nii.gz", 1)
    found = tabulate(tmp_path / "data", tmp_path / "cases.csv")
    names = "data/ann/reader1_seg.nii.gz, data/ann/reader2_seg.nii.gz"
    assert found.table_notes == (("ann", f"2 masks, fill in the one to use: {names}"),)
    assert masks_in(tmp_path / "cases.csv") == {}


def test_images_in_a_folder_of_masks_are_no_masks(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "ann"
    scan(folder / "t1.nii.gz")
    scan(folder / "auto-segmentation" / "T1_bet.nii.gz")
    mask(folder / "auto-segmentation" / "tumour.nii.gz", 1)
    tabulate(tmp_path / "data", tmp_path / "cases.csv")
    assert masks_in(tmp_path / "cases.csv") == {"ann": "data/ann/auto-segmentation/tumour.nii.gz"}


def test_masks_in_another_branch(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for name in ("W1_1996.10.25", "W10_1997.04.29"):
        for sequence in ("t1", "flair"):
            scan(data / "images" / name.split("_")[0] / f"{name}_{sequence}.nii.gz")
        mask(data / "labels" / f"{name}_reader_labels.nii.gz", 1, 2, 4)
    scan(data / "images" / "sub-03" / "anat" / "flair.nii.gz")
    mask(data / "derivatives" / "sub-03" / "tumor_seg.nii.gz", 1)
    mask(data / "derivatives" / "sub-03" / "brain_mask.nii.gz", 1)
    found = tabulate(data, tmp_path / "cases.csv")
    assert found.table_notes == found.problems == ()
    assert masks_in(tmp_path / "cases.csv") == {
        "W1-1996-10-25": "data/labels/W1_1996.10.25_reader_labels.nii.gz",
        "W10-1997-04-29": "data/labels/W10_1997.04.29_reader_labels.nii.gz",
        "sub-03": "data/derivatives/sub-03/tumor_seg.nii.gz",
    }


def test_masks_beside_the_folder_of_the_images(tmp_path: Path) -> None:
    for patient in ("Pat001", "Pat002"):
        scan(tmp_path / "data" / patient / "volumes" / "T1.nii.gz")
        mask(tmp_path / "data" / patient / "segmentations" / "label_tumor.nii.gz", 1)
    tabulate(tmp_path / "data", tmp_path / "cases.csv")
    assert masks_in(tmp_path / "cases.csv") == {
        name: f"data/{name}/segmentations/label_tumor.nii.gz" for name in ("Pat001", "Pat002")
    }


def test_masks_of_others_are_not_taken(tmp_path: Path) -> None:
    """Those of an examination that is refused, and of one whose images are not there."""
    data = tmp_path / "data"
    scan(data / "all" / "Pat001" / "T1.nii.gz")
    scan(data / "all" / "Pat002" / "CE_T1.nii.gz")
    mask(data / "all" / "Pat002" / "seg.nii.gz", 1)
    scan(data / "some" / "images" / "Pat003" / "T1.nii.gz")
    mask(data / "some" / "labels" / "Pat004" / "seg.nii.gz", 1)
    mask(data / "some" / "labels" / "Pat003_tp2_reader_seg.nii.gz", 1)
    found = tabulate(data, tmp_path / "cases.csv")
    assert [case for case, _ in found.problems] == ["Pat002"]
    assert masks_in(tmp_path / "cases.csv") == {}


def test_a_mask_of_the_brain_is_no_mask_of_a_tumour(tmp_path: Path) -> None:
    for sequence in ("t1", "t1c", "t2"):
        scan(tmp_path / "data" / "P1" / f"P1_{sequence}_bet_normalized.nii.gz")
    mask(tmp_path / "data" / "P1" / "P1_t1c_bet_mask.nii.gz", 1)
    found = tabulate(tmp_path / "data", tmp_path / "cases.csv")
    assert found.table_notes == (("P1", "no mask near its images"),)


def test_no_mask(tmp_path: Path) -> None:
    scan(tmp_path / "data" / "ann" / "t1.nii.gz")
    found = tabulate(tmp_path / "data", tmp_path / "cases.csv")
    assert found.table_notes == (("ann", "no mask near its images"),)


def test_an_existing_table_stays(tmp_path: Path) -> None:
    scan(tmp_path / "data" / "ann" / "t1.nii.gz")
    (tmp_path / "cases.csv").write_text("mine")
    with pytest.raises(ConfigError, match="exists already"):
        inspect(InspectOptions(paths=(tmp_path / "data",), table=tmp_path / "cases.csv"))
    assert (tmp_path / "cases.csv").read_text() == "mine"


def test_a_known_layout_needs_no_table(tmp_path: Path) -> None:
    brats(tmp_path / "data", "BraTS2021_00000", 1, 2, 4)
    with pytest.raises(ConfigError, match="known layout brats needs no table"):
        inspect(InspectOptions(paths=(tmp_path / "data",), table=tmp_path / "cases.csv"))
    assert not (tmp_path / "cases.csv").exists()
