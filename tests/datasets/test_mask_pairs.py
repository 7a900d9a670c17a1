"""Which masks belong together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.datasets.mask_files import find_masks
from gliomask.datasets.mask_pairs import find_pairs
from gliomask.errors import FormatError, InputError
from gliomask.formats.nifti import write_nifti
from gliomask.formats.pictures import write_picture

AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])


def put(folder: Path, *names: str) -> Path:
    mask = np.zeros((4, 3, 2), np.uint8)
    mask[1, 1] = 1
    for name in names:
        path = folder / name
        if path.suffix == ".png":
            write_picture(path, mask[:, :, 0] * np.uint8(255))
        else:
            write_nifti(path, mask, AFFINE)
    return folder


def cases(reference: Path, predicted: Path, table: Path | None = None) -> list[tuple[str, str]]:
    pairs, _ = find_pairs(reference, predicted, table)
    return [(one.case, other.file.paths[0].name) for one, other in pairs]


def test_by_the_case_in_the_name(tmp_path: Path) -> None:
    drawn = put(tmp_path / "ref", "a_seg.nii.gz", "b_seg.nii.gz")
    found = put(tmp_path / "pred", "b.nii.gz", "c.nii.gz")
    pairs, failures = find_pairs(drawn, found)
    assert [one.case for one, _ in pairs] == ["b"]
    assert [(case, reason.split(" for ")[0]) for case, reason in failures] == [
        ("c", "no reference"),
        ("a", "no prediction"),
    ]


def test_by_a_table(tmp_path: Path) -> None:
    drawn = put(tmp_path / "ref", "x/seg.nii.gz", "y/seg.nii.gz")
    found = put(tmp_path / "pred", "17.nii.gz", "18.nii.gz", "19.nii.gz")
    table = tmp_path / "pairs.csv"
    table.write_text(
        "Reference;Prediction;case;patient\n"
        "x/seg.nii.gz;18.nii.gz;first;TCGA_CS_4941_19960909\n"
        "y/seg.nii.gz;17.nii.gz;second;\n"
        "z/seg.nii.gz;17.nii.gz;third;\n"
        "y/seg.nii.gz;17.nii.gz;fourth;P07_tp1\n"
    )
    pairs, failures = find_pairs(drawn, found, table)
    assert [(one.case, one.patient, other.file.paths[0].name) for one, other in pairs] == [
        ("first", "TCGA-CS-4941", "18.nii.gz"),
        ("second", "y", "17.nii.gz"),
        ("fourth", "P07_tp1", "17.nii.gz"),
    ]
    assert failures[0][0] == "third"
    assert "row 4: no such mask" in failures[0][1]
    assert "reference=z/seg.nii.gz" in failures[0][1]
    assert failures[1] == ("19", f"no reference for {found / '19.nii.gz'}")


def test_a_table_from_windows(tmp_path: Path) -> None:
    drawn = put(tmp_path / "ref", "x/seg.nii.gz")
    predicted = put(tmp_path / "pred", "x/y/17.nii.gz", "x/y/18.nii.gz")
    table = tmp_path / "pairs.csv"
    table.write_text("reference,prediction\r\nx\\seg.nii.gz,x\\y\\17.nii.gz\r\n")
    assert cases(drawn, predicted, table) == [("x", "17.nii.gz")]


def test_a_table_can_not_lead_out_of_the_folders(tmp_path: Path) -> None:
    drawn = put(tmp_path / "ref", "a.nii.gz", "b.nii.gz")
    found = put(tmp_path / "pred", "a.nii.gz", "b.nii.gz")
    put(tmp_path, "secret.nii.gz")
    table = tmp_path / "pairs.csv"
    table.write_text("reference,prediction\n../secret.nii.gz,a.nii.gz\n")
    pairs, failures = find_pairs(drawn, found, table)
    assert pairs == ()
    assert "no such mask" in failures[0][1]


def test_a_table_without_its_columns(tmp_path: Path) -> None:
    put(tmp_path / "ref", "a.nii.gz")
    put(tmp_path / "pred", "a.nii.gz")
    table = tmp_path / "pairs.csv"
    table.write_text("reference,predicted\na.nii.gz,a.nii.gz\n")
    with pytest.raises(FormatError, match=r"column=prediction.*did you mean 'predicted'"):
        find_pairs(tmp_path / "ref", tmp_path / "pred", table)


def test_pictures_of_one_slice_each(tmp_path: Path) -> None:
    """As nnU-Net writes them in two dimensions."""
    drawn = put(tmp_path / "labelsTr", "s_1.png", "s_2.png")
    found = put(tmp_path / "pred", "s_1.png", "s_2.png")
    assert cases(drawn, found) == [("s_1", "s_1.png"), ("s_2", "s_2.png")]


def test_folders_of_slices_are_a_case_each(tmp_path: Path) -> None:
    drawn = put(tmp_path / "ref", "p1/1.png", "p1/2.png", "p2/1.png")
    found = put(tmp_path / "pred", "p1/1.png", "p1/2.png", "p2/1.png")
    pairs, failures = find_pairs(drawn, found)
    assert [(one.case, len(one.file.paths)) for one, _ in pairs] == [("p1", 2), ("p2", 1)]
    assert failures == ()


def test_pictures_beside_nifti_are_previews(tmp_path: Path) -> None:
    put(tmp_path / "pred", "p1.png", "p1_mask.nii.gz")
    assert [mask.file.paths[0].name for mask in find_masks(tmp_path / "pred")] == ["p1_mask.nii.gz"]


def test_nnunet_s_output_says_what_its_labels_are(tmp_path: Path) -> None:
    found = put(tmp_path / "pred", "BRATS_1.nii.gz")
    (found / "dataset.json").write_text(
        '{"channel_names": {"0": "FLAIR"}, "file_ending": ".nii.gz", '
        '"labels": {"background": 0, "edema": 1, "necrosis": 2, "enhancing tumor": 3}}'
    )
    (found / "plans.json").write_text("{}")
    (found / "predict_from_raw_data_args.json").write_text("{}")
    (mask,) = find_masks(found)
    assert mask.scheme is not None
    assert dict(mask.scheme.values) == {1: 2, 2: 1, 3: 3}  # ours: 1 necrosis, 2 oedema


def test_a_mask_is_not_compared_with_itself(tmp_path: Path) -> None:
    drawn = put(tmp_path / "ref", "a_seg.nii.gz")
    for predictions in (drawn, drawn / "a_seg.nii.gz"):
        with pytest.raises(InputError, match="the same file is reference and prediction"):
            find_pairs(drawn, predictions)
