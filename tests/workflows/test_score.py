"""``score``: pairing, reading and judging masks of any tool."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.core.labels import LabelArray
from gliomask.core.regions import REGIONS
from gliomask.core.volume import Affine
from gliomask.datasets.case_names import case_id
from gliomask.datasets.mask_files import find_masks
from gliomask.errors import BatchError, CasesError, FormatError, InputError, QuestionError
from gliomask.evaluation.case import EvaluatedCase, evaluate_case
from gliomask.formats.nifti import write_nifti
from gliomask.formats.pictures import write_picture
from gliomask.metrics.scores import MaskPair
from gliomask.workflows.score import ScoreOptions, ScoreResult, score
from tests.fakes import head_labels, head_volume, write_head
from tests.predictions import write_prediction

AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])


def run(tmp_path: Path, **changes: Any) -> ScoreResult:
    keys = {
        "references": tmp_path / "ref",
        "predictions": tmp_path / "pred",
        "report": False,
        **changes,
    }
    return score(ScoreOptions(out=tmp_path / "out", **keys))


def mask(*values: int) -> LabelArray:
    """A mask of 4 x 2 x 2 voxels that holds these values first."""
    flat = np.zeros(16, np.uint8)
    flat[: len(values)] = values
    return flat.reshape(4, 2, 2)


def write(path: Path, array: LabelArray, affine: Affine = AFFINE) -> None:
    write_nifti(path, array, affine)


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def test_by_hand(tmp_path: Path) -> None:
    write(tmp_path / "ref" / "p1_seg.nii.gz", mask(1, 1, 1, 0))
    write(tmp_path / "pred" / "p1.nii.gz", mask(0, 1, 1, 1))
    result = run(tmp_path)
    (row,) = rows(tmp_path / "out")
    assert (row["case"], row["patient"], row["region"]) == ("p1", "p1", "whole")
    assert float(row["dice"]) == pytest.approx(2 / 3, abs=1e-6)
    assert float(row["volume_reference_ml"]) == pytest.approx(0.006)
    assert result.summary.mean("dice", "whole") == pytest.approx(2 / 3)
    keys = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert keys["notice"] == "For research use only"
    assert keys["dice"]["whole"]["n"] == keys["n"] == 1
    assert keys["failed"] == []
    provenance = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert provenance["command"] == "score"
    assert provenance["options"]["labels"] == "auto"


def test_distances_are_in_millimetres(tmp_path: Path) -> None:
    """Slices are 2 mm apart, columns 1 mm."""
    drawn = np.zeros((9, 8, 7), np.uint8)
    drawn[2:6, 2:6, 1:5] = 1
    write(tmp_path / "ref" / "slices.nii.gz", drawn)
    write(tmp_path / "pred" / "slices.nii.gz", np.roll(drawn, 1, axis=2))
    write(tmp_path / "ref" / "columns.nii.gz", drawn)
    write(tmp_path / "pred" / "columns.nii.gz", np.roll(drawn, 1, axis=0))
    result = run(tmp_path)
    found = {row["case"]: row for row in rows(tmp_path / "out")}
    assert float(found["slices"]["hd95_mm"]) == 2.0
    assert float(found["columns"]["hd95_mm"]) == 1.0
    assert float(found["columns"]["nsd_1mm"]) == 1.0
    assert found["columns"]["hd95_px"] == ""
    assert result.summary.mean("lesion_hd95_mm", "whole") == 1.5
    assert result.summary.lesions["whole"]["found"] == 2


def test_equal_masks(tmp_path: Path) -> None:
    for k, values in enumerate([(1, 2, 4), (2, 2), (4, 1, 2)]):
        write(tmp_path / "ref" / f"p{k}_seg.nii.gz", mask(*values))
        write(tmp_path / "pred" / f"p{k}_seg.nii.gz", mask(*values))
    result = run(tmp_path)
    assert set(result.summary.metrics["dice"]) == {"whole", "core", "enhancing"}
    for metric in ("dice", "iou", "sensitivity", "precision"):
        assert {row[metric] for row in rows(tmp_path / "out")} <= {"1.000000", ""}
    assert result.summary.metrics["dice"]["core"].n == 2
    assert result.summary.metrics["dice"]["core"].n_empty == 1


def test_a_data_set_as_reference(tmp_path: Path) -> None:
    name = "BraTS-GLI-00007-000"
    write_head(tmp_path / "ref", name, head_volume(), head_labels())
    write(tmp_path / "pred" / f"{name}_mask.nii.gz", head_labels(), head_volume().affine)
    result = run(tmp_path)
    assert result.summary.mean("dice", "whole") == 1.0
    assert rows(tmp_path / "out")[0]["patient"] == "BraTS-GLI-00007"
    assert result.explanation[0] == "references: tumour or not, from the number in the masks (1)"


@pytest.mark.parametrize(
    ("axes", "flips"), [((0, 1, 2), (0, 1)), ((2, 0, 1), (1,)), ((1, 2, 0), (0, 2))]
)
def test_axes_in_another_order(
    tmp_path: Path, axes: tuple[int, ...], flips: tuple[int, ...]
) -> None:
    write(tmp_path / "ref" / "p.nii.gz", head_labels(), head_volume().affine)
    turned = head_volume(axes, flips)
    write(tmp_path / "pred" / "p.nii.gz", head_labels(axes, flips), turned.affine)
    assert run(tmp_path).summary.mean("dice", "whole") == 1.0


def test_another_grid_is_refused(tmp_path: Path) -> None:
    moved = AFFINE.copy()
    moved[0, 3] = 1.0
    for name, affine in (("p1", AFFINE), ("p2", moved)):
        write(tmp_path / "ref" / f"{name}.nii.gz", mask(1, 1))
        write(tmp_path / "pred" / f"{name}.nii.gz", mask(1, 1), affine)
    with pytest.raises(BatchError) as caught:
        run(tmp_path)
    ((case, reason),) = caught.value.failures
    assert case == "p2"
    assert str(tmp_path / "ref" / "p2.nii.gz") in reason
    assert str(tmp_path / "pred" / "p2.nii.gz") in reason
    assert [row["case"] for row in rows(tmp_path / "out")] == ["p1"]


def test_masks_without_a_partner_are_listed(tmp_path: Path) -> None:
    for name in ("p1", "p2"):
        write(tmp_path / "ref" / f"{name}_seg.nii.gz", mask(1))
    for name in ("p1", "p3"):
        write(tmp_path / "pred" / f"{name}_mask.nii.gz", mask(1))
    with pytest.raises(BatchError, match="2 failed, 1 done") as caught:
        run(tmp_path)
    assert dict(caught.value.failures).keys() == {"p2", "p3"}
    keys = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert {one["case"] for one in keys["failed"]} == {"p2", "p3"}
    assert keys["n"] == 1


def test_nothing_fits(tmp_path: Path) -> None:
    for folder, name in (("ref", "a"), ("ref", "b"), ("pred", "c")):
        write(tmp_path / folder / f"{name}.nii.gz", mask(1))
    with pytest.raises(CasesError, match="no pair"):
        run(tmp_path)
    assert not (tmp_path / "out").exists()


def test_two_files_are_a_pair(tmp_path: Path) -> None:
    write(tmp_path / "truth.nii.gz", mask(1, 1))
    write(tmp_path / "network.nii.gz", mask(1))
    result = run(
        tmp_path, references=tmp_path / "truth.nii.gz", predictions=tmp_path / "network.nii.gz"
    )
    assert result.summary.mean("dice", "whole") == pytest.approx(2 / 3)


def test_empty_masks_are_counted_apart(tmp_path: Path) -> None:
    for folder in ("ref", "pred"):
        write(tmp_path / folder / "p1.nii.gz", mask())
        write(tmp_path / folder / "p2.nii.gz", mask(1))
    result = run(tmp_path)
    assert (result.summary.n, result.summary.n_empty) == (1, 1)
    assert [row["dice"] for row in rows(tmp_path / "out")] == ["", "1.000000"]


@pytest.mark.parametrize(
    ("drawn", "found", "regions"),
    [
        ((1, 1), (1, 1), ["whole"]),
        ((255, 255), (1, 1), ["whole"]),
        ((1, 2, 4), (1, 2), ["whole", "core", "enhancing"]),
        ((2, 1), (4, 2, 1), ["whole", "core", "enhancing"]),
        ((1, 2, 4), (1, 1, 1), ["whole"]),
        ((1, 1, 1), (1, 2, 3), ["whole"]),
        ((1, 2, 4), (), ["whole", "core", "enhancing"]),
        ((1, 2, 3), (1, 2, 3), ["whole", "enhancing"]),  # 1 or 2 is the rest of the core
    ],
)
def test_labels_by_their_numbers(
    tmp_path: Path, drawn: tuple[int, ...], found: tuple[int, ...], regions: list[str]
) -> None:
    write(tmp_path / "ref" / "p.nii.gz", mask(*drawn))
    write(tmp_path / "pred" / "p.nii.gz", mask(*found))
    result = run(tmp_path)
    assert list(result.summary.metrics["dice"]) == regions


@pytest.mark.parametrize(
    ("drawn", "found", "option", "answers"),
    [
        ((1, 2, 3, 4), (1, 2, 3, 4), "labels", ["brats2013", "brats2024", "brats-ped2024"]),
        ((1, 2, 4), (1, 2, 3), "prediction_labels", ["brats2023", "msd"]),
        ((1, 2, 3), (1, 2, 4), "reference_labels", ["brats2023", "msd"]),
        ((1, 2, 7), (1, 1), "reference_labels", ["1=NAME,2=NAME,7=NAME", "binary"]),
    ],
)
def test_doubtful_numbers_are_asked_about(
    tmp_path: Path, drawn: tuple[int, ...], found: tuple[int, ...], option: str, answers: list[str]
) -> None:
    write(tmp_path / "ref" / "p.nii.gz", mask(*drawn))
    write(tmp_path / "pred" / "p.nii.gz", mask(*found))
    with pytest.raises(QuestionError) as asked:
        run(tmp_path)
    assert asked.value.option == option
    assert [answer for answer, _ in asked.value.answers] == answers
    assert not (tmp_path / "out").exists()


def test_labels_as_answered(tmp_path: Path) -> None:
    write(tmp_path / "ref" / "p.nii.gz", mask(1, 2, 4))
    write(tmp_path / "pred" / "p.nii.gz", mask(1, 2, 4))
    assert list(run(tmp_path, labels="binary").summary.metrics["dice"]) == ["whole"]
    with pytest.raises(CasesError) as caught:
        run(tmp_path, labels="brats2023")
    assert "label 4 is not one of" in caught.value.problems[0][1]
    assert "`... reference_labels=" in caught.value.problems[0][1]


def test_each_side_is_answered_for_itself(tmp_path: Path) -> None:
    """1 necrosis, 2 oedema, 4 enhancing against 1 oedema, 2 necrosis, 3 enhancing."""
    write(tmp_path / "ref" / "p.nii.gz", mask(1, 2, 4))
    write(tmp_path / "pred" / "p.nii.gz", mask(2, 1, 3))
    result = run(
        tmp_path, reference_labels="brats2021", prediction_labels="1=oedema,2=necrosis,3=enhancing"
    )
    assert [row["dice"] for row in rows(tmp_path / "out")] == ["1.000000"] * 3
    assert result.explanation == (
        "references: BraTS 2017-2022, as stated",
        "predictions: 1=oedema,2=necrosis,3=enhancing, as stated",
    )
    reference_only = run(tmp_path, reference_labels="brats2021", labels="msd")
    assert reference_only.summary.mean("dice", "core") == 1.0


def test_an_answer_overrules_what_a_data_set_says(tmp_path: Path) -> None:
    name = "BraTS-GLI-00007-000"
    write_head(tmp_path / "ref", name, head_volume(), head_labels())
    write(tmp_path / "pred" / f"{name}.nii.gz", head_labels(), head_volume().affine)
    assert list(run(tmp_path, labels="binary").summary.metrics["dice"]) == ["whole"]


def decathlon(root: Path, array: LabelArray) -> None:
    """Two cases as the brain tumour task of the Decathlon numbers them."""
    for case in ("c1", "c2"):
        image = np.random.default_rng(0).random((*array.shape, 4)).astype(np.float32)
        write_nifti(root / "imagesTr" / f"{case}.nii.gz", image, AFFINE)
        write(root / "labelsTr" / f"{case}.nii.gz", array)
    labels = {"0": "background", "1": "edema", "2": "non-enhancing tumor", "3": "enhancing tumour"}
    modality = {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"}
    text = json.dumps({"modality": modality, "labels": labels})
    (root / "dataset.json").write_text(text)


def test_predictions_that_follow_the_reference_set_s_numbers(tmp_path: Path) -> None:
    """Masks that are the same files score 1, whatever other schemes have the same numbers."""
    array = mask(1, 1, 1, 2, 2, 3)
    decathlon(tmp_path / "ref", array)
    for case in ("c1", "c2"):
        write(tmp_path / "pred" / f"{case}.nii.gz", array)
    result = run(tmp_path)
    assert {row["dice"] for row in rows(tmp_path / "out")} == {"1.000000"}
    assert [row["region"] for row in rows(tmp_path / "out")][:3] == ["whole", "core", "enhancing"]
    assert (
        "from dataset.json" in result.explanation[0] or "from the layout" in result.explanation[0]
    )
    assert "same as the masks they are compared with" in result.explanation[1]
    assert float(rows(tmp_path / "out")[1]["volume_reference_ml"]) == pytest.approx(3 * 0.002)


def test_the_resection_cavity_of_2024_is_no_tumour(tmp_path: Path) -> None:
    """Without images the names of the masks tell the challenge."""
    array = mask(2, 2, 2, 1, 1, 3, 4, 4, 4)
    for case in ("BraTS-GLI-00005-100", "BraTS-GLI-00006-100"):
        write(tmp_path / "ref" / f"{case}-seg.nii.gz", array)
        write(tmp_path / "pred" / f"{case}.nii.gz", array)
    run(tmp_path)
    volumes = {row["region"]: float(row["volume_reference_ml"]) for row in rows(tmp_path / "out")}
    assert volumes == pytest.approx({"whole": 0.012, "core": 0.006, "enhancing": 0.002})


def test_4_is_enhancing_tumour_in_masks_of_2021(tmp_path: Path) -> None:
    write(tmp_path / "ref" / "BraTS2021_00005_seg.nii.gz", mask(2, 2, 2, 1, 1, 4))
    write(tmp_path / "pred" / "BraTS2021_00005.nii.gz", mask(2, 2, 2, 1, 1, 4))
    run(tmp_path)
    volumes = {row["region"]: float(row["volume_reference_ml"]) for row in rows(tmp_path / "out")}
    assert volumes == pytest.approx({"whole": 0.012, "core": 0.006, "enhancing": 0.002})


def test_a_binary_prediction_is_not_taken_for_necrosis(tmp_path: Path) -> None:
    write(tmp_path / "ref" / "BraTS-GLI-00005-100-seg.nii.gz", mask(2, 1, 3))
    write(tmp_path / "pred" / "BraTS-GLI-00005-100.nii.gz", mask(1, 1, 1))
    assert list(run(tmp_path).summary.metrics["dice"]) == ["whole"]


def test_masks_of_predict_say_what_they_hold(tmp_path: Path) -> None:
    write(tmp_path / "ref" / "p.nii.gz", mask(1, 2, 4))
    labels = mask(1, 2, 3).astype(np.uint8)
    write_prediction(tmp_path / "pred", labels, AFFINE, case="p", regions=tuple(REGIONS))
    result = run(tmp_path)
    assert {row["dice"] for row in rows(tmp_path / "out")} == {"1.000000"}
    assert result.explanation[1:] == (
        "predictions: parts of the tumour, written by gliomask predict",
    )
    exchanged = run(tmp_path, references=tmp_path / "pred", predictions=tmp_path / "ref")
    assert exchanged.explanation[2] == (
        "WARNING: the references were written by gliomask predict, the predictions were not: were "
        "the two folders exchanged?"
    )


def test_what_nnunet_wrote_of_regions_goes_by_their_order(tmp_path: Path) -> None:
    """Trained on BraTS 2023 with the order 1, 2, 3: it writes 1 for oedema."""
    write(tmp_path / "ref" / "BraTS-GLI-00005-000-seg.nii.gz", mask(2, 2, 1, 3))
    write(tmp_path / "pred" / "BraTS-GLI-00005-000.nii.gz", mask(1, 1, 2, 3))
    regions = {"background": 0, "whole": [1, 2, 3], "core": [1, 3], "enhancing": [3]}
    keys = {"labels": regions, "regions_class_order": [1, 2, 3]}
    (tmp_path / "pred" / "dataset.json").write_text(json.dumps(keys))
    run(tmp_path)
    assert {row["dice"] for row in rows(tmp_path / "out")} == {"1.000000"}


def test_a_broken_description_beside_predictions_is_said(tmp_path: Path) -> None:
    write(tmp_path / "ref" / "p.nii.gz", mask(1, 2, 4))
    write(tmp_path / "pred" / "p.nii.gz", mask(1, 2, 4))
    (tmp_path / "pred" / "dataset.json").write_text('{"labels": {"tumor": "1"}}')
    with pytest.raises(
        FormatError, match=r"dataset\.json: the label 'tumor' is not a whole number"
    ):
        run(tmp_path)


def test_folders_of_pictures(tmp_path: Path) -> None:
    """Slice 10 comes after slice 9, so that slices are compared with their own."""
    drawn = np.zeros((12, 4, 5), np.uint8)
    for k in range(12):
        drawn[k, 1, : k % 5] = 255
        for folder in ("ref", "pred"):
            write_picture(tmp_path / folder / "p_mask" / f"s_{k + 1}_mask.png", drawn[k])
    result = run(tmp_path)
    assert result.summary.mean("dice", "whole") == 1.0
    (row,) = rows(tmp_path / "out")
    assert row["volume_reference_ml"] == row["hd95_mm"] == ""
    assert float(row["hd95_px"]) == 0
    assert "hd95_mm" not in result.summary.metrics
    assert result.summary.slices["whole"].dice == 1.0


def test_only_an_evaluation_is_replaced(tmp_path: Path) -> None:
    write(tmp_path / "ref" / "p.nii.gz", mask(1))
    write(tmp_path / "pred" / "p.nii.gz", mask(1))
    run(tmp_path)
    run(tmp_path)
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match=r"something other than an evaluation \(entry=mine.txt"):
        run(tmp_path)
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_two_masks_of_one_case(tmp_path: Path) -> None:
    write(tmp_path / "ref" / "p_seg.nii.gz", mask(1))
    write(tmp_path / "ref" / "p_mask.nii.gz", mask(1))
    with pytest.raises(InputError, match="two masks of p"):
        run(tmp_path, predictions=tmp_path / "ref")


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        find_masks(tmp_path / "ref")
    with pytest.raises(InputError, match="no masks"):
        find_masks(tmp_path)
    write(tmp_path / "p_flair.nii.gz", mask(1))
    with pytest.raises(InputError, match=r"no masks: by its name p_flair\.nii\.gz is an image"):
        find_masks(tmp_path)
    write(tmp_path / "p_flair_tumor.nii.gz", mask(1))
    assert [mask_file.case for mask_file in find_masks(tmp_path)] == ["p_flair"]
    for name in ("p_adc", "p_rtdose", "p_brain_mask"):  # no masks of a tumour beside one
        write(tmp_path / f"{name}.nii.gz", mask(1))
    assert [mask_file.case for mask_file in find_masks(tmp_path)] == ["p_flair"]


def test_what_predict_leaves_is_found(tmp_path: Path) -> None:
    write(tmp_path / "p_mask.nii.gz", mask(1))
    for layer in ("probability", "disagreement"):
        path = tmp_path / f"p_{layer}_whole.nii.gz"
        write_nifti(path, mask(1).astype(np.float32), AFFINE)
    (tmp_path / "cases.csv").write_text("case\np\n")
    assert [found.case for found in find_masks(tmp_path)] == ["p"]


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("BraTS2021_00000_seg.nii.gz", "BraTS2021_00000"),
        ("BraTS-GLI-00005-101-seg.nii.gz", "BraTS-GLI-00005-101"),
        ("p1_mask", "p1"),
        ("p1_t1_pred_seg.nii", "p1_t1"),
        ("segment_7.nii.gz", "segment_7"),
        ("mask.nii.gz", "mask"),
    ],
)
def test_case_in_a_name(name: str, case: str) -> None:
    assert case_id(name) == case


def block(root: Path, folder: str, name: str, *, flip: bool = False) -> None:
    """A head's worth of voxels with a tumour on one side."""
    array = np.zeros((20, 16, 6), np.uint8)
    array[2:8, 4:10, 1:4] = 1
    write(root / folder / f"{name}.nii.gz", array[::-1].copy() if flip else array)


def test_a_mirrored_mask_is_told(tmp_path: Path) -> None:
    for name in ("p1", "p2"):
        block(tmp_path, "ref", name)
        block(tmp_path, "pred", name, flip=name == "p2")
    result = run(tmp_path, report=True)
    ((case, remark),) = result.remarks
    assert case == "p2"
    assert "mirrored left-right" in remark
    keys = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert keys["remarks"] == [{"case": case, "remark": remark}]
    assert "mirrored left-right" in (tmp_path / "out" / "report.html").read_text()


def test_exchanged_masks_are_told(tmp_path: Path) -> None:
    places = {"p1": np.s_[1:7, 1:6, 1:3], "p2": np.s_[12:18, 9:15, 2:5]}
    for name, other in (("p1", "p2"), ("p2", "p1")):
        for folder, place in (("ref", places[name]), ("pred", places[other])):
            array = np.zeros((20, 16, 6), np.uint8)
            array[place] = 1
            write(tmp_path / folder / f"{name}.nii.gz", array)
    assert any("exchanged" in remark for _, remark in run(tmp_path).remarks)


@pytest.mark.slow
def test_several_processes_give_the_same(tmp_path: Path) -> None:
    for k in range(3):
        write(tmp_path / "ref" / f"p{k}.nii.gz", mask(1, 1, 1, 0))
        write(tmp_path / "pred" / f"p{k}.nii.gz", mask(*[1] * (k + 1)))
    write(tmp_path / "ref" / "p9.nii.gz", mask(1))
    write(tmp_path / "pred" / "p9.nii.gz", mask(1).reshape(2, 4, 2))
    with pytest.raises(BatchError):
        run(tmp_path, workers=1)
    alone = (tmp_path / "out" / "metrics.csv").read_text()
    with pytest.raises(BatchError) as caught:
        run(tmp_path, workers=2)
    assert (tmp_path / "out" / "metrics.csv").read_text() == alone
    assert caught.value.failures[0][0] == "p9"


def test_a_stopped_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for k in range(3):
        write(tmp_path / "ref" / f"p{k}.nii.gz", mask(1, 1))
        write(tmp_path / "pred" / f"p{k}.nii.gz", mask(1))
    judged: list[str] = []

    def stop_after_two(pair: MaskPair, *others: Any) -> EvaluatedCase:
        if len(judged) == 2:
            raise KeyboardInterrupt
        judged.append(pair.case)
        return evaluate_case(pair, *others)

    with monkeypatch.context() as patched:
        patched.setattr("gliomask.evaluation.evaluated_masks.evaluate_case", stop_after_two)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path)
    assert not (tmp_path / "out").exists()
    result = run(tmp_path)
    assert result.resumed == 2
    assert [row["case"] for row in rows(tmp_path / "out")] == ["p0", "p1", "p2"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out", "pred", "ref"]


def test_a_changed_mask_is_judged_anew(tmp_path: Path) -> None:
    for folder in ("ref", "pred"):
        write(tmp_path / folder / "p.nii.gz", mask(1, 1))
        write(tmp_path / folder / "q.nii.gz", mask(1, 1))
    journal = tmp_path / ".out.cases.journal"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("gliomask.jobs.journal.Journal.discard", lambda _: None)
        run(tmp_path)
    assert journal.is_file()
    write(tmp_path / "pred" / "q.nii.gz", mask(1))
    result = run(tmp_path)
    assert result.resumed == 1
    assert [row["dice"] for row in rows(tmp_path / "out")] == ["1.000000", "0.666667"]


def test_groups_of_a_table(tmp_path: Path) -> None:
    for k in range(6):
        write(tmp_path / "ref" / f"p{k}.nii.gz", mask(1, 1))
        write(tmp_path / "pred" / f"p{k}.nii.gz", mask(1) if k % 2 else mask(1, 1))
    table = tmp_path / "patients.csv"
    table.write_text("patient,grade\n" + "".join(f"p{k},{2 + k % 2}\n" for k in range(6)))
    run(tmp_path, table=table, by=("grade",))
    groups = json.loads((tmp_path / "out" / "summary.json").read_text())["strata"]["grade"]["dice"]
    assert groups["2"]["mean"] == 1.0
    assert groups["3"]["mean"] == pytest.approx(2 / 3)
    assert (groups["2"]["n"], groups["3"]["n"]) == (3, 3)


def test_a_table_that_lacks_patients_is_stated(tmp_path: Path) -> None:
    for k in (1, 2):
        write(tmp_path / "ref" / f"p{k}.nii.gz", mask(1, 1))
        write(tmp_path / "pred" / f"p{k}.nii.gz", mask(1))
    table = tmp_path / "patients.csv"
    table.write_text("patient,grade\np1,2\n")
    result = run(tmp_path, table=table, by=("grade",), report=True)
    stated = "patients.csv lacks 1 of the 2 evaluated patients, so their values are unknown: p2"
    assert result.warnings == (stated,)
    assert stated in (tmp_path / "out" / "report.html").read_text()


def test_a_table_of_other_patients_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "ref" / "p1.nii.gz", mask(1, 1))
    write(tmp_path / "pred" / "p1.nii.gz", mask(1))
    table = tmp_path / "patients.csv"
    table.write_text("patient,grade\np7,2\nx,3\n")
    with pytest.raises(InputError, match="contains none of the evaluated patients") as caught:
        run(tmp_path, table=table, by=("grade",))
    assert "(patient=p7, allowed p1); did you mean 'p1'?" in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("side", ["references", "predictions"])
def test_a_zip_archive_must_be_unpacked(tmp_path: Path, side: str) -> None:
    write(tmp_path / "ref" / "p1.nii.gz", mask(1, 1))
    write(tmp_path / "pred" / "p1.nii.gz", mask(1))
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "ref"))
    with pytest.raises(InputError, match=r"packed\.zip: a zip archive, not masks; unpack it"):
        run(tmp_path, **{side: packed})


def test_a_table_of_pairs_is_not_advised_where_it_was_given(tmp_path: Path) -> None:
    write(tmp_path / "ref" / "p1.nii.gz", mask(1, 1))
    write(tmp_path / "pred" / "x.nii.gz", mask(1))
    write(tmp_path / "pred" / "y.nii.gz", mask(1))
    with pytest.raises(CasesError, match="no pair of masks could be scored") as without:
        run(tmp_path)
    assert "pairs.csv" in str(without.value)
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("reference,prediction\np1.nii.gz,z.nii.gz\n")
    with pytest.raises(CasesError, match=r"no pair of masks could be scored$") as refused:
        run(tmp_path, pairs=pairs)
    assert "row 2: no such mask" in refused.value.problems[0][1]


def test_everything_a_paper_needs(tmp_path: Path) -> None:
    for k in range(3):
        write(tmp_path / "ref" / f"p{k}.nii.gz", mask(1, 1, 1))
        write(tmp_path / "pred" / f"p{k}.nii.gz", mask(*[1] * (k + 1)))
    run(tmp_path, report=True)
    out = tmp_path / "out"
    assert {"scores.csv", "scores_whole.tex"} <= {e.name for e in (out / "tables").iterdir()}
    assert r"\toprule" in (out / "tables" / "scores_whole.tex").read_text()
    for stem in ("spread_dice", "spread_hd95_mm", "bland_altman_whole"):
        assert (out / "figures" / f"{stem}.svg").stat().st_size > 3000
        assert (out / "figures" / f"{stem}.png").stat().st_size > 3000
    assert "For research use only" in (out / "checklist.md").read_text()
    page = (out / "report.html").read_text()
    assert "Both masks empty" in page


def test_a_reference_that_lost_its_offset_is_judged_where_its_image_lies(tmp_path: Path) -> None:
    name = "BraTS-GLI-00007-000"
    volume = head_volume()
    write_head(tmp_path / "ref", name, volume, head_labels())
    (reference,) = (tmp_path / "ref").rglob("*seg*")
    lost = volume.affine.copy()
    lost[:3, 3] = 0
    write(reference, head_labels(), lost)
    write(tmp_path / "pred" / f"{name}.nii.gz", head_labels(), volume.affine)
    assert run(tmp_path).summary.mean("dice", "whole") == 1.0
