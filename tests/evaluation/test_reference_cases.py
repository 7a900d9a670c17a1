"""Whom a model is judged on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.core.case import Case, ImageFile
from gliomask.core.geometry import to_reading
from gliomask.core.label_scheme import BRATS_2023
from gliomask.datasets.layout import FoundCases, Problem
from gliomask.errors import CaseError, LayoutError
from gliomask.evaluation.reference_cases import find_subjects
from gliomask.jobs.control import SILENT
from tests.fakes import head_labels, head_volume, write_head

NAME = "BraTS-GLI-00001-000"


def found(folder: Path, *, sparse: bool, label: bool = True) -> FoundCases:
    """What a reader finds of one head."""
    files = {"t1": f"{NAME}-t1n.nii.gz", "flair": f"{NAME}-t2f.nii.gz", "": f"{NAME}-seg.nii.gz"}
    images = {name: ImageFile((folder / file,)) for name, file in files.items()}
    mask = images.pop("")
    case = Case(
        id="a",
        patient="p",
        images=images,
        label=mask if label else None,
        scheme=BRATS_2023,
        sparse=sparse,
    )
    return FoundCases("layout", (case,), (Problem("b", "no good"),), ())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_head(tmp_path, NAME, head_volume(), head_labels())


def use(monkeypatch: pytest.MonkeyPatch, what: FoundCases) -> None:
    monkeypatch.setattr(
        "gliomask.evaluation.reference_cases.find_cases", lambda _root, _labels: what
    )


def test_a_data_set(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    use(monkeypatch, found(folder, sparse=False))
    subjects = find_subjects(folder, None, None)
    assert subjects.problems == (("b", "no good"),)
    (subject,) = subjects.subjects
    assert (subject.case, subject.patient) == ("a", "p")
    assert subject.regions == ("whole", "core", "enhancing")
    examination = subject.load(SILENT)
    turn = examination.stack.record.turn
    assert np.array_equal(examination.reference, to_reading(head_labels(), turn))
    assert examination.annotated is None


def test_slices_of_a_sparse_case(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    use(monkeypatch, found(folder, sparse=True))
    (subject,) = find_subjects(folder, None, None).subjects
    annotated = subject.load(SILENT).annotated
    assert annotated is not None
    assert np.flatnonzero(annotated).tolist() == [4, 5, 6]


def test_a_case_without_a_mask(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    use(monkeypatch, found(folder, sparse=False, label=False))
    (subject,) = find_subjects(folder, None, None).subjects
    with pytest.raises(CaseError, match="no reference mask"):
        subject.load(SILENT)


def test_neither_store_nor_data_set(tmp_path: Path) -> None:
    with pytest.raises(LayoutError):
        find_subjects(tmp_path, None, None)
