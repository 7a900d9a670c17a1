"""Prediction for one examination, on the grid of the input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from gliomask.core.geometry import voxel_ml
from gliomask.core.labels import LabelArray
from gliomask.core.region_maps import RegionMaps
from gliomask.core.reliability import Reliability
from gliomask.core.volume import Affine, FloatArray

LEVEL: Final = 0.9
"""Coverage of the intervals: fraction of patients whose true volume lies in them."""
RESEARCH_USE_ONLY = "For research use only"
"""Notice in every output file and page."""


@dataclass(frozen=True)
class VolumeInterval:
    """Prediction interval for the true volume of a region.

    Attributes:
        voxels: (low, high); the predicted volume lies between them.
        ml: the same in millilitres; None for pictures.
        level: fraction of patients whose true volume lies in such an interval, e.g. 0.9; None if it
            is not calibrated: the interval is then the raw spread of the network's maps, whose
            coverage is unknown.
        patients: number of patients used for calibration; 0 without.
        calibrated: whether the coverage was measured.
    """

    voxels: tuple[float, float]
    ml: tuple[float, float] | None
    level: float | None
    patients: int
    calibrated: bool


@dataclass(frozen=True, eq=False)
class Prediction:
    """Prediction of a model for one examination.

    Attributes:
        case: the id of the examination.
        mask: (I, J, K) uint8 on the grid of the input; its numbers are those of
            ``core.regions.labels_of_regions``.
        regions: R names, in the order of the model's channels.
        probability_maps: values in [0, 1], None if they were not requested.
        affine: (4, 4) float64 of the input, voxel to RAS+ mm.
        has_world: False for pictures, which have no lengths or volumes.
        voxels: region name -> number of voxels.
        used: the sequences in the network's input.
        missing: the sequences of the model that the examination lacks.
        model: the model's name.
        synthetic: the model was trained on synthetic data.
        notes: notes for users of the mask.
        provenance: weights, versions, threshold.
        intervals: region name -> interval of its true volume; empty without uncertainty estimation,
            and without empty regions.
        disagreement_maps: standard deviation between the probabilities of the network's side
            maps; None if it was not requested.
        reliability: reliability flag; None without uncertainty estimation.
    """

    case: str
    mask: LabelArray = field(repr=False)
    regions: tuple[str, ...]
    probability_maps: RegionMaps | None = field(repr=False)
    affine: Affine = field(repr=False)
    has_world: bool
    voxels: Mapping[str, int]
    used: tuple[str, ...]
    missing: tuple[str, ...]
    model: str
    synthetic: bool = False
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, object] = field(
        default_factory=lambda: MappingProxyType({}), repr=False
    )
    intervals: Mapping[str, VolumeInterval] = field(default_factory=lambda: MappingProxyType({}))
    disagreement_maps: RegionMaps | None = field(default=None, repr=False)
    reliability: Reliability | None = None

    @property
    def probabilities(self) -> FloatArray | None:
        """(R, I, J, K) float32 in [0, 1], 0 outside the head; None if they were not requested.

        The array is made at each access; ``probability_maps`` yields one region at a time.
        """
        return None if self.probability_maps is None else self.probability_maps.whole()

    @property
    def disagreement(self) -> FloatArray | None:
        """(R, I, J, K) float32, ``disagreement_maps`` as one array; None without them."""
        return None if self.disagreement_maps is None else self.disagreement_maps.whole()

    @property
    def volumes_ml(self) -> Mapping[str, float] | None:
        """Region name -> volume in ml; None for pictures (``voxels`` is always available)."""
        if not self.has_world:
            return None
        each = voxel_ml(self.affine)
        return MappingProxyType({region: count * each for region, count in self.voxels.items()})

    @property
    def volumes_ml_90(self) -> dict[str, tuple[float, float]]:
        """Region name -> (low, high) in ml, the calibrated interval for nine in ten patients.

        Empty for pictures, and without regions that are not calibrated.
        """
        intervals = self.intervals.items()
        return {
            name: interval.ml
            for name, interval in intervals
            if interval.level == LEVEL and interval.ml is not None
        }
