from __future__ import annotations

from collections.abc import Callable

import pytest

from gliomask.errors import ConfigError
from gliomask.phantom.options import PhantomOptions


def test_the_grid_has_the_options_size() -> None:
    grid = PhantomOptions(matrix=120, slices=20, slice_mm=6.5, field_mm=240).grid
    assert grid.shape == (120, 120, 20)
    assert grid.voxel_mm == (2.0, 2.0, 6.5)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: PhantomOptions(matrix=31), "matrix=31, allowed 32 to 512"),
        (lambda: PhantomOptions(matrix=513), "matrix=513"),
        (lambda: PhantomOptions(slices=5), "slices=5, allowed 6 to 256"),
        (lambda: PhantomOptions(slices=20, slice_mm=2.0), "slices x slice_mm=40.0"),
        (lambda: PhantomOptions(slice_mm=float("nan")), "slices x slice_mm=nan"),
        (lambda: PhantomOptions(field_mm=100.0), "field_mm=100.0"),
        (lambda: PhantomOptions(enhancing=1.5), "enhancing=1.5, allowed 0 to 1"),
    ],
)
def test_options_out_of_range_are_refused(make: Callable[[], PhantomOptions], text: str) -> None:
    with pytest.raises(ConfigError) as problem:
        make()
    assert text in str(problem.value)
