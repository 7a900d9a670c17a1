"""Properties of the training data, for comparison with new cases."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from typing import Final

from gliomask.inference.training_distance import Quantiles, describe_intensities, head_quantiles
from gliomask.jobs.control import SILENT, Control
from gliomask.nets.measures import TrainingData, range_of
from gliomask.store.manifest import StoredCase
from gliomask.store.store import Store

MOST_CASES: Final = 128
"""Number of cases whose intensities are measured, evenly spaced; sizes are measured for all
cases."""


def sample(store: Store, patients: Set[str]) -> tuple[StoredCase, ...]:
    """Cases of these patients whose intensities are measured."""
    cases = _cases_of(store, patients)
    step = max(1, math.ceil(len(cases) / MOST_CASES))
    return cases[::step]


def training_data(
    store: Store,
    patients: Set[str],
    held_out: Sequence[Mapping[str, Quantiles]] = (),
    control: Control = SILENT,
) -> TrainingData:
    """Measure the cases of some patients.

    Args:
        store: store that contains them.
        patients: training patients of the model; those that are not in the store are not counted.
        held_out: intensities of the cases that it was measured on.
        control: reports each case of ``sample``.

    Raises:
        StoreError: a case can't be read.
    """
    cases = _cases_of(store, patients)
    quantiles = []
    for case in sample(store, patients):
        quantiles.append(head_quantiles(store.stack(case.id)))
        control.advance(note=case.id)
    # A range without patients of unknown spacing would flag their scans as unlike the training
    # data.
    in_world = cases if all(case.has_world for case in cases) else ()
    return TrainingData(
        patients=len({case.patient for case in cases}),
        slices=range_of([case.shape[0] for case in cases]),
        pixel_mm=range_of([math.sqrt(math.prod(case.pixel_mm)) for case in in_world]),
        slice_mm=range_of([case.slice_mm for case in in_world]),
        intensities=describe_intensities(quantiles, held_out),
    )


def _cases_of(store: Store, patients: Set[str]) -> tuple[StoredCase, ...]:
    return tuple(case for case in store.cases if case.patient in patients)
