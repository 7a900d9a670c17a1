"""dataset.json rules: channels, labels, regions, 4-D files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.core.labels import ENHANCING, NECROSIS, OEDEMA, TUMOUR
from gliomask.datasets.description import read_description
from gliomask.datasets.find import find_cases
from gliomask.datasets.load import load_case
from gliomask.datasets.nnunet import cases, looks_like
from gliomask.errors import CaseError, FormatError, QuestionError
from gliomask.formats.nifti import write_nifti
from gliomask.studies.find import audit
from tests.datasets.tiny import AFFINE, intensities, labels_of, mask, scan

VERSION_2: dict[str, Any] = {
    "channel_names": {"0": "T1", "1": "FLAIR"},
    "labels": {"background": 0, "edema": 1, "non-enhancing tumor": 2, "enhancing tumour": 3},
    "numTraining": 2,
    "file_ending": ".nii.gz",
}
DECATHLON: dict[str, Any] = {
    "modality": {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"},
    "labels": {
        "0": "background",
        "1": "edema",
        "2": "non-enhancing tumor",
        "3": "enhancing tumour",
    },
    "licence": "CC-BY-SA 4.0",
}
REGIONS = {"background": 0, "whole tumor": [1, 2, 3], "tumor core": [2, 3], "enhancing": 3}


def describe(root: Path, description: dict[str, Any]) -> None:
    (root / "imagesTr").mkdir(exist_ok=True)
    (root / "dataset.json").write_text(json.dumps(description))


def nnunet(root: Path, *names: str, description: dict[str, Any] = VERSION_2) -> None:
    for name in names:
        for channel in range(len(description["channel_names"])):
            scan(root / "imagesTr" / f"{name}_{channel:04d}.nii.gz", channel)
        mask(root / "labelsTr" / f"{name}.nii.gz", 1, 2, 3)
    describe(root, description)


def test_a_file_per_channel(tmp_path: Path) -> None:
    nnunet(tmp_path, "A_1", "TCGA-CS-4942_x")
    verdict = looks_like(tmp_path)
    assert verdict.fits
    assert "dataset.json" in verdict.why
    (first, second), problems = cases(tmp_path)
    assert not problems
    assert (first.id, second.patient, second.site) == ("A_1", "TCGA-CS-4942", "CS")
    volume, labels = load_case(first)
    assert np.array_equal(volume.select(("flair",)).array[0], intensities(1))
    assert labels is not None
    assert [labels[2, 3, k] for k in (2, 3, 4)] == [OEDEMA, NECROSIS, ENHANCING]


def test_one_file_for_all_channels(tmp_path: Path) -> None:
    image = np.stack([intensities(n) for n in range(4)], axis=-1)
    for name in ("BRATS_001", "BRATS_9002"):
        write_nifti(tmp_path / "imagesTr" / f"{name}.nii.gz", image, AFFINE)
        mask(tmp_path / "labelsTr" / f"{name}.nii.gz", 1, 2, 3)
    (tmp_path / "imagesTr" / "._BRATS_001.nii.gz").touch()
    describe(tmp_path, DECATHLON)
    found, problems = cases(tmp_path)
    assert not problems
    assert [case.id for case in found] == ["BRATS_001", "BRATS_9002"]
    assert found[0].licence == "CC-BY-SA 4.0"
    volume, _ = load_case(found[0])
    for sequence, number in (("flair", 0), ("t1", 1), ("t1ce", 2), ("t2", 3)):
        assert np.array_equal(volume.select((sequence,)).array[0], intensities(number))


def test_a_file_with_fewer_volumes_than_described(tmp_path: Path) -> None:
    scan(tmp_path / "imagesTr" / "BRATS_001.nii.gz")
    describe(tmp_path, DECATHLON)
    (case,), _ = cases(tmp_path)
    with pytest.raises(CaseError, match="volume=1, allowed 0 to 0"):
        load_case(case)


def test_a_single_channel_needs_no_choice(tmp_path: Path) -> None:
    scan(tmp_path / "imagesTr" / "A.nii.gz")
    describe(tmp_path, {"modality": {"0": "FLAIR"}, "labels": {"0": "background", "1": "tumour"}})
    (case,), _ = cases(tmp_path)
    assert case.images["flair"].channel is None
    assert case.label is None


def test_unknown_channels_are_said_and_left_out(tmp_path: Path) -> None:
    nnunet(tmp_path, "A", description=VERSION_2 | {"channel_names": {"0": "T1", "1": "ADC"}})
    (case,), problems = cases(tmp_path)
    assert not problems
    assert set(case.images) == {"t1"}
    assert case.notes == (
        "channels not used: ADC (a name must identify one of t1, t1ce, t2, flair)",
    )
    describe(tmp_path, VERSION_2 | {"channel_names": {"0": "MRI", "1": "ADC"}})
    found, (problem,) = cases(tmp_path)
    assert not found
    assert problem.case == "dataset.json"
    assert "MRI, ADC" in problem.reason
    assert "t1, t1ce, t2, flair" in problem.reason


def test_problems(tmp_path: Path) -> None:
    nnunet(tmp_path, "A", "B", "C")
    (tmp_path / "imagesTr" / "A_0001.nii.gz").unlink()
    for channel in range(2):
        (tmp_path / "imagesTr" / f"B_{channel:04d}.nii.gz").unlink()
    found, problems = cases(tmp_path)
    assert [case.id for case in found] == ["C"]
    assert "channel files are missing: 0001" in problems[0].reason
    assert "a mask but no images" in problems[1].reason


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"channel_names": {}}, "no channels (channel_names="),
        ({"channel_names": {"0": "T1", "2": "T2"}}, "no channels"),
        ({"channel_names": ["T1"]}, "no channels"),
        ({"channel_names": {"1": "FLAIR"}}, 'numbers from "0" on'),
        ({"channel_names": {"0": "T1", "1": "T1w"}}, "two channels for t1 (channel_names=T1, T1w"),
        ({"channel_names": {"0": "T1 gd", "1": "T1 post"}}, "two channels for t1ce"),
        ({"labels": None}, "no labels (labels=None"),
        ({"labels": {}}, "no labels (labels={}"),
        ({"labels": ["background", "tumour"]}, "no labels (labels=["),
        (
            {"labels": {"background": 0, "tumour": "x"}},
            "'tumour' is not a whole number (labels='x'",
        ),
        (
            {"labels": {"background": "0", "tumour": "1"}},
            "'background' is not a whole number",
        ),
        ({"labels": {"background": 0, "tumour": 1.5}}, "'tumour' is not a whole number"),
        ({"labels": {"background": 0, "tumour": True}}, "'tumour' is not a whole number"),
        ({"labels": {"background": 0, "tumour": -1}}, "'tumour' is not a whole number"),
        ({"labels": {"background": 0, "tumour": []}}, "'tumour' is not a whole number"),
        ({"labels": {"background": 0, "edema": 1, "core": 1}}, "two labels of one number"),
        ({"labels": {"background": 0, "tumour": 1, "ignore": 1}}, "whole number above 1"),
        ({"labels": {"background": 0, "tumour": 1, "ignore": [2]}}, "no ignore label"),
        (
            {"labels": REGIONS, "regions_class_order": 1},
            "not a list of numbers (regions_class",
        ),
        ({"labels": REGIONS, "regions_class_order": [1, 2]}, "3 numbers, one for each region"),
        ({"file_ending": ".png"}, "can't be read (file_ending=.png, allowed .nii"),
    ],
)
def test_what_is_wrong_in_a_description_is_said(
    tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    """One line that names file and key, not that no image tells its sequence."""
    scan(tmp_path / "imagesTr" / "A_0000.nii.gz")
    describe(tmp_path, VERSION_2 | change)
    assert looks_like(tmp_path).fits
    for read in (lambda: find_cases(tmp_path), lambda: audit([tmp_path])):
        with pytest.raises(FormatError) as refused:
            read()
        assert str(refused.value).startswith(f"{tmp_path / 'dataset.json'}: ")
        assert why in str(refused.value)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "{", "[1]", "[" * 100_000, '{"labels": ' + "9" * 5000 + "}"])
def test_what_is_no_description(tmp_path: Path, text: str) -> None:
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(FormatError, match=r"not JSON|not a JSON object"):
        read_description(tmp_path / "dataset.json")


def test_regions_in_a_description(tmp_path: Path) -> None:
    nnunet(tmp_path, "A", description=VERSION_2 | {"labels": REGIONS})
    labels = labels_of(cases(tmp_path)[0][0])
    assert [labels[2, 3, k] for k in (2, 3, 4)] == [OEDEMA, NECROSIS, ENHANCING]


def test_other_structures_are_background(tmp_path: Path) -> None:
    """Only one of the names is a tumour's: the others are not counted as one."""
    names = {"background": 0, "brain": 1, "ventricle": 2, "tumor": 3}
    nnunet(tmp_path, "A", description=VERSION_2 | {"labels": names})
    (case,) = find_cases(tmp_path).cases
    labels = labels_of(case)
    assert case.regions == ("whole",)
    assert [labels[2, 3, k] for k in (2, 3, 4)] == [0, 0, TUMOUR]


@pytest.mark.parametrize("unclear", ["class 1", "structure", "enhancing vessel", "no necrosis"])
def test_unclear_names_of_labels_are_asked_about(tmp_path: Path, unclear: str) -> None:
    """Neither the numbers nor the names of the files are evidence against the description."""
    names = {"background": 0, unclear: 1, "edema": 2, "tumor": 4}
    nnunet(tmp_path, "BraTS2021_00000", description=VERSION_2 | {"labels": names})
    mask(tmp_path / "labelsTr" / "BraTS2021_00000.nii.gz", 1, 2, 4)
    with pytest.raises(QuestionError, match=f"called {unclear}, edema, tumor") as asked:
        find_cases(tmp_path)
    assert [answer for answer, _ in asked.value.answers] == ["1=NAME,2=NAME,4=NAME", "binary"]
    found = find_cases(tmp_path, "1=background,2=oedema,4=tumour")
    labels = load_case(found.cases[0])[1]
    assert labels is not None
    assert [labels[2, 3, k] for k in (2, 3, 4)] == [0, OEDEMA, TUMOUR]


def test_a_description_rules_over_the_names_of_files(tmp_path: Path) -> None:
    """Cases of BraTS-TCGA-LGG keep their names when they are converted."""
    name = "TCGA-CS-4942_1997.02.22"
    scan(tmp_path / "imagesTr" / f"{name}_0000.nii.gz")
    mask(tmp_path / "labelsTr" / f"{name}.nii.gz", 1)
    keys = {"channel_names": {"0": "FLAIR"}, "labels": {"background": 0, "tumor": 1}}
    (tmp_path / "dataset.json").write_text(json.dumps(keys))
    found = find_cases(tmp_path)
    assert (found.layout, found.cases[0].patient) == ("nnunet", "TCGA-CS-4942")
