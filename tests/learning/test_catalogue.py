"""Which slices are learned from: annotated ones of cases that have what is needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.errors import CasesError, ConfigError, StoreError
from gliomask.learning.catalogue import choose_sequences, list_slices
from tests.learning.stores import SEQUENCES, write_store

IDS = ("case0", "case1", "case2")


def test_slices_stand_case_after_case(tmp_path: Path) -> None:
    store = write_store(tmp_path, train=2, validation=1)
    found = list_slices(store, IDS, SEQUENCES, all_needed=True)
    assert len(found) == 15
    np.testing.assert_array_equal(found.case, np.repeat([0, 1, 2], 5))
    np.testing.assert_array_equal(found.slice, np.tile(np.arange(5), 3))
    np.testing.assert_array_equal(found.tumour, np.tile([False, True, True, True, False], 3))
    np.testing.assert_array_equal(found.rows_of(1), [5, 6, 7, 8, 9])
    assert found.name(6) == "case1 slice 2"
    assert found.patients == ("patient0", "patient1", "patient2")
    np.testing.assert_array_equal(found.patient_of_rows(np.array([0, 14])), [0, 2])


def test_slices_that_nobody_annotated_are_left_out(tmp_path: Path) -> None:
    store = write_store(tmp_path, train=2, validation=1, sparse=[1])
    found = list_slices(store, IDS, SEQUENCES, all_needed=True)
    np.testing.assert_array_equal(found.slice[found.rows_of(1)], [1, 2, 3])
    assert len(found) == 13


def test_the_slices_beside(tmp_path: Path) -> None:
    store = write_store(tmp_path, train=2, validation=1, sparse=[1])
    found = list_slices(store, IDS, SEQUENCES, all_needed=True)
    # Rows 5 to 7 are those of case1, of whose five slices the middle three are annotated.
    rows = np.array([0, 1, 4, 5, 7, 12])
    np.testing.assert_array_equal(found.beside(rows, -1), [0, 0, 3, 5, 6, 11])
    np.testing.assert_array_equal(found.beside(rows, 1), [1, 2, 4, 6, 7, 12])


def test_a_case_without_a_needed_sequence_is_refused_by_name(tmp_path: Path) -> None:
    store = write_store(tmp_path, train=2, validation=1, lacking=[1])
    with pytest.raises(CasesError, match=r"1 of 3 cases lack sequences.*input\.dropout") as caught:
        list_slices(store, IDS, SEQUENCES, all_needed=True)
    assert caught.value.problems == (("case1", "has no flair"),)
    found = list_slices(store, IDS, SEQUENCES, all_needed=False)
    np.testing.assert_array_equal(found.present, [[True, True], [True, False], [True, True]])


def test_a_case_with_none_of_the_sequences_is_refused(tmp_path: Path) -> None:
    store = write_store(tmp_path, train=2, validation=1, lacking=[0])
    with pytest.raises(CasesError, match="first case0"):
        list_slices(store, IDS, ("flair",), all_needed=False)


def test_sequences_are_all_or_those_that_are_wanted(tmp_path: Path) -> None:
    store = write_store(tmp_path, train=2, validation=1)
    assert choose_sequences(store, None) == SEQUENCES
    assert choose_sequences(store, ("flair",)) == ("flair",)
    with pytest.raises(ConfigError, match=r"flare.*did you mean 'flair'"):
        choose_sequences(store, ("flare",))


def test_no_cases_are_refused(tmp_path: Path) -> None:
    store = write_store(tmp_path, train=2, validation=1)
    with pytest.raises(StoreError, match="tumour in the 0 cases of the training patients"):
        list_slices(store, (), SEQUENCES, all_needed=True)
