"""What an epoch is made of, and in which order."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gliomask.config import SamplingOptions
from gliomask.learning.catalogue import BoolArray, IntArray
from gliomask.learning.sampling import plan_epoch

TUMOUR = np.arange(40) < 10


def plan(
    options: SamplingOptions, epoch: int = 0, batch: int = 4, tumour: BoolArray = TUMOUR
) -> IntArray:
    return plan_epoch(tumour, options, batch=batch, seed=3, epoch=epoch)


def test_all_slices_once_in_an_order_of_the_epochs_own() -> None:
    first, second = plan(SamplingOptions()), plan(SamplingOptions(), epoch=1)
    assert sorted(first) == list(range(40))
    assert first.tolist() != second.tolist()
    np.testing.assert_array_equal(first, plan(SamplingOptions()))


def test_the_last_batch_is_filled_up() -> None:
    found = plan(SamplingOptions(), batch=12)
    assert len(found) == 48
    assert set(found) == set(range(40))


def test_the_share_of_tumour_is_held_exactly() -> None:
    found = plan(SamplingOptions(tumour_share=0.6))
    assert TUMOUR[found].sum() == 24
    # Ten slices with tumour for 24 places: each twice or three times.
    counts = np.bincount(found, minlength=40)[:10]
    assert counts.min() == 2
    assert counts.max() == 3


def test_fewer_slices_than_there_are() -> None:
    found = plan(SamplingOptions(tumour_share=0.5, slices=6))
    assert len(found) == 8  # whole batches
    assert len(set(found)) == 8
    assert TUMOUR[found].sum() == 4


def test_a_share_that_can_not_be_held_takes_what_there_is() -> None:
    everywhere = np.ones(5, bool)
    found = plan(SamplingOptions(tumour_share=0.5), tumour=everywhere, batch=5)
    assert sorted(found) == [0, 1, 2, 3, 4]


def test_one_slice_fills_a_batch() -> None:
    assert plan(SamplingOptions(), tumour=np.array([True])).tolist() == [0, 0, 0, 0]


@settings(deadline=None, max_examples=40)
@given(
    held=st.lists(st.booleans(), min_size=1, max_size=30),
    share=st.one_of(st.none(), st.floats(0.05, 1.0)),
    slices=st.one_of(st.none(), st.integers(1, 50)),
    batch=st.integers(1, 9),
)
def test_whole_batches_of_known_slices(
    held: list[bool], share: float | None, slices: int | None, batch: int
) -> None:
    tumour = np.array(held)
    options = SamplingOptions(tumour_share=share, slices=slices)
    found = plan_epoch(tumour, options, batch=batch, seed=0, epoch=0)
    wanted = slices or len(held)
    assert len(found) % batch == 0
    assert wanted <= len(found) < wanted + batch
    assert set(found) <= set(range(len(held)))
