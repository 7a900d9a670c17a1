"""Facts in a model card about its training data and validation patients, to assess new cases."""

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
    """How many."""
    low: Finite
    """The smallest."""
    p5: Finite
    """5th percentile, linearly interpolated, as all."""
    median: Finite
    """The median."""
    p90: Finite
    """90th percentile."""
    p95: Finite
    """95th percentile."""
    high: Finite
    """The largest."""


_PERCENTILES = (0, 5, 50, 90, 95, 100)


def range_of(values: Sequence[float]) -> Range | None:
    """The range of any number of finite figures, to 6 digits; None of none."""
    if not values:
        return None
    percentiles = np.percentile(np.array(values, np.float64), _PERCENTILES)
    low, p5, median, p90, p95, high = (float(f"{value:.6g}") for value in percentiles)
    return Range(n=len(values), low=low, p5=p5, median=median, p90=p90, p95=p95, high=high)


class Intensities(CardPart):
    """Distribution of the normalised intensities of a sequence in the heads of training cases."""

    levels: tuple[Annotated[float, Field(gt=0, lt=1)], ...]
    """Which quantiles are taken of each case."""
    mean: tuple[Finite, ...]
    """Of each quantile over the cases."""
    deviation: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...]
    """Standard deviation of each quantile over the cases."""
    distance: Range | None
    """How far the cases lie from the mean (``inference.training_distance``)."""


class TrainingData(CardPart):
    """Training data of the network."""

    patients: Count
    """Their number."""
    slices: Range | None
    """Slices of a case."""
    pixel_mm: Range | None
    """Pixel size in the slice, the geometric mean of both; None if no case has a voxel size."""
    slice_mm: Range | None
    """Distance between slices; likewise."""
    intensities: dict[str, Intensities]
    """Sequence -> its intensities in a sample of the cases."""


class VolumeFit(CardPart):
    """Parameters of the interval of a volume (``inference.uncertainty``)."""

    level: Annotated[float, Field(gt=0, lt=1)]
    """Share of patients whose truth it holds."""
    stretch: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """Spreads that it reaches to either side."""
    patients: Count
    """That it was fitted on."""


class RegionFacts(CardPart):
    """Results of held-out patients for one region."""

    tumours: Count
    """Patients who have it."""
    missed: Count
    """Of those, with an empty mask."""
    dice: Finite | None = None
    """Mean Dice over the patients in whom the reference or the mask has it."""
    disagreement: Range | None
    """1 - mean Dice between the plain mask and those of the other maps, where any was found."""
    alarm: Finite | None = None
    """Disagreement above which a case is flagged; None where that was not chosen: then it is the
    90th percentile."""
    volume: VolumeFit | None
    """None if there were too few patients."""


class KindFacts(CardPart):
    """Results of held-out patients for one kind of image."""

    skull_stripped: bool | None
    """Whether the images are of brains without skull; None if kinds were not distinguished."""
    sequences: tuple[str, ...]
    """That the network was given."""
    patients: Count
    """Their number."""
    slices_per_case: Count | None = None
    """At most so many, evenly spaced, were used; None for all."""
    regions: dict[str, RegionFacts]
    """Region -> what they show of it."""

    @property
    def dice(self) -> dict[str, float]:
        """Region -> mean Dice, where it was measured."""
        return {name: facts.dice for name, facts in self.regions.items() if facts.dice is not None}


class ValidationFacts(CardPart):
    """Results of held-out patients."""

    patients: Count
    """Their number."""
    ways: tuple[str, ...]
    """The maps beside the plain one."""
    kinds: tuple[KindFacts, ...]
    """For each kind of image and set of sequences, those with the most sequences first."""

    def without_volumes(self) -> ValidationFacts:
        """The same but for how intervals of volumes follow from spreads."""
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
        """Whether the disagreement of a region was measured on any kind of image."""
        facts = (kind.regions.get(region) for kind in self.kinds)
        return any(one is not None and one.disagreement is not None for one in facts)


class CleanUp(CardPart):
    """Rule for removing fragments separate from the largest component of a mask."""

    below_ml: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """A fragment smaller than this, in ml (without a world a voxel counts as 1 mm³), ..."""
    below_probability: Annotated[float, Field(ge=0, le=1)] = 0.0
    """... is removed if no voxel of it reaches this probability."""
    below_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    """A fragment smaller than this share of the largest is removed whatever its probability."""
