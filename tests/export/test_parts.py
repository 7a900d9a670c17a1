"""Each step of the graph against the function of ``core`` that it stands for."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from gliomask.core import intensity, resample, slices
from gliomask.core.regions import labels_of_regions, region_numbers
from gliomask.core.volume import FloatArray
from gliomask.export import intensity as levels_module
from gliomask.export.grid import grid
from gliomask.export.head_box import head_box
from gliomask.export.intensity import levels
from gliomask.export.labels import labels
from gliomask.export.nodes import Nodes
from tests.export.run import Numbers, given
from tests.fakes import fake_card

SHAPES = [(5, 17, 23), (4, 24, 20), (1, 9, 9), (3, 1, 40)]


def images_of(shape: tuple[int, int, int]) -> FloatArray:
    """Noise, whole numbers with an air of zeros (many equal ranks), and negative numbers."""
    made = np.random.default_rng(sum(shape)).gamma(2, 100, (3, *shape)).astype(np.float32)
    made[1] = np.rint(made[1]) * (made[1] > 150)
    made[2] -= 500
    return made


def found_levels(images: FloatArray) -> list[Numbers]:
    nodes = Nodes("test")
    found = levels(nodes, "images")
    wanted = [found.tissue, found.mean, found.inverse, found.contrast]
    return given(nodes, wanted, {"images": images})


@pytest.mark.parametrize("sample", [500_000, 100])
@pytest.mark.parametrize("shape", SHAPES)
def test_levels(monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int, int], sample: int) -> None:
    monkeypatch.setattr(intensity, "SAMPLE", sample)
    monkeypatch.setattr(levels_module, "SAMPLE", sample)
    images = images_of(shape)
    tissue, mean, inverse, contrast = (found.ravel() for found in found_levels(images))
    assert contrast.all()
    assert tissue == pytest.approx(
        [intensity.tissue_level(one, sample) for one in images], rel=1e-6
    )
    for channel, image in enumerate(images):
        scaled = np.clip((image - mean[channel]) * inverse[channel], -5, 5)
        assert scaled == pytest.approx(intensity.normalise(image), abs=2.5e-3)
        exact = scaled.astype(np.float16).astype(np.float32) == intensity.normalise(image)
        assert exact.mean() > 0.99


def test_levels_worked_out_by_hand() -> None:
    """0 to 100: percentiles 2 and 98, head above 11.6, so 12 to 100 with the median 56."""
    image = np.arange(101, dtype=np.float32).reshape(1, 1, 1, 101)
    tissue, mean, inverse, _ = (found.item() for found in found_levels(image))
    assert tissue == 2 + 0.5 * (56 - 2)
    assert mean == 56
    assert 1 / inverse == pytest.approx(np.sqrt((89**2 - 1) / 12))


def test_a_constant_image_shows() -> None:
    images = images_of((2, 6, 7))
    images[1] = 7
    *_, contrast = found_levels(images)
    assert contrast.ravel().tolist() == [True, False, True]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("empty", [False, True])
def test_head_box(shape: tuple[int, int, int], empty: bool) -> None:
    heads = np.zeros((2, *shape), bool)
    if not empty:
        heads[0, :, shape[1] // 2, shape[2] // 3 : shape[2] // 2 + 1] = True
        heads[1, 0, 0, -1] = shape[1] > 20  # one stray pixel, which may not count
    images = heads.astype(np.float32)  # the level between False and True is between 0 and 1
    nodes = Nodes("test")
    half = np.float32(0.5)
    tissue = [
        nodes.add("Greater", nodes.add("Gather", "images", np.int64(k), axis=0), half)
        for k in range(2)
    ]
    box = head_box(nodes, "images", tissue)
    wanted = [box.top, box.bottom, box.left, box.right, box.height, box.width]
    found = [int(number) for number in given(nodes, wanted, {"images": images})]
    count = heads.any(axis=0).sum(axis=0)
    due = (*slices._span(count.sum(axis=1)), *slices._span(count.sum(axis=0)))
    assert found == [*due, *shape[1:]]


@pytest.mark.parametrize("sides", [(24, 24), (31, 20), (7, 90), (1, 5)])
@pytest.mark.parametrize("pixel_mm", [(1.0, 1.0), (0.9375, 0.9375), (2.0, 0.7)])
@pytest.mark.parametrize("size", [16, 33])
def test_grid(sides: tuple[int, int], pixel_mm: tuple[float, float], size: int) -> None:
    nodes = Nodes("test")
    made = grid(nodes, ("height", "width"), "pixel_mm", size)
    wanted = [made.rows, made.columns, made.rows_back, made.columns_back]
    feeds = {
        "height": np.array(sides[0]),
        "width": np.array(sides[1]),
        "pixel_mm": np.array(pixel_mm, np.float32),
    }
    rows, columns, rows_back, columns_back = given(nodes, wanted, feeds)
    there, back = (matrices(sides, pixel_mm, size, way) for way in (1, -1))
    assert np.abs(rows - there[0]).max() < 2e-6
    assert np.abs(columns.T - there[1]).max() < 2e-6
    assert np.abs(rows_back - back[0]).max() < 2e-6
    assert np.abs(columns_back.T - back[1]).max() < 2e-6


def matrices(
    sides: tuple[int, int], pixel_mm: tuple[float, float], size: int, way: int
) -> list[FloatArray]:
    """The matrices of ``core.resample`` for rows and columns: there (1) or back (-1)."""
    scales = resample.scales(sides, pixel_mm, size)
    pairs = [(side, size) if way > 0 else (size, side) for side in sides]
    return [
        resample._weights(n_in, n_out, scale**way)
        for (n_in, n_out), scale in zip(pairs, scales, strict=True)
    ]


REGIONS = [
    chosen for count in (1, 2, 3) for chosen in permutations(("whole", "core", "enhancing"), count)
]


@pytest.mark.parametrize("regions", REGIONS)
def test_labels(regions: tuple[str, ...]) -> None:
    card = fake_card(regions=regions, threshold=0.3)
    shape = (len(regions), 3, 8, 9)
    probability = np.random.default_rng(0).random(shape, np.float32)
    probability[:, 0, 0, 0] = np.float32(0.3)  # the threshold itself counts
    nodes = Nodes("test")
    (mask,) = given(nodes, [labels(nodes, card, "probability")], {"probability": probability})
    assert mask.dtype == np.uint8
    assert np.array_equal(mask, labels_of_regions(probability >= 0.3, regions))
    assert set(region_numbers(regions).values()) <= set(np.unique(mask).tolist())
