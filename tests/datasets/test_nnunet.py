"""dataset.json rules: channels, labels, regions, 4-D files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.core.labels import CAVITY, ENHANCING, NECROSIS, OEDEMA, TUMOUR
from gliomask.datasets.description import read_description
from gliomask.datasets.label_names import label_of, scheme_of_labels, scheme_of_regions
from gliomask.datasets.load import load_case
from gliomask.datasets.nnunet import cases, looks_like
from gliomask.errors import CaseError, FormatError
from gliomask.formats.nifti import write_nifti
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
    assert "T1, FLAIR" in verdict.why
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
    assert case.notes == ("channels not used: ADC (a name must tell one of t1, t1ce, t2, flair)",)
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
        ({"channel_names": {}}, "no channels"),
        ({"channel_names": {"0": "T1", "2": "T2"}}, "no channels"),
        ({"channel_names": ["T1"]}, "no channels"),
        ({"channel_names": {"0": "T1", "1": "T1w"}}, "two channels for t1"),
        ({"labels": None}, "no labels"),
        ({"labels": {"background": 0, "tumour": "x"}}, "no whole numbers"),
        ({"labels": {"background": 0, "tumour": 1, "ignore": 2}}, "ignore label"),
        ({"file_ending": ".png"}, "file_ending is .png"),
    ],
)
def test_descriptions_that_can_not_be_used(
    tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    describe(tmp_path, VERSION_2 | change)
    verdict = looks_like(tmp_path)
    assert not verdict.fits
    assert why in verdict.why
    assert "\n" not in verdict.why


@pytest.mark.parametrize("text", ["", "{", "[1]", "[" * 100_000, '{"labels": ' + "9" * 5000 + "}"])
def test_what_is_no_description(tmp_path: Path, text: str) -> None:
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(FormatError, match=r"not JSON|not a JSON object"):
        read_description(tmp_path / "dataset.json")


def test_labels_by_name() -> None:
    names = {
        "edema": OEDEMA, "peritumoral edematous tissue": OEDEMA, "SNFH": OEDEMA, "ED": OEDEMA,
        "surrounding non-enhancing FLAIR hyperintensity": OEDEMA,
        "necrotic and non-enhancing tumor core": NECROSIS, "NCR": NECROSIS, "NETC": NECROSIS,
        "non-enhancing tumor": NECROSIS, "nonenhancing": NECROSIS,
        "enhancing tumour": ENHANCING, "GD-enhancing tumor": ENHANCING, "ET": ENHANCING,
        "resection cavity": CAVITY, "RC": CAVITY,
        "whole tumor": TUMOUR, "lesion": TUMOUR, "glioma": TUMOUR,
        "tumor core": None, "ventricles": None, "healthy brain": None, "class 1": None,
    }  # fmt: skip
    assert {name: label_of(name) for name in names} == names


def test_names_that_tell_no_parts_leave_the_whole_tumour() -> None:
    scheme = scheme_of_labels({"background": 0, "class 1": 1, "class 2": 2})
    assert scheme.binary
    assert "class 1, class 2" in scheme.name
    assert scheme.regions == ("whole",)
    only_tumour = scheme_of_labels({"background": 0, "tumor": 1})
    assert dict(only_tumour.values) == {1: TUMOUR}


def test_regions() -> None:
    scheme = scheme_of_regions(
        {"background": [0], "whole tumor": [1, 2, 3], "tumor core": [2, 3],
         "enhancing tumor": [3], "resection cavity": [4]}
    )  # fmt: skip
    assert dict(scheme.values) == {1: OEDEMA, 2: NECROSIS, 3: ENHANCING, 4: CAVITY}
    assert scheme_of_regions({"WT": [1, 2, 4], "TC": [1, 4], "ET": [4]}).values == (
        (1, NECROSIS),
        (2, OEDEMA),
        (4, ENHANCING),
    )
    vague = scheme_of_regions({"whole tumor": [1, 2], "tumor core": [2]})
    assert vague.binary
    assert "no three regions" in vague.name


def test_regions_in_a_description_and_the_note(tmp_path: Path) -> None:
    regions = {"background": 0, "whole tumor": [1, 2, 3], "tumor core": [2, 3], "enhancing": 3}
    nnunet(tmp_path, "A", description=VERSION_2 | {"labels": regions})
    labels = labels_of(cases(tmp_path)[0][0])
    assert [labels[2, 3, k] for k in (2, 3, 4)] == [OEDEMA, NECROSIS, ENHANCING]
    describe(tmp_path, VERSION_2 | {"labels": {"background": 0, "x": 1, "y": 2, "z": 3}})
    (case,), _ = cases(tmp_path)
    assert case.notes == ("any number but 0 is tumour: unknown label names x, y, z",)
    assert np.unique(labels_of(case)).tolist() == [0, TUMOUR]
