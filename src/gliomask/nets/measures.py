"""What a model card holds of its data and its validation patients, to judge new cases by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

Finite = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    """Base of the parts of a card: frozen and strict."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )


class Range(Part):
    """How some figure is spread over n cases or patients."""

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
    found = np.percentile(np.array(values, np.float64), _PERCENTILES)
    low, p5, median, p90, p95, high = (float(f"{value:.6g}") for value in found)
    return Range(n=len(values), low=low, p5=p5, median=median, p90=p90, p95=p95, high=high)


class Intensities(Part):
    """How the normalised intensities of one sequence are spread within the heads of training."""

    levels: tuple[Annotated[float, Field(gt=0, lt=1)], ...]
    """Which quantiles are taken of each case."""
    mean: tuple[Finite, ...]
    """Of each quantile over the cases."""
    deviation: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...]
    """Standard deviation of each quantile over the cases."""
    distance: Range | None
    """How far the cases lie from the mean (``inference.familiarity``)."""


class TrainingData(Part):
    """What the network has learned from."""

    patients: Count
    """Their number."""
    slices: Range | None
    """Slices of a case."""
    pixel_mm: Range | None
    """Pixel size in the slice, the geometric mean of both; None if no case tells millimetres."""
    slice_mm: Range | None
    """Distance between slices; likewise."""
    intensities: dict[str, Intensities]
    """Sequence -> its intensities in a sample of the cases."""


class SubsetDice(Part):
    """How good the model is when it is given only these sequences."""

    sequences: tuple[str, ...]
    """Those given."""
    dice: dict[str, Finite]
    """Region -> mean Dice over the patients."""
    patients: Count
    """Validation patients who have all of the model's sequences."""
    slices_per_case: Count
    """At most so many, evenly spaced, were looked at."""


class VolumeFit(Part):
    """How an interval of the volume follows from the spread (``inference.uncertainty``)."""

    level: Annotated[float, Field(gt=0, lt=1)]
    """Share of patients whose truth it holds."""
    stretch: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """Spreads that it reaches to either side."""
    patients: Count
    """That it was fitted on."""


class RegionValidation(Part):
    """What the validation patients say of one region."""

    tumours: Count
    """Patients who have it."""
    missed: Count
    """Of those, in whom nothing at all was found."""
    disagreement: Range | None
    """1 - mean Dice between the plain mask and those of the other maps, where any was found (of
    patients with all sequences, as the volume)."""
    volume: VolumeFit | None
    """None if there were too few patients."""


class ValidationFacts(Part):
    """What was measured on the validation patients."""

    patients: Count
    """Their number."""
    ways: tuple[str, ...]
    """The maps beside the plain one."""
    regions: dict[str, RegionValidation]
    """Region -> what was found of it."""
    subsets: tuple[SubsetDice, ...] = ()
    """All sequences first; empty if the model needs them all."""

    def without_volumes(self) -> ValidationFacts:
        """The same but for how intervals of volumes follow from spreads."""
        regions = {
            name: one.model_copy(update={"volume": None}) for name, one in self.regions.items()
        }
        return self.model_copy(update={"regions": regions})

    def subset(self, sequences: Sequence[str]) -> SubsetDice | None:
        """What was measured with just these sequences, in any order."""
        return next((s for s in self.subsets if set(s.sequences) == set(sequences)), None)
