"""The *LGG MRI Segmentation* set as downloaded from Kaggle (``kaggle_3m``).

    kaggle_3m/TCGA_CS_4941_19960909/TCGA_CS_4941_19960909_1.tif        pre-contrast, FLAIR, post
                                    TCGA_CS_4941_19960909_1_mask.tif   FLAIR abnormality

110 patients, axial slices of 256 x 256. The numbers count from the feet to the head and sort as
numbers. If a patient has no pre- or post-contrast series, the channel is a copy of FLAIR; such a
channel is read as a missing sequence.

Source: Buda et al. 2019, https://doi.org/10.1016/j.compbiomed.2019.05.002
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gliomask.core.case import Case, ImageFile
from gliomask.core.counted import listed
from gliomask.core.identity import patient_of, safe_name, tcga_site
from gliomask.datasets.folders import folders, pictures, stem
from gliomask.datasets.layout import Cases, Layout, LayoutVerdict, first_with, in_folders
from gliomask.errors import CaseError
from gliomask.formats.pictures import is_colour, read_stack

LICENCE = "CC BY-NC-SA 4.0"
CHANNELS = {"t1": 0, "t1ce": 2, "flair": 1}
"""Sequence -> channel of the pictures."""

_SLICE = re.compile(r"(?P<case>.+)_(?P<number>\d{1,6})(?P<mask>_mask)?")
_SERIES = {"t1": "pre-contrast", "t1ce": "post-contrast"}


def looks_like(root: Path) -> LayoutVerdict:
    """Check for a folder of slices with masks, or a folder of such folders."""
    folder = first_with((root, *folders(root)), lambda place: _Slices.in_folder(place).paired)
    if folder is None:
        return LayoutVerdict(False, "no folder with <case>_<n>.tif and <case>_<n>_mask.tif")
    return LayoutVerdict(
        True, f"{folder.name} contains slices <case>_<n>.tif with <case>_<n>_mask.tif"
    )


def cases(root: Path) -> Cases:
    """Each folder of slices is a case; a folder with missing slices or masks is a problem."""
    return in_folders((root, *folders(root)), _cases_in)


LAYOUT = Layout("lgg_kaggle", looks_like, cases)


def case_without_masks(folder: Path) -> Case | None:
    """A folder of colour slices ``<case>_<n>`` as a case of this set; None if it is not one.

    Raises:
        InputError: slices are missing, or can't be read.
    """
    return case_of_slices(pictures(folder), folder)


def case_of_slices(paths: Sequence[Path], folder: Path) -> Case | None:
    """Case of selected slices in a folder that is named after the case; None if it is none."""
    slices = _Slices.among(paths)
    if slices.masks or not slices.images:
        return None
    middle = sorted(slices.images)[len(slices.images) // 2]
    stack = read_stack([slices.images[middle]])
    if not is_colour(stack):
        return None
    case = _case(folder, slices)
    note = "the channels are assumed to be pre-contrast T1, FLAIR and post-contrast T1"
    return replace(case, notes=(*case.notes, note), licence=None)


@dataclass(frozen=True)
class _Slices:
    """Pictures in a folder by their number."""

    images: dict[int, Path]
    masks: dict[int, Path]
    twice: tuple[Path, ...]

    @classmethod
    def in_folder(cls, folder: Path) -> _Slices:
        return cls.among(pictures(folder))

    @classmethod
    def among(cls, paths: Sequence[Path]) -> _Slices:
        images: dict[int, Path] = {}
        masks: dict[int, Path] = {}
        twice = []
        for path in paths:
            if parts := _SLICE.fullmatch(stem(path.name)):
                kind, number = masks if parts["mask"] else images, int(parts["number"])
                if number in kind:
                    twice.append(path)
                kind.setdefault(number, path)
        return cls(images, masks, tuple(twice))

    @property
    def paired(self) -> bool:
        return bool(self.images.keys() & self.masks.keys())


def _cases_in(folder: Path) -> Cases:
    slices = _Slices.in_folder(folder)
    return ((_case(folder, slices),) if slices.images or slices.masks else ()), ()


def _case(folder: Path, slices: _Slices) -> Case:
    numbers = _complete(slices, folder)
    images = tuple(slices.images[n] for n in numbers)
    missing = _copies_of_flair(images)
    return Case(
        id=safe_name(folder.name),
        patient=patient_of(folder.name),
        images={name: ImageFile(images, c) for name, c in CHANNELS.items() if name not in missing},
        label=ImageFile(tuple(slices.masks[n] for n in numbers)) if slices.masks else None,
        source=LAYOUT.name,
        site=tcga_site(folder.name),
        licence=LICENCE,
        notes=tuple(f"{n} is missing: the {_SERIES[n]} channel copies FLAIR" for n in missing),
    )


def _complete(slices: _Slices, folder: Path) -> list[int]:
    """Check the numbers of the slices: without gaps, each once, and with a mask."""
    numbers = sorted(slices.images)
    if slices.twice:
        raise CaseError("two files for one slice", path=slices.twice[0], hint="remove one of them")
    if not numbers:
        raise CaseError(
            "masks but no images", path=folder, hint="put the images into the same folder"
        )
    gaps = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
    if gaps:
        what, hint = (
            f"slices are missing: {listed(map(str, gaps), 5)}",
            "add them, or move the rest to another folder",
        )
        raise CaseError(what, path=folder, hint=hint)
    unpaired = sorted(slices.images.keys() ^ slices.masks.keys()) if slices.masks else []
    if unpaired:
        what = f"slices with an image or a mask only: {listed(map(str, unpaired), 5)}"
        hint = "add the others (a black mask where a reader saw no tumour), or remove these slices"
        raise CaseError(what, path=folder, hint=hint)
    return numbers


def _copies_of_flair(images: tuple[Path, ...]) -> list[str]:
    """Sequences whose channel is a copy of FLAIR.

    Two slices in the middle of the head are compared first; only if they are equal, the whole stack
    is read.
    """
    middle = len(images) // 2
    suspects = _equal_channels(images[max(0, middle - 1) : middle + 1])
    return _equal_channels(images) if suspects else []


def _equal_channels(images: tuple[Path, ...]) -> list[str]:
    stack = read_stack(images)
    if stack.shape[-1] != len(CHANNELS):
        channels, allowed = stack.shape[-1], str(len(CHANNELS))
        raise CaseError(
            "not pictures of this data set",
            path=images[0],
            field="channels",
            found=channels,
            allowed=allowed,
        )
    flair = stack[..., CHANNELS["flair"]]
    return [name for name in _SERIES if (stack[..., CHANNELS[name]] == flair).all()]
