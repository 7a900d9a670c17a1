"""Slices encoded for a page."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter

from gliomask.report.evaluation.pictures import SlicePicture, encode_slice, informative_slices
from gliomask.report.panels import SliceView


def decoded(uri: str) -> Image.Image:
    head, data = uri.split(",", 1)
    assert head in ("data:image/png;base64", "data:image/jpeg;base64")
    return Image.open(io.BytesIO(base64.b64decode(data)))


def view(image: np.ndarray, reference: np.ndarray, predicted: np.ndarray) -> SliceView:
    return SliceView(
        image=image,
        reference=reference,
        predicted=predicted,
        pixel_mm=(2.0, 1.0),
        has_world=True,
        case="p",
        number=3,
        region="whole",
        slice_dice=0.5,
        case_dice=0.6,
        synthetic=True,
    )


@pytest.fixture
def masks() -> tuple[np.ndarray, np.ndarray]:
    reference, predicted = np.zeros((2, 40, 30), bool)
    reference[10:20, 10:20] = True
    predicted[15:25, 10:20] = True
    return reference, predicted


def test_masks_come_back_exactly(masks: tuple[np.ndarray, np.ndarray]) -> None:
    reference, predicted = masks
    image = np.random.default_rng(0).normal(size=(40, 30))
    found = encode_slice(view(image, reference, predicted), "worst")
    for uri, mask in ((found.reference, reference), (found.predicted, predicted)):
        pixels = np.asarray(decoded(uri).convert("RGBA"))
        np.testing.assert_array_equal(pixels[..., 3] > 0, mask)
        assert (pixels[mask] == 255).all()
    colours = np.asarray(decoded(found.difference).convert("RGBA"))
    assert tuple(colours[17, 12]) == (0x00, 0x9E, 0x73, 255)  # both: green
    assert tuple(colours[22, 12]) == (0xD5, 0x5E, 0x00, 255)  # invented: vermilion
    assert tuple(colours[12, 12]) == (0x00, 0x72, 0xB2, 255)  # missed: blue
    assert colours[0, 0, 3] == 0


def test_the_image_keeps_its_shape_and_order(masks: tuple[np.ndarray, np.ndarray]) -> None:
    image = np.linspace(-3, 5, 1200).reshape(40, 30)
    found = encode_slice(view(image, *masks), "best")
    assert found.image is not None
    pixels = np.asarray(decoded(found.image)).astype(int)
    assert pixels.shape == (40, 30)
    assert pixels[0].mean() < 10
    assert pixels[-1].mean() > 245
    assert found.ratio == pytest.approx(30 / 80)


def test_a_large_slice_is_made_smaller() -> None:
    mask = np.zeros((600, 300), bool)
    mask[:300] = True
    found = encode_slice(view(np.zeros((600, 300)), mask, mask), "best")
    assert decoded(found.reference).size == (128, 256)
    assert len(found.reference) < 1000


def test_a_slice_without_image(masks: tuple[np.ndarray, np.ndarray]) -> None:
    found = encode_slice(view(np.zeros((0, 0)), *masks), "best")
    assert found.image is None
    assert decoded(found.reference).size == (30, 40)


def test_it_goes_through_json(masks: tuple[np.ndarray, np.ndarray]) -> None:
    found = encode_slice(view(np.ones((40, 30)), *masks), "best")
    adapter = TypeAdapter(SlicePicture)
    assert adapter.validate_json(adapter.dump_json(found)) == found


def test_telling_slices() -> None:
    reference, predicted = np.zeros((2, 6, 4, 4), bool)
    reference[1, :2] = predicted[1, :2] = True  # Dice 1
    reference[2, :4] = predicted[2, :2] = True  # 2/3
    reference[3, 0, 0] = True  # 0, one pixel
    predicted[4, :3] = True  # 0, larger
    assert informative_slices(reference, predicted) == {"worst": 4, "median": 2, "best": 1}


def test_telling_slices_of_little() -> None:
    empty = np.zeros((5, 4, 4), bool)
    one, two = empty.copy(), empty.copy()
    one[3, 0] = True
    two[3, 0] = two[4, 0] = True
    assert informative_slices(empty, empty) == {"middle": 2}
    assert informative_slices(one, empty) == {"best": 3}
    assert informative_slices(one, two) == {"worst": 4, "best": 3}
