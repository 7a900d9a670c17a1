"""The regions of a tumour: one table of their labels, words, colours, codes and mask numbers.

Regions are nested (enhancing within core within whole), and a network has a channel for each.
Every mask, page, chart and DICOM object takes what it says of a region from ``REGIONS``.
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
    """A coded concept: its value, the scheme that defines it, its meaning in that scheme."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True)
class Region:
    """One region of a tumour.

    Attributes:
        name: in options, file names, tables and records.
        title: in sentences and headings.
        abbreviation: in the names of labels of other tools, after BraTS.
        labels: the labels that it is made of.
        margin: what is left of it without the next inner region, in words.
        mask_number: in a mask file of several regions, the number of its voxels that belong to
            no region inside it.
        colour: sRGB, ``#RRGGBB``, in every overlay, chart, page and DICOM object.
        code: of the kind of lesion, from CID 7159 and 7168 of DICOM PS3.16, where nothing states
            the tumour's core from the whole tumour.
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
        """The title as it stands at the head of a line."""
        return self.title.capitalize()

    @property
    def rgb(self) -> tuple[int, int, int]:
        """The colour as numbers from 0 to 255."""
        red, green, blue = bytes.fromhex(self.colour.removeprefix("#"))
        return red, green, blue


MORPHOLOGICALLY_ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")
"""The category of every region, from CID 7150 of DICOM PS3.16."""
BRAIN = Code("12738006", "SCT", "Brain")
"""Where every region is, from CID 7153."""
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
    """Labels (...) to one mask per region: (R, ...) bool. KeyError for an unknown region."""
    import numpy as np

    return np.stack([np.isin(labels, REGIONS[region].labels) for region in regions])


def region_numbers(regions: Sequence[str]) -> dict[str, int]:
    """Region -> the number, in a mask file of these regions, of voxels of no region inside it.

    The outermost region comes first. A mask of the whole tumour alone is binary.

    >>> mask_numbers(("core", "whole")), mask_numbers(("whole",))
    ({'whole': 2, 'core': 1}, {'whole': 1})
    """
    if tuple(regions) == ("whole",):
        return {"whole": 1}
    return {name: region.mask_number for name, region in REGIONS.items() if name in regions}


def margin_title(name: str, regions: Sequence[str]) -> str:
    """A region without those of ``regions`` inside it, in words.

    >>> margin_title("whole", ("whole", "core")), margin_title("core", ("whole", "core"))
    ('oedema', 'tumour core')
    """
    nested = tuple(REGIONS)
    next_inner = nested[nested.index(name) + 1 :][:1]
    region = REGIONS[name]
    return region.margin if set(next_inner) & set(regions) else region.title


def labels_of_regions(masks: npt.NDArray[np.bool_], regions: tuple[str, ...]) -> LabelArray:
    """One mask per region (R, ...) back to labels (...): the inverse, for what a mask file holds.

    Only ``whole``: ``TUMOUR`` becomes 1. With ``core`` and ``enhancing``: 1 necrosis, 2 oedema,
    3 enhancing, the numbers of BraTS 2023. Regions are made nested first (enhancing within core
    within whole), so a voxel of an inner region counts for the outer ones.
    """
    import numpy as np

    labels = np.zeros(masks.shape[1:], np.uint8)
    for region, number in region_numbers(regions).items():
        labels[masks[regions.index(region)]] = number
    return labels
