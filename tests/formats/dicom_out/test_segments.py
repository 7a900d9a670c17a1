"""What segments are called and coded, and what is no set of masks."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from pydicom.sr.codedict import codes

from gliomask.core.labels import REGIONS
from gliomask.formats.dicom_out.segments import (
    BRAIN,
    MORPHOLOGICALLY_ABNORMAL,
    SEGMENTS,
    DrawnSegments,
)


def test_codes_are_the_standards() -> None:
    """As pydicom's copy of the context groups has them."""
    named = {
        "whole": codes.cid7159.Neoplasm,
        "core": codes.cid7159.Neoplasm,
        "enhancing": codes.cid7159.EnhancingLesion,
        "oedema": codes.cid7159.Edema,
        "necrosis": codes.cid7159.Necrosis,
    }
    ours = {name: segment.type for name, segment in SEGMENTS.items()}
    ours |= {"category": MORPHOLOGICALLY_ABNORMAL, "place": BRAIN}
    theirs = {
        **named,
        "category": codes.cid7150.MorphologicallyAbnormalStructure,
        "place": codes.cid7153.Brain,
    }
    for name, code in theirs.items():
        one = ours[name]
        assert (one.value, one.scheme, one.meaning) == tuple(code)[:3]


def test_every_region_of_a_model_is_here() -> None:
    assert set(REGIONS) <= set(SEGMENTS)


def test_segments_show_in_the_reports_colours() -> None:
    style = importlib.import_module("gliomask.report.style")
    for region, colour in style.REGION_COLOURS.items():
        assert "#{:02X}{:02X}{:02X}".format(*SEGMENTS[region].colour) == colour


@pytest.mark.parametrize(
    ("shape", "kind", "names"),
    [
        ((1, 2, 3, 4), np.uint8, ("whole",)),
        ((2, 3, 4), np.bool_, ("whole", "core")),
        ((2, 2, 3, 4), np.bool_, ("whole",)),
        ((0, 2, 3, 4), np.bool_, ()),
    ],
)
def test_no_set_of_masks(shape: tuple[int, ...], kind: type, names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="masks"):
        DrawnSegments(np.zeros(shape, kind), tuple(SEGMENTS[name] for name in names), np.eye(4))
