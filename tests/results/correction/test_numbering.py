"""Masks whose labels another program has numbered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - as all of its documentation calls it

from gliomask.core.regions import REGIONS, region_numbers
from gliomask.errors import CaseError
from gliomask.formats.editable_case import EditableCase, EditableRegion
from gliomask.formats.itk import write_volume
from gliomask.formats.nifti import write_nifti
from gliomask.formats.segment_names import segment_names
from gliomask.results.correction.numbering import own_numbers

OURS = {1: "necrotic or non-enhancing tumour core", 2: "oedema", 3: "enhancing tumour"}


def case(*regions: str) -> EditableCase:
    """A case with these regions."""
    return EditableCase(
        case="a", patient="p", study="", sequences=(), probabilities=(), model="m", weights="",
        synthetic=True, voxel_ml=1.0, sha256="0" * 64,
        regions=tuple(
            EditableRegion(name=name, title=REGIONS[name].title, number=number, colour="#000000")
            for name, number in region_numbers(regions).items()
        ),
    )  # fmt: skip


ALL = case("whole", "core", "enhancing")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that names no labels."""
    path = tmp_path / "mask.nii.gz"
    write_nifti(path, np.zeros((2, 2, 2), np.uint8), np.eye(4))
    return path


def read(
    file: Path, numbers: list[int], names: dict[int, str], of: EditableCase = ALL
) -> list[int]:
    found: list[int] = own_numbers(file, np.array(numbers), names, of).tolist()
    return found


def test_numbers_stay_where_nothing_is_named(file: Path) -> None:
    assert read(file, [0, 1, 2, 3, 7], {}) == [0, 1, 2, 3, 7]  # whether 7 may be is asked later


def test_segments_are_known_by_their_names(file: Path) -> None:
    assert read(file, [0, 1, 2, 3], OURS) == [0, 1, 2, 3]
    # 3D Slicer counts the segments of a mask without necrosis from 1
    assert read(file, [0, 1, 2], {1: "oedema", 2: "enhancing tumour"}) == [0, 2, 3]
    own = {1: "Edema", 2: "ET", 3: "necrosis", 4: "background"}
    assert read(file, [1, 2, 3, 4], own) == [2, 3, 1, 0]
    assert read(file, [1, 2], {1: "whole tumour", 2: "tumour core"}) == [2, 1]
    assert read(file, [0, 1, 2], {1: "tumour", 2: "enhancing tumour"}, case("whole")) == [0, 1, 1]


def test_a_count_that_skips_what_was_left_out(file: Path) -> None:
    """3D Slicer leaves its scribbles out of the mask, and counts them in the numbers it states."""
    names = {2: "oedema", 3: "enhancing tumour"}
    assert read(file, [0, 1, 2], names) == [0, 2, 3]
    assert read(file, [0, 3], names) == [0, 3]
    with pytest.raises(CaseError, match="in doubt which voxels they mean"):
        read(file, [0, 2], names)


@pytest.mark.parametrize(
    ("numbers", "names", "said"),
    [
        ([1, 4], OURS, "a label without a name (number=4, allowed 1, 2, 3)"),
        ([1], {1: "ventricle"}, "the label 1 has a name that is not part of the tumour here"),
        ([1], {1: "Mueller, Hans"}, "call it oedema"),
        ([1], {1: "resection cavity"}, "the label 1 has a name"),
    ],
)
def test_names_that_mean_nothing(
    file: Path, numbers: list[int], names: dict[int, str], said: str
) -> None:
    with pytest.raises(CaseError) as refused:
        read(file, numbers, names)
    assert said in str(refused.value)
    assert "Mueller" not in str(refused.value)


def test_a_file_of_segments_names_them_itself(tmp_path: Path) -> None:
    """As 3D Slicer's segmentation storage writes it."""
    image = sitk.GetImageFromArray(np.zeros((2, 2, 2), np.uint8))
    for number, (value, name) in enumerate([(2, "enhancing tumour"), (1, "Segment_1")]):
        image.SetMetaData(f"Segment{number}_LabelValue", str(value))
        image.SetMetaData(f"Segment{number}_Name", name)
    path = tmp_path / "segments.seg.nrrd"
    sitk.WriteImage(image, str(path))
    assert segment_names(path) == {2: "enhancing tumour", 1: "Segment_1"}
    names = {1: "oedema", 2: "necrosis"}  # what was known when the mask was loaded, by number
    assert own_numbers(path, np.array([0, 1, 2]), names, ALL).tolist() == [0, 2, 3]
    plain = tmp_path / "mask.nrrd"
    write_volume(plain, np.zeros((2, 2, 2), np.uint8), np.eye(4))
    assert segment_names(plain) == {}
