"""A mask read by the scheme of its numbers, whatever kind of file it is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gliomask.core.case import ImageFile
from gliomask.core.geometry import orientation, to_reading
from gliomask.core.label_scheme import LabelScheme
from gliomask.core.labels import TUMOUR, LabelArray
from gliomask.core.volume import Affine
from gliomask.datasets.mask_labels.answer import EXAMPLE
from gliomask.errors import FormatError, same_with
from gliomask.formats.images import read_labels
from gliomask.formats.volumes import is_volume


def read_by_scheme(file: ImageFile, scheme: LabelScheme, option: str) -> tuple[LabelArray, Affine]:
    """Our labels (I, J, K) of a mask, and its affine.

    Args:
        file: the mask.
        scheme: what its numbers mean.
        option: that answers what they mean, for the error.

    Raises:
        FormatError: as ``read_labels``; a number that the scheme does not know; a slice of which
            only a part was annotated.

    A picture of many shades is read only by a scheme that says from which shade on is tumour.
    """
    threshold = scheme.least if scheme.binary else None
    numbers, affine = read_labels(file, numbered=not scheme.binary, threshold=threshold)
    if scheme.binary and not is_volume(file.paths[0]):
        # Of pictures the threshold has been applied.
        return np.where(numbers != 0, np.uint8(TUMOUR), np.uint8(0)), affine
    if scheme.ignored is not None:
        _check_whole_slices(numbers == scheme.ignored, affine, file)
    try:
        return scheme.translate(numbers), affine
    except ValueError as problem:
        hint = f"state its meaning: {same_with((option, EXAMPLE))}"
        raise FormatError(str(problem), path=str(file), hint=hint) from None


def _check_whole_slices(ignored: npt.NDArray[np.bool_], affine: Affine, file: ImageFile) -> None:
    """Check that each slice is ignored as a whole or not at all, as a store requires."""
    slices = to_reading(ignored, orientation(affine))
    share = slices.mean(axis=(1, 2))
    if (odd := np.flatnonzero((share > 0) & (share < 1))).size:
        raise FormatError(
            "a slice of which only a part was annotated, which can't be used",
            path=str(file),
            field="slice",
            found=int(odd[0]) + 1,
            allowed="slices that are annotated, or ignored, as a whole",
        )
