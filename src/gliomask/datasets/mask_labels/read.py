"""A mask read by the scheme of its numbers, whatever kind of file it is."""

from __future__ import annotations

import numpy as np

from gliomask.core.case import ImageFile
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
        FormatError: as ``read_labels``; a number that the scheme does not know.

    A picture of many shades is read only by a scheme that says from which shade on is tumour.
    """
    threshold = scheme.least if scheme.binary else None
    numbers, affine = read_labels(file, numbered=not scheme.binary, threshold=threshold)
    if scheme.binary and not is_volume(file.paths[0]):
        # Of pictures the threshold has been applied.
        return np.where(numbers != 0, np.uint8(TUMOUR), np.uint8(0)), affine
    try:
        return scheme.translate(numbers), affine
    except ValueError as problem:
        hint = f"say what it is: {same_with((option, EXAMPLE))}"
        raise FormatError(str(problem), path=str(file), hint=hint) from None
