"""Numbers of an image are finite, those of a mask whole but for what a stored slope rounds."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from gliomask.errors import FormatError
from gliomask.formats.nifti import read_nifti_labels
from gliomask.formats.numbers import whole_numbers


@pytest.mark.parametrize("stored", [np.uint8, np.int16, np.uint16])
@pytest.mark.parametrize("high", [1, 3, 4, 9])
def test_a_mask_that_went_through_get_fdata(
    tmp_path: Path, stored: type[np.generic], high: int
) -> None:
    """nibabel stores floats as integers with a slope of its own, which rounds them."""
    labels = np.arange(60).reshape(5, 4, 3) % (high + 1)
    header = nib.Nifti1Header()
    header.set_data_dtype(stored)
    image = nib.Nifti1Image(labels.astype(np.float64), np.eye(4), header)
    nib.save(image, tmp_path / "m.nii.gz")
    read, _ = read_nifti_labels(tmp_path / "m.nii.gz")
    assert read.dtype.kind == "i"
    assert np.array_equal(read, labels)


@pytest.mark.parametrize("wrong", [0.5, 1.01, 1.998, -0.002, 1e12, np.nan])
def test_what_is_no_rounding(wrong: float) -> None:
    numbers = np.zeros((4, 3, 2))
    numbers[2, 1, 0] = wrong
    with pytest.raises(FormatError, match=r"the first at \(2, 1, 0\)"):
        whole_numbers(numbers, Path("m.nii"))


def test_a_wide_step_hides_nothing() -> None:
    numbers = np.zeros((4, 3, 2))
    numbers[2, 1, 0] = 1.019
    assert whole_numbers(numbers, Path("m.nii"), step=0.04)[2, 1, 0] == 1
    numbers[2, 1, 0] = 1.021
    for step in (0.04, 1.0):
        with pytest.raises(FormatError, match="not whole numbers"):
            whole_numbers(numbers, Path("m.nii"), step)
