"""Numbers of a mask that another program wrote, as those of the case that it is of.

3D Slicer numbers the segments of a mask from 1 in their order, and stores their names next to the
mask or, in a file of segments, in its header.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gliomask.core.labels import BACKGROUND
from gliomask.core.regions import REGIONS, margin_title, region_numbers
from gliomask.datasets.mask_labels.names import label_of
from gliomask.errors import CaseError
from gliomask.formats.editable_case import EditableCase
from gliomask.formats.segment_names import segment_names

Numbers = npt.NDArray[Any]
_UNNAMED: Final = re.compile(r"segment[_ ]?(\d+)", re.IGNORECASE)
"""What 3D Slicer calls the segments of a label map without names: by their number."""
_BACKGROUND: Final = "background"


def own_numbers(
    path: Path, numbers: Numbers, names: Mapping[int, str], case: EditableCase
) -> Numbers:
    """A mask with the numbers of a case.

    Args:
        path: the file; its header may name its segments.
        numbers: its voxels.
        names: number -> name of the label, if the program that wrote it states them.
        case: case with the target numbers; numbers of unnamed segments are kept.

    Raises:
        CaseError: a number has no name, a name is not part of the tumour that the case has, or the
            numbers may mean two things.
    """
    regions = tuple(region.name for region in case.regions)
    present = [number for number in np.unique(numbers).tolist() if number]
    names = _named(segment_names(path), names) or names
    if not names:
        return numbers
    readings = [_meanings(reading, present, regions) for reading in _readings(names, present)]
    if not readings:
        unnamed = next(number for number in present if number not in names)
        known = ", ".join(map(str, sorted(names)))
        raise CaseError("a label without a name", field="number", found=unnamed, allowed=known)
    if any(reading != readings[0] for reading in readings):
        what = "the numbers of the labels skip some: it is in doubt which voxels they mean"
        hint = "put the segments that are not part of the tumour last, or remove them"
        raise CaseError(what, field="label_info", found=sorted(names), hint=hint)
    translated = np.zeros(numbers.shape, np.uint8)
    for number, meaning in readings[0].items():
        translated[numbers == number] = meaning
    return translated


def _named(segments: Mapping[int, str], names: Mapping[int, str]) -> dict[int, str]:
    """Names in the file; a segment that is called by its number has the name that goes with it."""
    merged = {}
    for number, name in segments.items():
        unnamed = _UNNAMED.fullmatch(name)
        name = names.get(int(unnamed[1]), "") if unnamed else name
        if name:
            merged[number] = name
    return merged


def _readings(names: Mapping[int, str], present: Sequence[int]) -> list[Mapping[int, str]]:
    """The numbers as stated, and counted from 1: 3D Slicer leaves segments out, not their count."""
    in_order = (name for _, name in sorted(names.items()))
    both = (names, dict(enumerate(in_order, 1)))
    return [reading for reading in both if all(number in reading for number in present)]


def _meanings(
    names: Mapping[int, str], present: Sequence[int], regions: tuple[str, ...]
) -> dict[int, int]:
    return {number: _meaning(names[number], number, regions) for number in present}


def _meaning(name: str, number: int, regions: tuple[str, ...]) -> int:
    """The number of a case for the name of a label."""
    own = region_numbers(regions)
    titles = {margin_title(region, regions).casefold(): own[region] for region in own}
    plain = name.strip().casefold()
    if plain in titles or plain == _BACKGROUND:
        return titles.get(plain, 0)
    label = label_of(name)
    fitting = [region for region in own if label is not None and label in REGIONS[region].labels]
    if label == BACKGROUND or not fitting:
        what = f"the label {number} has a name that is not part of the tumour here"
        hint = f"call it {', '.join(titles)}"
        raise CaseError(what, hint=hint)
    return own[fitting[-1]]
