"""Objects of masks that a person corrected: what they say of it, and what they refer to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from gliomask.formats.dicom_out.referenced_series import read_referenced_series
from gliomask.formats.dicom_out.rtstruct import write_rtstruct
from gliomask.formats.dicom_out.seg import write_dicom_seg
from gliomask.formats.dicom_out.segments import Correction
from gliomask.formats.dicom_out.source_header import copy_headers
from tests.formats.dicom_series import (
    MAKER,
    Grid,
    coded,
    drawn,
    nested,
    write_enhanced,
    write_series,
)


def test_a_corrected_segmentation_refers_to_the_first(tmp_path: Path) -> None:
    grid, masks = Grid(), nested(Grid().shape)
    sources = write_series(tmp_path / "series", grid, coded(masks))
    first = write_dicom_seg(tmp_path / "first.dcm", drawn(masks, grid.affine()), sources, MAKER)
    masks[0, 0, 0, 0] = ~masks[0, 0, 0, 0]
    by_ann = Correction("ann^b=c", first.sop_class, first.sop_instance, first.series)
    made = replace(MAKER, correction=by_ann)
    second = write_dicom_seg(tmp_path / "second.dcm", drawn(masks, grid.affine()), sources, made)
    assert {second.sop_instance, second.series}.isdisjoint({first.sop_instance, first.series})
    read = dcmread(tmp_path / "second.dcm")
    assert {item.SegmentAlgorithmType for item in read.SegmentSequence} == {"SEMIAUTOMATIC"}
    assert read.ContentCreatorName == "ann_b_c^"
    (source,) = read.SourceImageSequence
    assert source.ReferencedSOPInstanceUID == first.sop_instance
    images, original = read.ReferencedSeriesSequence
    assert len(images.ReferencedInstanceSequence) == len(sources)
    assert original.SeriesInstanceUID == first.series
    (item,) = original.ReferencedInstanceSequence
    assert item.ReferencedSOPClassUID == first.sop_class
    assert item.ReferencedSOPInstanceUID == first.sop_instance
    again = replace(made, correction=replace(by_ann, author="bob"))
    third = write_dicom_seg(tmp_path / "third.dcm", drawn(masks, grid.affine()), sources, again)
    assert third.sop_instance != second.sop_instance


def test_corrected_structures_name_their_predecessor(tmp_path: Path) -> None:
    grid, masks = Grid(), nested(Grid().shape)
    sources = write_series(tmp_path / "series", grid, coded(masks))
    first = write_rtstruct(tmp_path / "first.dcm", drawn(masks, grid.affine()), sources, MAKER)
    by_ann = Correction("ann", first.sop_class, first.sop_instance, first.series)
    made = replace(MAKER, correction=by_ann)
    write_rtstruct(tmp_path / "second.dcm", drawn(masks, grid.affine()), sources, made)
    read = dcmread(tmp_path / "second.dcm")
    (item,) = read.PredecessorStructureSetSequence
    assert item.ReferencedSOPInstanceUID == first.sop_instance
    how = {item.ROIGenerationAlgorithm for item in read.StructureSetROISequence}
    assert how == {"SEMIAUTOMATIC"}
    assert read.OperatorsName == "ann^"


@pytest.mark.parametrize("kind", ["single", "enhanced"])
def test_copies_of_headers_stand_for_the_series(tmp_path: Path, kind: str) -> None:
    """An object drawn on them is the same, byte for byte; pixels and private things are gone."""
    grid, masks = Grid(), nested(Grid().shape)
    place = tmp_path / "series"
    single = kind == "single"
    sources = write_series(place, grid, coded(masks)) if single else [write_enhanced(place, grid)]
    copy_headers(sources, tmp_path / "headers")
    copies = sorted((tmp_path / "headers").iterdir())
    assert len(copies) == len(sources)
    assert not any("PixelData" in dcmread(copy) for copy in copies)
    one, other = read_referenced_series(sources), read_referenced_series(copies)
    assert one.common == other.common
    assert (one.shape, one.multi_frame) == (other.shape, other.multi_frame)
    for plane, copy in zip(one.planes, other.planes, strict=True):
        assert (plane.sop_instance, plane.frame) == (copy.sop_instance, copy.frame)
        np.testing.assert_array_equal(plane.position, copy.position)
    shown = drawn(masks, grid.affine())
    write_dicom_seg(tmp_path / "a.dcm", shown, sources, MAKER)
    write_dicom_seg(tmp_path / "b.dcm", shown, copies, MAKER)
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()
