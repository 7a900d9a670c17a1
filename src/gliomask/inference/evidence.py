"""One prediction without a reference, and what its model was measured on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final

from gliomask.core.geometry import voxel_ml
from gliomask.core.prediction import Prediction, VolumeInterval
from gliomask.core.slices import SliceStack
from gliomask.inference.opinions import Opinions
from gliomask.inference.training_distance import distance, head_quantiles
from gliomask.inference.uncertainty import doubt, interval, spread
from gliomask.nets.cards import ModelCard
from gliomask.nets.measures import KindFacts, Range, RegionFacts, VolumeFit

_ROUNDING: Final = 1.01
"""Headers and cards contain rounded values: 1 % beyond the range is not outside."""


@dataclass(frozen=True)
class Outlier:
    """A property of the images that lies outside the range of the known cases.

    Attributes:
        code: of the reason that it gives; what: names it.
        value: of the images; usual: of the known cases.
        factor: distance from the range as a factor, above 1.
    """

    code: str
    what: str
    value: float
    usual: Range
    factor: float


@dataclass(frozen=True, eq=False)
class Evidence:
    """A prediction with what it was made from, for its flag and its intervals.

    Attributes:
        card: of the model.
        stack: the slices that the network got.
        prediction: on the grid of the input.
        opinions: the network's other maps.
        skull_stripped: whether the images are of a brain without its skull.
    """

    card: ModelCard
    stack: SliceStack
    prediction: Prediction
    opinions: Opinions
    skull_stripped: bool

    @property
    def images(self) -> str:
        """Description of the kind of image."""
        what = "brains without skull" if self.skull_stripped else "whole heads"
        return f"{what} with {', '.join(self.prediction.used)}"

    @property
    def kind(self) -> KindFacts | None:
        """Validation facts for images of this kind with these sequences, if available."""
        known = self.card.validation
        used, stripped = self.prediction.used, self.skull_stripped
        return known.kind(used, skull_stripped=stripped) if known else None

    @property
    def nearest(self) -> KindFacts | None:
        """Validation facts of the most similar kind of image, if available."""
        known = self.card.validation
        used, stripped = self.prediction.used, self.skull_stripped
        return known.nearest(used, skull_stripped=stripped) if known else None

    def usual_disagreement(self, region: str) -> RegionFacts | None:
        """Facts with the usual disagreement of a region: of this kind of image if there are any.

        A kind of image that was never measured is compared with the other one; a region that was
        not measured on a kind that was is not.
        """
        known, stripped = self.card.validation, self.skull_stripped
        if known is None:
            return None
        used = self.prediction.used
        same = known.by_likeness(used, skull_stripped=stripped)
        kinds = same or known.by_likeness(used, skull_stripped=not stripped)
        facts = (kind.regions.get(region) for kind in kinds)
        return next((item for item in facts if item and item.disagreement), None)

    @cached_property
    def strange_sizes(self) -> tuple[Outlier, ...]:
        """Sizes of voxels outside the range of the training data."""
        data, record = self.card.training_data, self.stack.record
        if data is None or not record.has_world or data.slice_mm is None or data.pixel_mm is None:
            return ()
        pixel = math.sqrt(record.pixel_mm[0] * record.pixel_mm[1])
        sizes = (
            ("pixel_size", "pixel size", pixel, data.pixel_mm),
            ("slice_distance", "distance between slices", record.slice_mm, data.slice_mm),
        )
        outliers = (
            Outlier(code, what, size, usual, max(size / usual.high, usual.low / size))
            for code, what, size, usual in sizes
        )
        return tuple(outlier for outlier in outliers if outlier.factor > _ROUNDING)

    @cached_property
    def strange_intensities(self) -> tuple[Outlier, ...]:
        """Sequences whose intensities are distributed as in no known case."""
        data = self.card.training_data
        quantiles = head_quantiles(self.stack) if data else {}
        outliers = []
        for name in self.prediction.used:
            known = data.intensities.get(name) if data else None
            if known is None or known.distance is None or name not in quantiles:
                continue
            value, usual = distance(quantiles[name], known), known.distance
            if value > _ROUNDING * usual.high:
                what = f"intensities of {name}"
                outliers.append(Outlier("intensities", what, value, usual, value / usual.high))
        return tuple(outliers)

    @property
    def strange(self) -> str:
        """Description of how the images differ from all known cases; may be empty."""
        return ", ".join(
            outlier.what for outlier in (*self.strange_sizes, *self.strange_intensities)
        )

    def fit(self, region: str) -> VolumeFit | None:
        """Fit behind the interval of a region's volume; None without measurements on images of
        this kind."""
        facts = self.kind.regions.get(region) if self.kind and not self.strange else None
        return facts.volume if facts else None

    @cached_property
    def intervals(self) -> MappingProxyType[str, VolumeInterval]:
        """Volume intervals of the regions that were found.

        They have a coverage only where it was measured, on this kind of image with these
        sequences; elsewhere they are as wide as the widest of the model's and have none.
        """
        plain, opinions, known = self.prediction, self.opinions, self.card.validation
        kinds = known.kinds if known else ()
        each_ml = voxel_ml(plain.affine) if plain.has_world else None
        intervals = {}
        for k, region in enumerate(self.card.regions):
            voxels = plain.voxels[region]
            wide = spread(voxels, opinions.voxels[:, k], doubt(opinions.probabilities[k]))
            fits = [r.volume for kind in kinds if (r := kind.regions.get(region)) and r.volume]
            region_interval = interval(voxels, wide, self.fit(region), fits, each_ml)
            if region_interval is not None:
                intervals[region] = region_interval
        return MappingProxyType(intervals)
