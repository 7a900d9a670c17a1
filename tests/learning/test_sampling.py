"""What an epoch is made of, and in which order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gliomask.config import SamplingOptions
from gliomask.errors import ConfigError
from gliomask.learning.catalogue import BoolArray, IntArray, list_slices
from gliomask.learning.sampling import PatientOdds, patient_odds, plan_epoch, stacked_samples
from tests.learning.stores import SEQUENCES, write_store

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


def test_every_patient_is_drawn_equally_often_times_its_weight() -> None:
    # Patient 0 has 2 slices with tumour and 8 without, patient 1 has 8 and 2; the second weighs 3.
    tumour = np.array([True] * 2 + [False] * 8 + [True] * 8 + [False] * 2)
    patient = np.repeat([0, 1], 10)
    odds = PatientOdds(patient, np.where(patient == 1, 3.0, 1.0))
    options = SamplingOptions(tumour_share=0.5, slices=80)
    found = plan_epoch(tumour, options, batch=8, seed=3, epoch=0, odds=odds)
    counts = np.bincount(found, minlength=20)
    assert counts[tumour & (patient == 0)].tolist() == [5, 5]  # 40 of tumour, a quarter of them
    assert counts[~tumour & (patient == 1)].tolist() == [15, 15]
    assert counts[tumour & (patient == 1)].sum() == 30
    assert set(counts[tumour & (patient == 1)]) <= {3, 4}  # 30 over 8 slices
    assert found.tolist() != sorted(found)


def test_the_weights_are_those_of_the_data_sets(tmp_path: Path) -> None:
    store = write_store(tmp_path, train=2, validation=1)
    catalogue = list_slices(store, ("case0", "case1"), SEQUENCES, all_needed=False)
    samples = stacked_samples(catalogue)
    assert patient_odds(catalogue, samples, SamplingOptions()) is None
    odds = patient_odds(catalogue, samples, SamplingOptions(patient_weights={"tiny": 2.0}))
    assert odds is not None
    assert odds.patient.tolist() == [0] * 5 + [1] * 5
    assert set(odds.weight) == {2.0}
    others = patient_odds(catalogue, samples, SamplingOptions(patient_weights={"brats": 2.0}))
    assert others is not None
    assert set(others.weight) == {1.0}
    with pytest.raises(ConfigError, match=r"patient_weights=brtas, .*did you mean 'brats'"):
        patient_odds(catalogue, samples, SamplingOptions(patient_weights={"brtas": 2.0}))
