"""Tumour regions: one table of their labels, titles, colours, codes and mask numbers.

Regions are nested (enhancing within core within whole), and a network has a channel for each.
All masks, pages, charts and DICOM objects use ``REGIONS``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from gliomask.core.labels import CORE, ENHANCING, NECROSIS, OEDEMA, TUMOUR, LabelArray

if TYPE_CHECKING:  # the table is read without numpy, too
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class Code:
    """Coded concept: value, coding scheme, meaning."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True)
class Region:
    """A region of a tumour.

    Attributes:
        name: name in options, file names, tables and records.
        title: name in sentences and headings.
        abbreviation: abbreviation of BraTS, for label names of other tools.
        labels: labels of its voxels.
        margin: title of the region without the next inner region.
        mask_number: in a mask file of several regions, the number of its voxels that belong to
            no region inside it.
        colour: sRGB, ``#RRGGBB``, in every overlay, chart, page and DICOM object.
        code: code of the kind of lesion, from CID 7159 and 7168 of DICOM PS3.16, which do not
            distinguish the tumour core from the whole tumour.
    """

    name: str
    title: str
    abbreviation: str
    labels: tuple[int, ...]
    margin: str
    mask_number: int
    colour: str
    code: Code

    @property
    def label(self) -> str:
        """Title with a capital first letter."""
        return self.title.capitalize()

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Colour as integers from 0 to 255."""
        red, green, blue = bytes.fromhex(self.colour.removeprefix("#"))
        return red, green, blue


MORPHOLOGICALLY_ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")
"""Category code of all regions, from CID 7150 of DICOM PS3.16."""
BRAIN = Code("12738006", "SCT", "Brain")
"""Anatomical region code of all regions, from CID 7153."""
_NEOPLASM = Code("108369006", "SCT", "Neoplasm")

REGIONS: Mapping[str, Region] = MappingProxyType(
    {
        "whole": Region(
            name="whole",
            title="whole tumour",
            abbreviation="wt",
            labels=(NECROSIS, OEDEMA, ENHANCING, TUMOUR, CORE),
            margin="oedema",
            mask_number=OEDEMA,
            colour="#E69F00",
            code=_NEOPLASM,
        ),
        "core": Region(
            name="core",
            title="tumour core",
            abbreviation="tc",
            labels=(NECROSIS, ENHANCING, CORE),
            margin="necrotic or non-enhancing tumour core",
            mask_number=NECROSIS,
            colour="#56B4E9",
            code=_NEOPLASM,
        ),
        "enhancing": Region(
            name="enhancing",
            title="enhancing tumour",
            abbreviation="et",
            labels=(ENHANCING,),
            margin="enhancing tumour",
            mask_number=ENHANCING,
            colour="#EE3377",
            code=Code("C113842", "NCIt", "Enhancing Lesion"),
        ),
    }
)
"""Name -> region, from the outermost to the innermost.

The colours are Okabe and Ito's orange and sky blue and Tol's magenta: under normal vision and the
three kinds of dichromacy (Machado's matrices at full severity) any two lie at least 36 apart in
CIELAB, and each has a contrast of at least 2.2 to white paper and 5.3 to black.
"""


def region_masks(labels: LabelArray, regions: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Convert labels (...) to a mask for each region: (R, ...) bool. KeyError for an unknown
    region."""
    import numpy as np

    return np.stack([_any_of(labels, REGIONS[region].labels) for region in regions])


def _any_of(labels: LabelArray, numbers: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Mask of the labels that are one of the numbers; several times as fast as ``np.isin``."""
    inside: npt.NDArray[np.bool_] = labels == numbers[0]
    for number in numbers[1:]:
        inside |= labels == number
    return inside


def region_numbers(regions: Sequence[str]) -> dict[str, int]:
    """Region -> the number, in a mask file of these regions, of voxels of no region inside it.

    The outermost region comes first. A mask of the whole tumour alone is binary.

    >>> region_numbers(("core", "whole")), region_numbers(("whole",))
    ({'whole': 2, 'core': 1}, {'whole': 1})
    """
    if tuple(regions) == ("whole",):
        return {"whole": 1}
    return {name: region.mask_number for name, region in REGIONS.items() if name in regions}


def margin_title(name: str, regions: Sequence[str]) -> str:
    """Title of a region without the inner regions in ``regions``.

    >>> margin_title("whole", ("whole", "core")), margin_title("core", ("whole", "core"))
    ('oedema', 'tumour core')
    """
    nested = tuple(REGIONS)
    next_inner = nested[nested.index(name) + 1 :][:1]
    region = REGIONS[name]
    return region.margin if set(next_inner) & set(regions) else region.title


def labels_of_regions(masks: npt.NDArray[np.bool_], regions: tuple[str, ...]) -> LabelArray:
    """Convert masks of regions (R, ...) to labels (...), as in a mask file.

    Only ``whole``: ``TUMOUR`` becomes 1. With ``core`` and ``enhancing``: 1 necrosis, 2 oedema,
    3 enhancing, the numbers of BraTS 2023. Regions are made nested first (enhancing within core
    within whole), so a voxel of an inner region counts for the outer ones.
    """
    import numpy as np

    labels = np.zeros(masks.shape[1:], np.uint8)
    for region, number in region_numbers(regions).items():
        labels[masks[regions.index(region)]] = number
    return labels
