"""A mask that lost its origin is read where its images lie; any other difference is refused."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gliomask.core.case import Case
from gliomask.core.volume import Affine
from gliomask.datasets.find import find_cases
from gliomask.datasets.load import load_case
from gliomask.datasets.mask_files import find_masks
from gliomask.errors import CaseError
from gliomask.formats.nifti import write_nifti
from tests.datasets.tiny import AFFINE, brats, numbers, scan

NAME = "Brats17_TCIA_105_1"


def moved(*offset: float) -> Affine:
    affine = AFFINE.copy()
    affine[:3, 3] = offset
    return affine


def with_mask(root: Path, affine: Affine, name: str = NAME) -> Case:
    folder = brats(root, name, 1, 2, 4)
    write_nifti(folder / f"{name}_seg.nii.gz", numbers(1, 2, 4), affine)
    (case,) = find_cases(root).cases
    return case


def test_it_is_read_where_the_images_lie_and_said(tmp_path: Path) -> None:
    case = with_mask(tmp_path, moved(0, 0, 0))
    assert case.lost_origin
    assert "lost its origin" in case.notes[0]
    volume, labels = load_case(case)
    assert np.array_equal(volume.affine, AFFINE)
    assert labels is not None
    assert [labels[2, 3, k] for k in (2, 3, 4)] == [1, 2, 3]
    (mask,) = find_masks(tmp_path)
    assert mask.lost_origin


@pytest.mark.parametrize("offset", [(-1, 8, 0), (0, 7, 0), (0, 8, 2), (0, 0, 2), (0.5, 0, 0)])
def test_an_offset_of_its_own_is_refused(tmp_path: Path, offset: tuple[float, ...]) -> None:
    case = with_mask(tmp_path, moved(*offset))
    assert not case.lost_origin
    with pytest.raises(CaseError, match="the mask lies up to"):
        load_case(case)


def test_other_axes_or_voxels_are_refused(tmp_path: Path) -> None:
    for number, sizes in enumerate([(1, 1, 2), (-1, -1, 3)]):
        case = with_mask(tmp_path / str(number), np.diag([*sizes, 1.0]))
        assert not case.lost_origin
        with pytest.raises(CaseError, match="the mask lies up to"):
            load_case(case)


def test_in_no_published_layout_it_is_refused(tmp_path: Path) -> None:
    scan(tmp_path / "t1.nii.gz")
    write_nifti(tmp_path / "mask.nii.gz", numbers(1, 2, 4), moved(0, 0, 0))
    (tmp_path / "cases.csv").write_text("patient,t1,mask\np,t1.nii.gz,mask.nii.gz\n")
    (case,) = find_cases(tmp_path).cases
    assert not case.lost_origin
    with pytest.raises(CaseError, match="the mask lies up to"):
        load_case(case)


def test_masks_with_their_offset_are_left_alone(tmp_path: Path) -> None:
    assert not with_mask(tmp_path, AFFINE).lost_origin


def test_the_command_in_the_refusal_mends_the_mask(tmp_path: Path) -> None:
    case = with_mask(tmp_path, moved(0, 7, 0))
    with pytest.raises(CaseError) as refused:
        load_case(case)
    command = shlex.split(str(refused.value).partition("fix it with: ")[2])
    assert command[0] == "python"
    subprocess.run([sys.executable, *command[1:]], check=True)
    labels = load_case(find_cases(tmp_path).cases[0])[1]
    assert labels is not None
    assert [labels[2, 3, k] for k in (2, 3, 4)] == [1, 2, 3]
