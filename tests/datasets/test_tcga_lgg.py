"""BraTS-TCGA: the corrected mask rather than the automatic one, t1 apart from t1Gd."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gliomask.core.label_scheme import BRATS_2021
from gliomask.datasets.find import find_cases
from gliomask.datasets.load import load_case
from gliomask.datasets.tcga_lgg import cases, looks_like
from tests.datasets.tiny import intensities, labels_of, mask, scan

NAME = "TCGA-CS-4942_1997.02.22"


def examination(root: Path, name: str = NAME) -> Path:
    folder = root / name[:12]
    for seed, kind in enumerate(("flair", "t1", "t1Gd", "t2")):
        scan(folder / f"{name}_{kind}.nii.gz", seed)
    mask(folder / f"{name}_GlistrBoost.nii.gz", 2)
    mask(folder / f"{name}_GlistrBoost_ManuallyCorrected.nii.gz", 1, 2, 4)
    return folder


def test_a_case(tmp_path: Path) -> None:
    examination(tmp_path)
    assert looks_like(tmp_path).fits
    (case,), problems = cases(tmp_path)
    assert not problems
    assert (case.id, case.patient, case.site) == (NAME, "TCGA-CS-4942", "CS")
    assert case.licence == "CC BY 3.0"
    assert case.scheme is BRATS_2021
    assert not case.notes
    volume, _ = load_case(case)
    for seed, sequence in enumerate(("flair", "t1", "t1ce", "t2")):
        assert np.array_equal(volume.select((sequence,)).array[0], intensities(seed))
    assert np.unique(labels_of(case)).tolist() == [0, 1, 2, 3]


def test_the_automatic_mask_is_used_and_said_where_there_is_no_other(tmp_path: Path) -> None:
    folder = examination(tmp_path)
    (folder / f"{NAME}_GlistrBoost_ManuallyCorrected.nii.gz").unlink()
    (case,), _ = cases(tmp_path)
    assert case.label is not None
    assert case.label.paths[0].name == f"{NAME}_GlistrBoost.nii.gz"
    assert "automatic" in case.notes[0]
    (folder / f"{NAME}_GlistrBoost.nii.gz").unlink()
    (case,), _ = cases(tmp_path)
    assert case.label is None


def test_two_examinations_of_a_patient(tmp_path: Path) -> None:
    examination(tmp_path)
    examination(tmp_path, "TCGA-CS-4942_1998.03.01")
    found, _ = cases(tmp_path)
    assert len({case.id for case in found}) == 2
    assert {case.patient for case in found} == {"TCGA-CS-4942"}


def test_problems(tmp_path: Path) -> None:
    folder = examination(tmp_path)
    scan(folder / f"{NAME}_t2.nii", 9)
    found, (problem,) = cases(tmp_path)
    assert not found
    assert "several files for t2" in problem.reason
    for path in folder.iterdir():
        if "Glistr" not in path.name:
            path.unlink()
    assert "no images" in find_cases(tmp_path).problems[0].reason
