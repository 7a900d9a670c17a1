"""Plausibility checks of a head: its size, its shades, copied sequences, the tumour's volume.

A unit that was mixed up or a mask in an image's place is no damage: the file can be read. So none
of this is refused; it is a reason for distrust wherever a figure in millimetres or a mask is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from gliomask.core.geometry import spacing_mm
from gliomask.core.prediction import Prediction
from gliomask.core.reliability import Reason
from gliomask.core.volume import Affine, FloatArray, Volume

HEAD_MM: Final = (80.0, 400.0)
"""Between these lies the second-longest side of a scan that holds a head. The longest may reach
down the neck and the shortest be a single slice."""
LARGEST_ML: Final = 1000.0
"""A tumour of a litre would be most of a brain (1.2 to 1.5 litres)."""
FEWEST_SHADES: Final = 16
"""Fewer different intensities make a mask, or an image that lost most of its contrast."""
AIR_HU: Final = (-1100.0, -900.0)
"""Between these lies air in Hounsfield units, on which images of MR have nothing."""
AIR_SHARE: Final = 0.1
"""So much of a CT of a head is air, at least."""
MARK: Final = "implausible: "
"""How the note of a case that can't be true begins."""
_SAMPLE = 50_000


def doubtful_size(shape: tuple[int, ...], affine: Affine) -> str | None:
    """The reason why a grid can't hold a head, with its sides; None if it can.

    Args:
        shape: (I, J, K).
        affine: (4, 4), voxel index to millimetres.
    """
    sides = [count * size for count, size in zip(shape, spacing_mm(affine), strict=True)]
    low, high = HEAD_MM
    if low <= sorted(sides)[1] <= high:
        return None
    sides_text = " x ".join(f"{side:.3g}" for side in sides)
    return (
        f"the scan measures {sides_text} mm, and a head {low / 10:.0f} to {high / 10:.0f} cm: "
        "the voxel size or its unit in the header is wrong, and so is every length and volume"
    )


def doubtful_shades(image: FloatArray) -> str | None:
    """The reason why an image looks like a mask, with its number of intensities; None if not.

    Args:
        image: one sequence (I, J, K).
    """
    flat = image.reshape(-1)
    if len(np.unique(flat[:: max(1, flat.size // _SAMPLE)])) >= FEWEST_SHADES:
        return None
    levels = len(np.unique(flat))
    if levels >= FEWEST_SHADES:
        return None
    return f"only {levels} different intensities: a mask, or an image that lost its contrast"


def doubtful_modality(image: FloatArray) -> str | None:
    """The reason why an image looks like a CT, by its air of -1000; None if not."""
    flat = image.reshape(-1)
    sampled = flat[:: max(1, flat.size // _SAMPLE)]
    low, high = AIR_HU
    if np.mean((sampled >= low) & (sampled <= high)) < AIR_SHARE:
        return None
    return "much of it is at -1000, as air in Hounsfield units: a CT, not an MR image"


def copied_sequences(volume: Volume) -> tuple[str, ...]:
    """A text for each image that equals an earlier one voxel for voxel."""
    texts = []
    for at, image in enumerate(volume.array):
        for earlier in range(at):
            if np.array_equal(image, volume.array[earlier]):
                names = f"{volume.sequences[at]} is a copy of {volume.sequences[earlier]}"
                texts.append(f"{names}: one of them is no image of that sequence")
                break
    return tuple(texts)


def _doubtful_images(volume: Volume) -> tuple[str, ...]:
    """What can't be true of the intensities of a volume."""
    images = zip(volume.sequences, volume.array, strict=True)
    doubts = [
        f"{name}: {text}"
        for name, image in images
        for text in (doubtful_shades(image), doubtful_modality(image))
        if text
    ]
    return (*doubts, *copied_sequences(volume))


def implausible_notes(volume: Volume) -> tuple[str, ...]:
    """Notes on what can't be true of the images of a case."""
    size = doubtful_size(volume.shape, volume.affine) if volume.has_world else None
    return tuple(f"{MARK}{text}" for text in (size, *_doubtful_images(volume)) if text)


def implausible(prediction: Prediction, volume: Volume) -> Iterator[Reason]:
    """Reasons to distrust a prediction that its figures alone give.

    Args:
        prediction: of the volume.
        volume: the images, on the grid of the mask.
    """
    if volume.has_world and (text := doubtful_size(volume.shape, volume.affine)):
        yield Reason("red", "implausible_size", text)
    for text in _doubtful_images(volume):
        yield Reason("red", "implausible_intensities", text)
    for region, ml in (prediction.volumes_ml or {}).items():
        if ml > LARGEST_ML:
            text = f"{region}: {ml:,.0f} ml, and no tumour is larger than {LARGEST_ML:,.0f} ml"
            yield Reason("red", "implausible_volume", text)
