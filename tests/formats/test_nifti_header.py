"""Every lie and every gap of a header has its own refusal, before anything is allocated."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gliomask.errors import FormatError
from gliomask.formats.nifti import read_header
from gliomask.formats.nifti_header import forms_agree, parse_header
from tests.formats.raw_nifti import AXIAL, content, write

PATH = Path("scan.nii")
DIM = [3, 7, 6, 5, 1, 1, 1, 1]


def parse(data: bytes) -> Any:
    return parse_header(data[:540], PATH)


def test_what_matters_is_read() -> None:
    header = parse(content(scl_slope=2.0, scl_inter=-1.0))
    assert header.shape == (7, 6, 5)
    assert header.volumes == 1
    assert header.dtype == np.int16
    assert header.scaling == (2.0, -1.0)
    assert header.total_bytes == 352 + 7 * 6 * 5 * 2
    assert np.array_equal(header.affine, AXIAL)


def test_both_versions_and_both_byte_orders() -> None:
    assert parse(content(version=2)).total_bytes == 544 + 7 * 6 * 5 * 2
    swapped = nib.Nifti1Header(content()[:348], check=False).as_byteswapped(">").binaryblock
    header = parse(swapped)
    assert header.shape == (7, 6, 5)
    assert header.dtype == np.dtype(">i2")


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "no dimensions": ({"dim": [0, 7, 6, 5, 1, 1, 1, 1]}, "dim[0]", "not a volume"),
    "one row": ({"dim": [1, 7, 6, 5, 1, 1, 1, 1]}, "dim[0]", "not a volume"),
    "zero": ({"dim": [3, 7, 0, 5, 1, 1, 1, 1]}, "dim", "empty dimension"),
    "negative": ({"dim": [3, 7, -6, 5, 1, 1, 1, 1]}, "dim", "empty dimension"),
    "huge": ({"dim": [3, 32000, 32000, 32000, 1, 1, 1, 1]}, "dim", "too large"),
    "five": ({"dim": [5, 7, 6, 5, 3, 2, 1, 1]}, "dim", "too many dimensions"),
    "complex": ({"datatype": 32, "bitpix": 64}, "datatype", "complex"),
    "rgb": ({"datatype": 128, "bitpix": 24}, "datatype", "colour"),
    "float128": ({"datatype": 1536, "bitpix": 128}, "datatype", "unusable type"),
    "no type": ({"datatype": 0}, "datatype", "unusable type"),
    "far away": ({"vox_offset": 1e9}, "vox_offset", "impossible offset"),
    "in the header": ({"vox_offset": 8}, "vox_offset", "impossible offset"),
    "nowhere": ({"vox_offset": np.nan}, "vox_offset", "impossible offset"),
    "half a byte": ({"vox_offset": 352.5}, "vox_offset", "impossible offset"),
    "intercept": ({"scl_slope": 1, "scl_inter": np.inf}, "scl_inter", "not a number"),
    "no forms": ({"sform_code": 0, "qform_code": 0}, "sform_code", "orientation unknown"),
    "sform nan": ({"srow_x": [np.nan, 0, 0, 0]}, "sform", "unusable affine"),
    "sform flat": ({"srow_x": [0, 0, 0, 0]}, "sform", "unusable affine"),
    "qform nan": ({"sform_code": 0, "quatern_b": np.nan}, "qform", "unusable affine"),
    "qform too long": ({"quatern_b": 1.0, "quatern_c": 1.0}, "pixdim", "unusable qform"),
    "voxel 0 mm": ({"sform_code": 0, "pixdim": [1, 0, 1, 1, 0, 0, 0, 0]}, "qform", "unusable"),
    "voxel -1 mm": ({"pixdim": [1, -1, 1, 1, 0, 0, 0, 0]}, "pixdim", "unusable qform"),
    "conflict": ({"srow_x": [1, 0, 0, 90]}, "qform", "in conflict"),
    "moved": ({"qoffset_z": -71.9}, "qform", "in conflict"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_header_is_refused_with_its_field(name: str) -> None:
    fields, field, what = BAD[name]
    with pytest.raises(FormatError) as refusal:
        parse(content(**fields))
    assert refusal.value.field == field
    assert what in str(refusal.value)
    assert str(refusal.value).startswith("scan.nii: ")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"", "empty file"),
        (b"hello" * 100, "not a NIfTI file"),
        (content()[:200], "200 of the header's 348 bytes"),
        (content(version=2)[:400], "400 of the header's 540 bytes"),
        (content(magic=b""), "ANALYZE 7.5"),
        (content(magic=b"n-1"), "magic"),
    ],
)
def test_what_is_no_header(start: bytes, what: str) -> None:
    with pytest.raises(FormatError, match=what.replace("[", r"\[")):
        parse(start)


def test_what_the_standard_allows_is_allowed() -> None:
    assert parse(content(dim=[6, 7, 6, 5, 1, 1, 1, 1])).volumes == 1
    assert parse(content(dim=[4, 7, 6, 5, 3, 1, 1, 1])).volumes == 3
    assert parse(content(dim=[5, 7, 6, 5, 1, 3, 1, 1])).volumes == 3
    assert parse(content(dim=[2, 7, 6, 1, 1, 1, 1, 1])).shape == (7, 6, 1)
    assert parse(content(bitpix=8)).dtype == np.int16
    for slope in (0, np.nan, np.inf):
        assert parse(content(scl_slope=slope, scl_inter=np.nan)).scaling == (1.0, 0.0)
    assert np.array_equal(parse(content(qform_code=0)).affine, AXIAL)
    assert np.allclose(parse(content(sform_code=0)).affine, AXIAL)
    no_sign = content(sform_code=0, pixdim=[0, 1, 1, 2.5, 0, 0, 0, 0])
    assert np.allclose(parse(no_sign).affine, AXIAL)
    for code in (0, 2, 10, 7):  # no unit, mm, mm and seconds, one that the standard doesn't know
        assert np.array_equal(parse(content(xyzt_units=code)).affine, AXIAL)
    to_mm = np.diag([1000.0, 1000, 1000, 1])
    assert np.allclose(parse(content(xyzt_units=1)).affine, to_mm @ AXIAL)
    assert np.allclose(parse(content(xyzt_units=3)).affine, np.linalg.inv(to_mm**2) @ to_mm @ AXIAL)


def test_a_lie_about_the_size_costs_no_memory(tmp_path: Path) -> None:
    lie = content(dim=[3, 700, 700, 400, 1, 1, 1, 1])[:352]
    tracemalloc.start()
    try:
        for name in ("lie.nii", "lie.nii.gz"):
            with pytest.raises(FormatError, match="truncated"):
                read_header(write(tmp_path / name, lie))
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


@settings(deadline=None, max_examples=60)
@given(
    angles=st.tuples(*[st.floats(-np.pi, np.pi)] * 3),
    sizes=st.tuples(*[st.floats(0.3, 8.0)] * 3),
    flip=st.booleans(),
)
def test_rounding_in_the_quaternion_is_no_conflict(
    angles: tuple[float, float, float], sizes: tuple[float, float, float], flip: bool
) -> None:
    affine = np.eye(4)
    affine[:3, :3] = nib.eulerangles.euler2mat(*angles) @ np.diag(sizes)
    affine[:3, 3] = (-91.3, 126.7, -72.1)
    if flip:
        affine[:, 0] *= -1
    header = nib.Nifti1Header()
    header.set_sform(affine, 1)
    header.set_qform(affine, 1)
    assert forms_agree(header.get_sform(), header.get_qform())


def test_the_tolerance_is_far_below_a_voxel() -> None:
    turned = AXIAL.copy()
    turned[0, 1] += 0.003
    assert not forms_agree(AXIAL, turned)
    moved = AXIAL.copy()
    moved[2, 3] += 0.02
    assert not forms_agree(AXIAL, moved)
