from __future__ import annotations

from collections.abc import Callable

import pytest

from gliomask.errors import ConfigError
from gliomask.phantom.options import PatientOptions


def test_the_grid_has_the_options_size() -> None:
    grid = PatientOptions(matrix=120, slices=20, slice_mm=6.5, field_mm=240).grid
    assert grid.shape == (120, 120, 20)
    assert grid.voxel_mm == (2.0, 2.0, 6.5)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: PatientOptions(matrix=31), "matrix=31, allowed 32 to 512"),
        (lambda: PatientOptions(matrix=513), "matrix=513"),
        (lambda: PatientOptions(slices=5), "slices=5, allowed 6 to 256"),
        (lambda: PatientOptions(slices=20, slice_mm=2.0), "slices x slice_mm=40.0"),
        (lambda: PatientOptions(slice_mm=float("nan")), "slices x slice_mm=nan"),
        (lambda: PatientOptions(field_mm=100.0), "field_mm=100.0"),
        (lambda: PatientOptions(enhancing=1.5), "enhancing=1.5, allowed 0 to 1"),
    ],
)
def test_options_out_of_range_are_refused(make: Callable[[], PatientOptions], text: str) -> None:
    with pytest.raises(ConfigError) as problem:
        make()
    assert text in str(problem.value)
