"""The numbers of the data sets, translated by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.core.label_scheme import (
    BINARY,
    BRATS_2021,
    BRATS_2023,
    BRATS_2024,
    CORE_ONLY,
    LabelScheme,
)
from gliomask.core.labels import CAVITY, CORE, ENHANCING, NECROSIS, OEDEMA, TUMOUR
from gliomask.core.regions import labels_of_regions, region_masks


@pytest.mark.parametrize(
    ("scheme", "numbers", "labels"),
    [
        (BRATS_2021, [0, 1, 2, 4], [0, NECROSIS, OEDEMA, ENHANCING]),
        (BRATS_2023, [0, 1, 2, 3], [0, NECROSIS, OEDEMA, ENHANCING]),
        (BRATS_2024, [1, 2, 3, 4], [NECROSIS, OEDEMA, ENHANCING, CAVITY]),
        (BINARY, [0, 255, 1], [0, TUMOUR, TUMOUR]),
    ],
)
def test_translation(scheme: LabelScheme, numbers: list[int], labels: list[int]) -> None:
    assert scheme.translate(np.array(numbers)).tolist() == labels


def test_an_unknown_number_is_named_with_those_known() -> None:
    with pytest.raises(ValueError, match=r"label 3 is not one of \[0, 1, 2, 4\]"):
        BRATS_2021.translate(np.array([0, 3]))


def test_regions_of_a_scheme() -> None:
    assert BINARY.regions == ("whole",)
    assert BRATS_2021.regions == ("whole", "core", "enhancing")
    assert CORE_ONLY.regions == ("core",)


@pytest.mark.parametrize(
    ("labels", "regions"),
    [
        ((ENHANCING,), ("enhancing",)),
        ((NECROSIS, ENHANCING), ("core", "enhancing")),
        ((OEDEMA, ENHANCING), ("whole", "enhancing")),
        ((OEDEMA, CORE), ("whole", "core")),
        ((OEDEMA,), ()),
        ((NECROSIS,), ()),
        ((TUMOUR, CAVITY), ("whole",)),
        ((TUMOUR, ENHANCING), ("whole",)),
    ],
)
def test_a_scheme_without_a_part_of_a_region_does_not_contain_it(
    labels: tuple[int, ...], regions: tuple[str, ...]
) -> None:
    scheme = LabelScheme("some parts", tuple(enumerate(labels, start=1)))
    assert scheme.regions == regions


def test_region_masks_are_nested_and_leave_the_cavity_out() -> None:
    labels = np.array([0, NECROSIS, OEDEMA, ENHANCING, CAVITY, TUMOUR], np.uint8)
    masks = region_masks(labels, ("whole", "core", "enhancing"))
    assert masks.astype(int).tolist() == [
        [0, 1, 1, 1, 0, 1],
        [0, 1, 0, 1, 0, 0],
        [0, 0, 0, 1, 0, 0],
    ]


def test_masks_become_the_numbers_of_brats_2023() -> None:
    masks = np.array([[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]], bool)
    assert labels_of_regions(masks, ("whole", "core", "enhancing")).tolist() == [0, 2, 1, 3]


def test_one_region_is_written_as_one() -> None:
    assert labels_of_regions(np.array([[0, 1]], bool), ("whole",)).tolist() == [0, 1]
