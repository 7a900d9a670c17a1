"""The prediction for one examination, on the grid that it came on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from gliomask.core.geometry import voxel_ml
from gliomask.core.labels import LabelArray
from gliomask.core.reliability import Reliability
from gliomask.core.volume import Affine, FloatArray

LEVEL: Final = 0.9
"""Of intervals: the share of patients whose true volume is to lie in them."""
RESEARCH_USE_ONLY = "For research use only"
"""Stands in every artefact that a person may carry away."""


@dataclass(frozen=True)
class VolumeInterval:
    """An interval for the true volume of a region.

    Attributes:
        voxels: (low, high); the predicted volume lies between them.
        ml: the same in millilitres; None for pictures.
        level: share of patients whose true volume lies in such an interval, e.g. 0.9; None where
            that was never measured: then it is the raw spread of the network's maps, which says
            little of the truth.
        patients: that the share was measured on; 0 where it was not.
        calibrated: whether it was measured how often such intervals hold the truth.
    """

    voxels: tuple[float, float]
    ml: tuple[float, float] | None
    level: float | None
    patients: int
    calibrated: bool


@dataclass(frozen=True, eq=False)
class Prediction:
    """The result of a model for one examination.

    Attributes:
        case: the id of the examination.
        mask: (I, J, K) uint8 on the grid of the input; its numbers are those of
            ``core.regions.labels_of_regions``.
        regions: R names, in the order of the model's channels.
        probabilities: (R, I, J, K) float32 in [0, 1], None if they were not kept.
        affine: (4, 4) float64 of the input, voxel to RAS+ mm.
        has_world: False for pictures: then no length or volume is known.
        voxels: region name -> how many voxels it has.
        used: the sequences that the network saw.
        missing: the sequences that the model knows and the examination lacks.
        model: the model's name.
        synthetic: the model was trained on synthetic data.
        notes: what a person who reads the mask should know.
        provenance: what it was made with: weights, versions, threshold.
        intervals: region name -> where its true volume may lie; empty if the network was
            asked only once, and without a region of which nothing was found.
        disagreement: (R, I, J, K) float32, standard deviation between the probabilities of the
            network's side maps and those of mirrored slices; None if it was not requested.
        reliability: how far all this may be trusted; None if that was not looked into.
    """

    case: str
    mask: LabelArray
    regions: tuple[str, ...]
    probabilities: FloatArray | None
    affine: Affine
    has_world: bool
    voxels: Mapping[str, int]
    used: tuple[str, ...]
    missing: tuple[str, ...]
    model: str
    synthetic: bool = False
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    intervals: Mapping[str, VolumeInterval] = field(default_factory=lambda: MappingProxyType({}))
    disagreement: FloatArray | None = None
    reliability: Reliability | None = None

    @property
    def volumes_ml(self) -> Mapping[str, float] | None:
        """Region name -> millilitres; None where there is no world (``voxels`` holds always)."""
        if not self.has_world:
            return None
        each = voxel_ml(self.affine)
        return MappingProxyType({region: count * each for region, count in self.voxels.items()})

    @property
    def volumes_ml_90(self) -> dict[str, tuple[float, float]]:
        """Region name -> (low, high) in millilitres that nine in ten patients' volumes lie in.

        Empty for pictures, and without the regions for which that was not measured.
        """
        intervals = self.intervals.items()
        return {
            name: interval.ml
            for name, interval in intervals
            if interval.level == LEVEL and interval.ml is not None
        }
