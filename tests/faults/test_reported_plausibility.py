"""What can't be true of a head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.formats.nifti import write_nifti
from tests.faults.situations import HEAD_MM, Command, flair, scan


@pytest.mark.parametrize(
    ("scale", "size"),
    [(1000.0, "1.92e+05 x 1.92e+05 x 1.92e+05"), (0.001, "0.192 x 0.192 x 0.192")],
)
def test_29_voxels_of_another_unit_are_flagged_red(
    scale: float, size: str, gliomask: Command, tmp_path: Path
) -> None:
    path = scan(tmp_path / "p1_flair.nii.gz", affine=HEAD_MM @ np.diag([scale] * 3 + [1.0]))
    said = gliomask("predict", path, "--out", tmp_path / "out", "--write", "nifti")
    assert said.code == 0
    (first, *_) = [line for line in said.out.splitlines() if line.startswith("RED ")]
    assert f"RED p1: the scan measures {size} mm, but a head 8 to 40 cm" in first


def test_29_a_head_of_its_size_is_not(gliomask: Command, tmp_path: Path) -> None:
    path = scan(tmp_path / "p1_flair.nii.gz")
    said = gliomask("predict", path, "--out", tmp_path / "out", "--write", "nifti")
    assert said.code == 0
    assert "RED" not in said.out


def test_intensities_near_1e30(gliomask: Command, tmp_path: Path) -> None:
    """The mask is that of the same image in everyday numbers."""
    scan(tmp_path / "plain" / "p1_flair.nii.gz")
    big = (flair() * np.float32(1e30)).astype(np.float32)
    write_nifti(tmp_path / "big" / "p1_flair.nii.gz", big, HEAD_MM)
    found = []
    for place in ("plain", "big"):
        words = ("--out", tmp_path / f"{place}-masks", "--quick", "--write", "nifti", "--json")
        found.append(gliomask("predict", tmp_path / place, *words).keys["cases"][0]["voxels"])
    assert found[0] == found[1]
    assert found[0]["whole"] > 0
