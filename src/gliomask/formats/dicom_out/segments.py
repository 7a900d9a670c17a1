"""Masks on a DICOM series, and the program that made them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from gliomask.core.regions import Region
from gliomask.core.volume import Affine

MaskArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class DrawnSegments:
    """Masks on the grid of a series.

    Attributes:
        masks: (R, I, J, K) bool. They may overlap, and any of them may be empty.
        segments: R, the region that each mask shows.
        affine: (4, 4) float64, voxel index (i, j, k) to RAS+ millimetres.
    """

    masks: MaskArray
    segments: tuple[Region, ...]
    affine: Affine

    def __post_init__(self) -> None:
        if self.masks.dtype != np.bool_ or self.masks.ndim != 4:
            raise ValueError(f"{self.masks.dtype} of shape {self.masks.shape} are not masks")
        if not 0 < len(self.segments) == len(self.masks):
            raise ValueError(f"{len(self.segments)} segments for {len(self.masks)} masks")
        if self.affine.shape != (4, 4):
            raise ValueError(f"affine of shape {self.affine.shape}, not (4, 4)")


@dataclass(frozen=True)
class Correction:
    """Correction of a model's masks by a person.

    Attributes:
        author: person who corrected them.
        sop_class, sop_instance, series: UIDs of the object of the model's own masks; empty where
            there is none.
    """

    author: str
    sop_class: str = ""
    sop_instance: str = ""
    series: str = ""


@dataclass(frozen=True)
class Maker:
    """Program or model that made the masks, and the identity of the object.

    Attributes:
        model: display name of the model.
        version: of gliomask.
        weights: a digest of the model's weights, empty where it isn't known.
        created: the time of making; None is now.
        fresh_uids: False makes the object's UIDs from the series, the masks and the maker, so
            that the same result sent twice is one object in an archive. True makes new ones.
        correction: by a person; None where the masks are as the model drew them.
    """

    model: str
    version: str
    weights: str = ""
    created: datetime | None = None
    fresh_uids: bool = False
    correction: Correction | None = None
