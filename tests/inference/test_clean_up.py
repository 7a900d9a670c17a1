"""Fragments of a mask and their removal, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.core.labels import LabelArray
from gliomask.core.volume import FloatArray
from gliomask.inference.clean_up import clean_up, describe_clean_up, find_fragments
from gliomask.nets.measures import CleanUp

ML = 0.01
"""Of a voxel here."""


def scene() -> tuple[LabelArray, FloatArray]:
    """Fragments of 10, 2 and 1 voxels, surest in 0.7, 0.95 and 0.6; the first has two labels and
    one step over a corner."""
    labels = np.zeros((8, 8, 4), np.uint8)
    labels[0, 0:8, 0] = 2
    labels[1, 1, 1] = 4
    labels[1, 0, 1] = 4
    labels[5, 5:7, 2] = 2
    labels[7, 0, 3] = 2
    probabilities = np.where(labels > 0, 0.55, 0.99).astype(np.float32)  # elsewhere: not looked at
    probabilities[0, 3, 0], probabilities[5, 6, 2], probabilities[7, 0, 3] = 0.7, 0.95, 0.6
    return labels, probabilities


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        (None, 13),
        (CleanUp(), 13),
        (CleanUp(below_ml=0.021, below_probability=1.0), 10),
        (CleanUp(below_ml=0.02, below_probability=1.0), 12),
        (CleanUp(below_ml=0.021, below_probability=0.9), 12),  # the fragment of 2 is sure
        (CleanUp(below_ml=0.021, below_probability=0.5), 13),
        (CleanUp(below_ml=50.0, below_probability=1.0), 10),  # the largest stays
        (CleanUp(below_share=0.11), 12),
        (CleanUp(below_share=1.0), 10),
        (CleanUp(below_ml=0.011, below_probability=0.7, below_share=0.21), 10),
    ],
)
def test_fragments_that_a_rule_removes(rule: CleanUp | None, left: int) -> None:
    labels, probabilities = scene()
    kept = clean_up(labels, probabilities, rule, ML)
    assert np.count_nonzero(kept) == left
    assert np.array_equal(kept[kept > 0], labels[kept > 0])
    assert np.array_equal(labels, scene()[0])  # it is not changed


def test_what_touches_by_a_corner_is_one_fragment() -> None:
    labels = np.zeros((4, 4, 4), np.uint8)
    labels[0, 0, 0] = labels[1, 1, 1] = 1
    found = find_fragments(labels, labels.astype(np.float32))
    assert found is not None
    assert found.voxels.tolist() == [2]
    assert found.peak.tolist() == [1.0]


def test_nothing_stays_nothing() -> None:
    empty = np.zeros((3, 3, 3), np.uint8)
    assert find_fragments(empty, empty.astype(np.float32)) is None
    assert not clean_up(empty, empty.astype(np.float32), CleanUp(below_ml=1.0), ML).any()


def test_of_equal_fragments_all_stay() -> None:
    labels = np.zeros((5, 1, 1), np.uint8)
    labels[[0, 2, 4]] = 3
    rule = CleanUp(below_ml=1.0, below_probability=1.0)
    unsure = np.full(labels.shape, 0.6, np.float32)
    assert np.array_equal(clean_up(labels, unsure, rule, ML), labels)


def test_rules_in_words() -> None:
    assert describe_clean_up(None) == describe_clean_up(CleanUp()) == "none"
    rule = CleanUp(below_ml=0.2, below_probability=0.9)
    assert describe_clean_up(rule) == "fragments of less than 0.2 ml below probability 0.90"
    by_size = CleanUp(below_ml=1.0, below_probability=1.0)
    assert describe_clean_up(by_size) == "fragments of less than 1 ml"
    share = CleanUp(below_share=0.5)
    assert describe_clean_up(share) == "fragments smaller than 0.5 of the largest part"
