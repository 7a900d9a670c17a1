"""What segments are coded as, and what is no set of masks."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.sr.codedict import codes

from gliomask.core.regions import BRAIN, MORPHOLOGICALLY_ABNORMAL, REGIONS
from gliomask.formats.dicom_out.segments import DrawnSegments


def test_codes_are_the_standards() -> None:
    """As pydicom's copy of the context groups has them."""
    ours = {name: region.code for name, region in REGIONS.items()}
    ours |= {"category": MORPHOLOGICALLY_ABNORMAL, "place": BRAIN}
    theirs = {
        "whole": codes.cid7159.Neoplasm,
        "core": codes.cid7159.Neoplasm,
        "enhancing": codes.cid7159.EnhancingLesion,
        "category": codes.cid7150.MorphologicallyAbnormalStructure,
        "place": codes.cid7153.Brain,
    }
    assert ours.keys() == theirs.keys()
    for name, code in theirs.items():
        one = ours[name]
        assert (one.value, one.scheme, one.meaning) == tuple(code)[:3]


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
        DrawnSegments(np.zeros(shape, kind), tuple(REGIONS[name] for name in names), np.eye(4))
