"""What is drawn on a series: masks, and for each what it shows in words, code and colour.

The codes are those of the DICOM standard's context groups (PS3.16): CID 7150 for categories,
CID 7159 and 7168 for what lesions are. None of them tells the tumour's core from the whole
tumour, so both are a neoplasm and their labels tell them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import Affine

MaskArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Code:
    """A coded concept: its value, the scheme that defines it, its meaning in that scheme."""

    value: str
    scheme: str
    meaning: str


MORPHOLOGICALLY_ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")
BRAIN = Code("12738006", "SCT", "Brain")


@dataclass(frozen=True)
class Segment:
    """What one mask shows.

    Attributes:
        label: for people, up to 64 characters.
        type: the coded kind of lesion; its category is ``MORPHOLOGICALLY_ABNORMAL``.
        colour: in which to show it, sRGB of 0 to 255.
    """

    label: str
    type: Code
    colour: tuple[int, int, int]


_NEOPLASM = Code("108369006", "SCT", "Neoplasm")
_ENHANCING = Code("C113842", "NCIt", "Enhancing Lesion")

SEGMENTS: Mapping[str, Segment] = MappingProxyType(
    {
        "whole": Segment("Whole tumour", _NEOPLASM, (230, 159, 0)),
        "core": Segment("Tumour core", _NEOPLASM, (86, 180, 233)),
        "enhancing": Segment("Enhancing tumour", _ENHANCING, (240, 228, 66)),
        "oedema": Segment("Oedema", Code("79654002", "SCT", "Edema"), (0, 158, 115)),
        "necrosis": Segment("Necrosis", Code("6574001", "SCT", "Necrosis"), (213, 94, 0)),
    }
)
"""The regions of ``core.labels`` by name, and the parts that don't overlap, in Okabe and Ito's
colours (those that the reports show the regions in)."""


@dataclass(frozen=True, eq=False)
class DrawnSegments:
    """Masks on the grid of a series.

    Attributes:
        masks: (R, I, J, K) bool. They may overlap, and any of them may be empty.
        segments: R, what each mask shows.
        affine: (4, 4) float64, voxel index (i, j, k) to RAS+ millimetres.
    """

    masks: MaskArray
    segments: tuple[Segment, ...]
    affine: Affine

    def __post_init__(self) -> None:
        if self.masks.dtype != np.bool_ or self.masks.ndim != 4:
            raise ValueError(f"{self.masks.dtype} of shape {self.masks.shape} are no masks")
        if not 0 < len(self.segments) == len(self.masks):
            raise ValueError(f"{len(self.segments)} segments for {len(self.masks)} masks")
        if self.affine.shape != (4, 4):
            raise ValueError(f"affine of shape {self.affine.shape}, not (4, 4)")


@dataclass(frozen=True)
class Maker:
    """What drew the masks, and how the object is told from others.

    Attributes:
        model: name of the model, for people.
        version: of gliomask.
        weights: a digest of the model's weights, empty where it isn't known.
        created: the time of making; None is now.
        fresh_uids: False makes the object's UIDs from the series, the masks and the maker, so
            that the same result sent twice is one object in an archive. True makes new ones.
    """

    model: str
    version: str
    weights: str = ""
    created: datetime | None = None
    fresh_uids: bool = False
