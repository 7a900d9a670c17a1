"""Intensity normalisation: z-scores that are comparable between patients."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import FloatArray

CLIP = 5.0
"""Normalised intensities lie in [-CLIP, CLIP]."""
SAMPLE = 500_000
"""Approximate maximum number of voxels for statistics; they are evenly spaced."""
ROBUST = (2, 98)
"""Percentiles that bound the intensities without outliers; the lower one is air."""
HEAD_SHARE = 0.1
"""Position of the foreground threshold between them."""
SQUARABLE = 40
"""Power of two up to which intensities can be squared and summed in single precision."""
TISSUE_SHARE = 0.5
"""Position of the tissue threshold between air and the median of the head."""


def foreground_level(image: npt.NDArray[np.floating]) -> float:
    """Intensity threshold between air and head.

    A tenth of the way from the 2nd to the 98th percentile (the rule of FSL's robust range), valid
    for skull-stripped volumes (air is 0) and for whole heads (air is noise).
    """
    return _levels(evenly_spaced(image, SAMPLE))[1]


def tissue_level(image: npt.NDArray[np.floating], voxels: int = SAMPLE) -> float:
    """Intensity threshold for tissue: halfway between air and the median of the head.

    It is higher than ``foreground_level``, so noise of the air is below it, but also some dark
    tissue. Use it to find the extent of the head, not to select its voxels.

    Args:
        image: of any shape.
        voxels: approximate maximum number of voxels to use, evenly spaced.
    """
    sample = evenly_spaced(image, voxels)
    air, level = _levels(sample)
    head = sample[sample > level]
    return float(air + TISSUE_SHARE * (np.median(head) - air)) if head.size else air


def normalise(image: FloatArray, kept: tuple[slice, ...] = ()) -> FloatArray:
    """Normalise a sequence of a volume: z-score over its foreground, clipped to +-``CLIP``.

    The result is rounded to half precision, like the values in the store, so that inputs of
    training and prediction are identical.

    Args:
        image: (I, J, K) float32, finite, arbitrary units.
        kept: the part of it to return; all of it by default.

    Returns:
        that part, float32, with approximately zero mean and unit standard deviation within the
        head.

    Raises:
        ValueError: the image is constant, so there is no contrast to normalise.
    """
    image = _in_range(image)
    sample = evenly_spaced(image, SAMPLE)
    head = sample[sample > _levels(sample)[1]]
    if head.size == 0 or head.std() == 0:
        raise ValueError("the image is constant: it has no contrast")
    scaled = image[kept] - np.float32(head.mean())
    scaled *= np.float32(1.0 / head.std())
    np.clip(scaled, -CLIP, CLIP, out=scaled)
    scaled[...] = scaled.astype(np.float16)
    return scaled


def _in_range(image: FloatArray) -> FloatArray:
    """The image, or its exact multiple by a power of two if single precision can't square it."""
    _, exponent = np.frexp(max(image.max(), -image.min()))
    if abs(int(exponent)) <= SQUARABLE:
        return image
    scaled: FloatArray = np.ldexp(image, -int(exponent))
    return scaled


def _levels(sample: npt.NDArray[np.floating]) -> tuple[float, float]:
    """The intensity of air, and the one where the head begins."""
    low, high = np.percentile(sample, ROBUST)
    return float(low), float(low + HEAD_SHARE * (high - low))


def evenly_spaced(image: npt.NDArray[np.floating], voxels: int) -> npt.NDArray[np.floating]:
    """Sample of about ``voxels`` voxels (all of a smaller image) for statistics."""
    step = max(1, image.size // voxels)
    if step == 1 or image.flags.c_contiguous:
        return image.reshape(-1)[::step]
    # Of its flat iterator: reshaped, a view that isn't contiguous would be copied as a whole.
    return np.asarray(image.flat[::step])
