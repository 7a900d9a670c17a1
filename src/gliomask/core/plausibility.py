"""Plausibility checks: size of the head, intensities, copied sequences, volume of the tumour.

Files with a wrong unit, or a mask instead of an image, can be read. They are therefore not refused;
a note is shown with the results.
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
"""Plausible range in mm of the second-longest side of a scan of a head. The longest may include the
neck, and the shortest may be a single slice."""
LARGEST_ML: Final = 1000.0
"""Maximum plausible tumour volume: a litre would be most of a brain (1.2 to 1.5 litres)."""
FEWEST_SHADES: Final = 16
"""Minimum number of different intensities of an image; a mask has fewer."""
AIR_HU: Final = (-1100.0, -900.0)
"""Range of air in Hounsfield units, for the detection of CT images."""
AIR_SHARE: Final = 0.1
"""Minimum fraction of air in a CT of a head."""
MARK: Final = "implausible: "
"""Prefix of the note on an implausible case."""
_SAMPLE = 50_000


def doubtful_size(shape: tuple[int, ...], affine: Affine) -> str | None:
    """Reason why the grid is implausible for a head; None if it is plausible.

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
        f"the scan measures {sides_text} mm, but a head {low / 10:.0f} to {high / 10:.0f} cm: "
        "the voxel size or its unit in the header is wrong, and so are all lengths and volumes"
    )


def doubtful_shades(image: FloatArray) -> str | None:
    """Reason why an image is probably a mask, with its number of intensities; None if it is not.

    Args:
        image: one sequence (I, J, K).
    """
    if len(np.unique(_sample(image))) >= FEWEST_SHADES:
        return None
    levels = len(np.unique(image))
    if levels >= FEWEST_SHADES:
        return None
    return f"only {levels} different intensities: a mask, or an image that lost its contrast"


def doubtful_modality(image: FloatArray) -> str | None:
    """Reason why an image is probably a CT, by its air of -1000; None if it is not."""
    sampled = _sample(image)
    low, high = AIR_HU
    if np.mean((sampled >= low) & (sampled <= high)) < AIR_SHARE:
        return None
    return "much of it is at -1000, as air in Hounsfield units: a CT, not an MR image"


def _sample(image: FloatArray) -> FloatArray:
    """Evenly spaced voxels, without a copy of the image in another memory order."""
    return np.asarray(image.flat[:: max(1, image.size // _SAMPLE)])


def copied_sequences(volume: Volume) -> tuple[str, ...]:
    """Text for each image that is a copy of an earlier one."""
    texts = []
    for at, image in enumerate(volume.array):
        for earlier in range(at):
            if np.array_equal(image, volume.array[earlier]):
                names = f"{volume.sequences[at]} is a copy of {volume.sequences[earlier]}"
                texts.append(f"{names}: one of them is not an image of that sequence")
                break
    return tuple(texts)


def _doubtful_images(volume: Volume) -> tuple[str, ...]:
    """Notes on implausible intensities of a volume."""
    images = zip(volume.sequences, volume.array, strict=True)
    doubts = [
        f"{name}: {text}"
        for name, image in images
        for text in (doubtful_shades(image), doubtful_modality(image))
        if text
    ]
    return (*doubts, *copied_sequences(volume))


def implausible_notes(volume: Volume) -> tuple[str, ...]:
    """Notes on implausible images of a case."""
    size = doubtful_size(volume.shape, volume.affine) if volume.has_world else None
    return tuple(f"{MARK}{text}" for text in (size, *_doubtful_images(volume)) if text)


def implausible(prediction: Prediction, volume: Volume) -> Iterator[Reason]:
    """Reasons for a red flag from the values of the prediction alone.

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
            text = f"{region}: {ml:,.0f} ml is implausible (above {LARGEST_ML:,.0f} ml)"
            yield Reason("red", "implausible_volume", text)
