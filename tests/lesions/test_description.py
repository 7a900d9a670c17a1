"""Description of a mask: regions, lesions, those that RANO calls measurable; and its work."""

from __future__ import annotations

import json
from dataclasses import asdict
from unittest.mock import Mock

import numpy as np
import pytest

from gliomask.core.labels import LabelArray
from gliomask.lesions import diameters
from gliomask.lesions.description import describe_lesions, describe_region
from gliomask.lesions.outline import Outline
from tests.lesions.shapes import affine, block


def mask_of(*sides: tuple[int, int], shape: tuple[int, int, int] = (40, 40, 12)) -> LabelArray:
    return block(shape, *sides).astype(np.uint8)


def test_an_empty_mask() -> None:
    empty = np.zeros((5, 5, 5), np.uint8)
    assert describe_lesions(empty, np.eye(4), ("whole", "core")) == ()
    region = describe_region(empty, np.eye(4), "whole")
    assert (region.voxels, region.tiny, region.sum_of_products_mm2.value) == (0, 0, 0.0)


def test_lesions_of_nested_regions() -> None:
    mask = 2 * mask_of((2, 30), (2, 30), (2, 10))
    mask[10:20, 10:20, 4:8] = 3
    mask[12:14, 12:14, 5] = 1
    found = describe_lesions(mask, np.eye(4), ("whole", "core", "enhancing"))
    assert [(one.region, one.number, one.voxels) for one in found] == [
        ("whole", 1, 28 * 28 * 8),
        ("core", 1, 400),
        ("enhancing", 1, 396),
    ]
    assert json.loads(json.dumps([asdict(one) for one in found]))[0]["measurable"] is True


def test_figures_are_those_of_the_volume_not_of_the_box() -> None:
    found = describe_lesions(mask_of((20, 21), (5, 35), (7, 9)), affine(1.0, 0.5, 3.0), ("whole",))
    (lesion,) = found
    assert (lesion.axis, lesion.slice_index, lesion.slices) == (2, 7, 2)
    assert sorted(lesion.long.voxels) == [(20, 4.5, 7), (20, 34.5, 7)]
    assert lesion.diameters.long.value == pytest.approx(15.0)
    low, high = sorted(lesion.long.mm)
    assert low == pytest.approx((-10, 12.5 + 2.25, 7 + 21))
    assert high == pytest.approx((-10, 12.5 + 17.25, 7 + 21))


@pytest.mark.parametrize(
    ("sides", "slice_mm", "why_not"),
    [
        (((2, 22), (2, 14), (2, 4)), 1.0, ""),
        (((2, 22), (2, 11), (2, 4)), 1.0, "a diameter is below 10 mm"),
        (((2, 22), (2, 14), (2, 3)), 1.0, "visible in fewer than 2 slices"),
        (((2, 22), (2, 14), (2, 4)), 5.0, ""),
        (((2, 22), (2, 14), (2, 4)), 7.0, "a diameter is below 14 mm"),
        (((2, 22), (2, 18), (2, 4)), 7.0, ""),
    ],
)
def test_measurable_by_size(
    sides: tuple[tuple[int, int], ...], slice_mm: float, why_not: str
) -> None:
    (lesion,) = describe_lesions(mask_of(*sides), affine(1.0, 1.0, slice_mm), ("whole",))
    assert (lesion.measurable, lesion.why_not) == (not why_not, why_not)


def test_the_sum_is_over_the_five_largest_products() -> None:
    mask = np.zeros((130, 30, 4), np.uint8)
    for number in range(7):  # columns as high as wide apart: 12, 13 ... 18 by 12
        mask[1 + 18 * number : 13 + 18 * number, 2 : 14 + number, 1:3] = 1
    mask[128, 28, 1] = 1
    region = describe_region(mask, np.eye(4), "whole")
    products = sorted((one.diameters.product.value for one in region.lesions), reverse=True)
    assert len(products) == 7
    assert region.sum_of_products_mm2.value == pytest.approx(sum(products[:5]))
    assert region.tiny == 1
    assert region.tiny_volume_ml == pytest.approx(0.001)
    assert region.voxels == int(mask.sum())


def test_few_lines_of_a_large_tumour_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds leave few of 67 slices, and glances few of the lines between points in these."""
    i, j, k = np.indices((240, 240, 155), np.float32, sparse=True)
    wave = np.sin(i / 5) + np.sin(j / 4) + np.sin(k / 6)
    far = ((i - 120) / 42) ** 2 + ((j - 110) / 34) ** 2 + ((k - 70) / 30) ** 2
    mask = (far + 0.12 * wave < 1).astype(np.uint8)
    searched, followed = Mock(wraps=diameters._longest), Mock(wraps=Outline.contains_line)
    monkeypatch.setattr(diameters, "_longest", searched)
    monkeypatch.setattr(Outline, "contains_line", lambda *args: followed(*args))
    (lesion,) = describe_lesions(mask, np.eye(4), ("whole",))
    assert lesion.volume_ml.value > 100
    assert lesion.slices == 67
    assert 1 <= searched.call_count <= 8  # 4 when this was written
    assert 1 <= followed.call_count <= 20  # 2 when this was written
