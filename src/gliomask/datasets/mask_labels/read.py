"""Reading of a mask file of any format with its label scheme."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gliomask.core.case import ImageFile
from gliomask.core.geometry import orientation, to_reading
from gliomask.core.label_scheme import LabelScheme
from gliomask.core.labels import TUMOUR, LabelArray
from gliomask.core.volume import Affine
from gliomask.datasets.mask_labels.option import EXAMPLE
from gliomask.errors import FormatError, same_with
from gliomask.formats.images import read_labels
from gliomask.formats.volumes import is_volume


def read_by_scheme(file: ImageFile, scheme: LabelScheme, option: str) -> tuple[LabelArray, Affine]:
    """Read the labels (I, J, K) of a mask, and its affine.

    Args:
        file: the mask.
        scheme: its label scheme.
        option: option that states the scheme, for errors.

    Raises:
        FormatError: as ``read_labels``; a number that is not in the scheme; a partly annotated
            slice.

    Pictures with many grey levels need a scheme with a threshold.
    """
    threshold = scheme.least if scheme.binary else None
    numbers, affine = read_labels(file, numbered=not scheme.binary, threshold=threshold)
    if scheme.binary and not is_volume(file.paths[0]):
        # For pictures the threshold has been applied already.
        return np.where(numbers != 0, np.uint8(TUMOUR), np.uint8(0)), affine
    if scheme.ignored is not None:
        _check_whole_slices(numbers == scheme.ignored, affine, file)
    try:
        return scheme.translate(numbers), affine
    except ValueError as problem:
        lowest, example = int(numbers.min()), "1=tumour" if scheme.binary else EXAMPLE
        if lowest < 0:
            example = f"{lowest}=background,{example}"
        hint = f"state its meaning: {same_with((option, example))}"
        raise FormatError(str(problem), path=str(file), hint=hint) from None


def _check_whole_slices(ignored: npt.NDArray[np.bool_], affine: Affine, file: ImageFile) -> None:
    """Check that each slice is completely ignored or not ignored, as a store requires."""
    slices = to_reading(ignored, orientation(affine))
    share = slices.mean(axis=(1, 2))
    if (odd := np.flatnonzero((share > 0) & (share < 1))).size:
        raise FormatError(
            "a partly annotated slice, which can't be used",
            path=str(file),
            field="slice",
            found=int(odd[0]) + 1,
            allowed="slices that are completely annotated or completely ignored",
        )
