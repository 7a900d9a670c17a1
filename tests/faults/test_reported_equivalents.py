"""Files that mean the same as others and are read alike."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from gliomask.formats.nifti import write_nifti
from tests.fakes import head_labels
from tests.faults.situations import GRID, HEAD_MM, Command, flair, numbered, scan, scores


@pytest.fixture
def turned(tmp_path: Path) -> Path:
    """A table of 6 cases in RAS, their masks in LPS as ITK's tools write them."""
    lines = ["patient,flair,mask"]
    i, j, _ = head_labels().shape
    turn = np.diag([-1.0, -1.0, 1.0, 1.0])
    turn[:2, 3] = i - 1, j - 1
    for n in range(6):
        scan(tmp_path / f"{n}_f.nii.gz", n)
        labels = np.ascontiguousarray(head_labels()[::-1, ::-1])
        write_nifti(tmp_path / f"{n}_m.nii.gz", labels, HEAD_MM @ turn)
        lines.append(f"p{n},{n}_f.nii.gz,{n}_m.nii.gz")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    return tmp_path / "t.csv"


def test_21_prepare_takes_masks_with_other_axes(
    turned: Path, gliomask: Command, tmp_path: Path
) -> None:
    said = gliomask("prepare", turned, "--out", tmp_path / "store", "--workers", "1")
    assert said.code == 0
    assert "6 cases" in said.out


def test_21_evaluate_takes_masks_with_other_axes(
    turned: Path, gliomask: Command, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert (
        gliomask("evaluate", turned, "--model", "u2netp-lgg", "--out", out, "--no-report").code == 0
    )
    found = scores(out)
    assert len(found) == 6
    assert min(found.values()) > 0.6  # mirrored it would be 0: the box lies off the middle


def test_23_a_slope_of_nan_and_bytes_after_the_voxels(gliomask: Command, tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.rint(flair()).astype(np.int16), HEAD_MM)
    image.header.set_xyzt_units("mm")
    plain: bytes = image.to_bytes()
    nan = bytearray(plain)
    nan[112:120] = np.array([np.nan, np.nan], "<f4").tobytes()  # scl_slope, scl_inter
    contents = {"plain": plain, "nan": bytes(nan), "padded": plain + bytes(16)}
    made: list[Any] = []
    notes = {}
    for name, content in contents.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}_flair.nii.gz").write_bytes(gzip.compress(content))
        (tmp_path / f"{name}_flair.nii").write_bytes(content)
        out = tmp_path / "out"
        for place in (folder, tmp_path / f"{name}_flair.nii"):
            words = ("predict", place, "--out", out, "--quick", "--write", "nifti", "--again")
            assert gliomask(*words).code == 0
            found: Any = nib.load(out / f"{name}_mask.nii.gz")
            made.append(np.asarray(found.dataobj))
            record = json.loads((out / f"{name}.json").read_text())
            notes[name, place.suffix] = "flair: 16 bytes after the voxels" in str(record["notes"])
    assert made[0].any()
    assert all(np.array_equal(mask, made[0]) for mask in made)
    assert {key for key, noted in notes.items() if noted} == {("padded", ""), ("padded", ".nii")}


def test_24_what_the_scaling_of_a_mask_rounds_is_tolerated(
    gliomask: Command, tmp_path: Path
) -> None:
    """1.9999999995 is 2. Whether 1 or 2 is oedema isn't known, but the rest is sure."""
    write_nifti(tmp_path / "ref" / "p1_seg.nii.gz", numbered(2, 1, 3), GRID)
    header = nib.Nifti1Header()
    header.set_data_dtype(np.uint16)
    rounded = nib.Nifti1Image(numbered(2, 1, 3).astype(np.float64), GRID, header)
    (tmp_path / "pred").mkdir()
    nib.save(rounded, tmp_path / "pred" / "p1_seg.nii.gz")
    stored: Any = nib.load(tmp_path / "pred" / "p1_seg.nii.gz")
    back = np.asarray(stored.dataobj)
    assert 0 < np.abs(back - np.rint(back)).max() < 1e-3
    words = ("score", tmp_path / "ref", tmp_path / "pred", "--no-report", "--out")
    said = gliomask(*words, tmp_path / "out")
    assert said.code == 0
    assert scores(tmp_path / "out") == {("p1", "whole"): 1.0, ("p1", "enhancing"): 1.0}
    assert "core is omitted; --labels states its meaning: brats2023 or msd" in said.out
    assert gliomask(*words, tmp_path / "answered", "--labels", "msd").code == 0
    assert scores(tmp_path / "answered")["p1", "core"] == 1.0
