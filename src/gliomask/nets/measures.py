"""Measurements in a model card of training data and held-out patients, for comparison with new
cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

Finite = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]


class CardPart(BaseModel):
    """Base of the parts of a card: frozen and strict."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )


class Range(CardPart):
    """Distribution of a quantity over n cases or patients."""

    n: Annotated[int, Field(ge=1)]
    """Number of values."""
    low: Finite
    """Minimum."""
    p5: Finite
    """5th percentile (linearly interpolated)."""
    median: Finite
    """Median."""
    p90: Finite
    """90th percentile."""
    p95: Finite
    """95th percentile."""
    high: Finite
    """Maximum."""


_PERCENTILES = (0, 5, 50, 90, 95, 100)


def range_of(values: Sequence[float]) -> Range | None:
    """Distribution of finite numbers, rounded to 6 digits; None without any."""
    if not values:
        return None
    percentiles = np.percentile(np.array(values, np.float64), _PERCENTILES)
    low, p5, median, p90, p95, high = (float(f"{value:.6g}") for value in percentiles)
    return Range(n=len(values), low=low, p5=p5, median=median, p90=p90, p95=p95, high=high)


class Intensities(CardPart):
    """Distribution of the normalised intensities of a sequence in the heads of training cases."""

    levels: tuple[Annotated[float, Field(gt=0, lt=1)], ...]
    """Levels of the quantiles of each case."""
    mean: tuple[Finite, ...]
    """Mean of each quantile over the cases."""
    deviation: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...]
    """Standard deviation of each quantile over the cases."""
    distance: Range | None
    """Distances of the cases from the mean (``inference.training_distance``)."""


class TrainingData(CardPart):
    """Training data of the network."""

    patients: Count
    """Number of patients or cases."""
    slices: Range | None
    """Number of slices of a case."""
    pixel_mm: Range | None
    """Pixel size in the slice, the geometric mean of both; None if no case has a voxel size."""
    slice_mm: Range | None
    """Distance between slices; likewise."""
    intensities: dict[str, Intensities]
    """Sequence -> its intensities in a sample of the cases."""


class VolumeFit(CardPart):
    """Parameters of the interval of a volume (``inference.uncertainty``)."""

    level: Annotated[float, Field(gt=0, lt=1)]
    """Fraction of patients whose true volume lies in the interval."""
    stretch: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """Half-width of the interval in units of the spread."""
    patients: Count
    """Number of patients that it was fitted on."""


class RegionFacts(CardPart):
    """Results of held-out patients for one region."""

    tumours: Count
    """Number of patients with the region."""
    missed: Count
    """Number of these with an empty mask."""
    dice: Finite | None = None
    """Mean Dice over the patients with the region in reference or mask."""
    disagreement: Range | None
    """1 - mean Dice between the plain mask and those of the other maps, for non-empty masks."""
    alarm: Finite | None = None
    """Disagreement above which a case is flagged; if None, the 90th percentile is used."""
    volume: VolumeFit | None
    """Parameters of the volume interval; None with too few patients."""


class KindFacts(CardPart):
    """Results of held-out patients for one kind of image."""

    skull_stripped: bool | None
    """Whether the images are skull-stripped; None if not distinguished."""
    sequences: tuple[str, ...]
    """Input sequences."""
    patients: Count
    """Number of patients or cases."""
    slices_per_case: Count | None = None
    """Maximum number of slices per case, evenly spaced; None for all."""
    regions: dict[str, RegionFacts]
    """Region -> results."""

    @property
    def dice(self) -> dict[str, float]:
        """Region -> mean Dice, if measured."""
        return {name: facts.dice for name, facts in self.regions.items() if facts.dice is not None}


class ValidationFacts(CardPart):
    """Results of held-out patients."""

    patients: Count
    """Number of patients or cases."""
    ways: tuple[str, ...]
    """Names of the maps in addition to the plain one."""
    kinds: tuple[KindFacts, ...]
    """Results for each kind of image and set of sequences, most sequences first."""

    def without_volumes(self) -> ValidationFacts:
        """These facts without the parameters of volume intervals."""
        no_volume = {"volume": None}
        kinds = tuple(
            kind.model_copy(
                update={
                    "regions": {n: r.model_copy(update=no_volume) for n, r in kind.regions.items()}
                }
            )
            for kind in self.kinds
        )
        return self.model_copy(update={"kinds": kinds})

    def of(self, *, skull_stripped: bool) -> tuple[KindFacts, ...]:
        """Results for this kind of image, with any sequences."""
        return tuple(k for k in self.kinds if k.skull_stripped in (skull_stripped, None))

    def kind(self, sequences: Sequence[str], *, skull_stripped: bool) -> KindFacts | None:
        """Results for this kind of image with exactly these sequences, in any order."""
        facts_of_kind = self.of(skull_stripped=skull_stripped)
        return next((k for k in facts_of_kind if set(k.sequences) == set(sequences)), None)

    def by_likeness(
        self, sequences: Sequence[str], *, skull_stripped: bool
    ) -> tuple[KindFacts, ...]:
        """Results for this kind of image, those whose sequences are most like these first.

        Exactly these sequences come first, then the largest subsets of them, then others.
        """
        given = set(sequences)

        def unlike(kind: KindFacts) -> tuple[bool, bool, int]:
            own = set(kind.sequences)
            return own != given, not own <= given, -len(own)

        return tuple(sorted(self.of(skull_stripped=skull_stripped), key=unlike))

    def nearest(self, sequences: Sequence[str], *, skull_stripped: bool) -> KindFacts | None:
        """The results that come nearest: the kind of image before the sequences."""
        same = self.by_likeness(sequences, skull_stripped=skull_stripped)
        other = self.by_likeness(sequences, skull_stripped=not skull_stripped)
        return next(iter((*same, *other)), None)

    def measured(self, region: str) -> bool:
        """True if the disagreement of a region was measured on any kind of image."""
        facts = (kind.regions.get(region) for kind in self.kinds)
        return any(item is not None and item.disagreement is not None for item in facts)


class CleanUp(CardPart):
    """Rule for removing fragments separate from the largest component of a mask."""

    below_ml: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """A fragment smaller than this volume in ml (for pictures, a voxel counts as 1 mm³) ..."""
    below_probability: Annotated[float, Field(ge=0, le=1)] = 0.0
    """... is removed if no voxel of it reaches this probability."""
    below_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    """A fragment smaller than this fraction of the largest is removed with any probability."""
