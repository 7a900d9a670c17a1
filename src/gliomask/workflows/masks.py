"""Masks of any tool on disk: which files there are, and which two are of the same case."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gliomask.core.case import Case, ImageFile
from gliomask.core.identity import patient_of
from gliomask.core.labels import LabelScheme
from gliomask.core.volume import BEST_SHOWN
from gliomask.datasets.case_names import case_names
from gliomask.datasets.description import FILE_NAME, read_description
from gliomask.datasets.find import find_cases
from gliomask.datasets.folders import folders, pictures, volumes
from gliomask.datasets.name_reading import read_name
from gliomask.datasets.names import is_mask
from gliomask.errors import FormatError, InputError, LayoutError
from gliomask.formats.images import SUFFIXES
from gliomask.formats.limits import MAX_DEPTH

_LAYER = re.compile(r"[-_](prob(abilit(y|ies))?|disagreement)([-_.]|$)", re.IGNORECASE)
"""In the names of maps that lie beside masks and are none."""


PAIRS = "name the pairs in a table (columns reference, prediction) and give it by --pairs"
"""What to do where names don't tell which masks belong together."""


@dataclass(frozen=True)
class MaskFile:
    """A mask of one case.

    Attributes:
        case: the id that it is paired by; told: a name tells it (see ``case_names``).
        patient: the key that examinations of one person share.
        file: where it is.
        scheme: what its numbers mean; None if nothing tells.
        sparse: slices without tumour were not annotated.
        synthetic: of a phantom.
        site: the hospital or scanner, where the layout tells it.
        licence: of the data, where it is known.
        image: what it was drawn on, where the layout tells it.
    """

    case: str
    patient: str
    file: ImageFile
    scheme: LabelScheme | None = None
    sparse: bool = False
    synthetic: bool = False
    site: str | None = None
    licence: str | None = None
    image: ImageFile | None = None
    told: bool = True


def find_masks(root: Path, *, unique: bool = True) -> tuple[MaskFile, ...]:
    """The masks of a data set in a known layout, or else the mask files that lie below a folder.

    Args:
        root: of the data set, a folder, or one mask.
        unique: whether each is to be of another case.

    Raises:
        InputError: there is no such path, no mask, or two masks of one case.
    """
    if not root.exists():
        raise InputError("no such file or folder", path=root)
    masks = _of_data_set(root) or tuple(sorted(_loose(root), key=lambda mask: mask.case))
    if not masks:
        kinds = f"{', '.join(SUFFIXES)}, folders <case> of pictures"
        raise InputError(f"no masks ({kinds})", path=root)
    for one, other in itertools.pairwise(masks) if unique else ():
        if one.case == other.case:
            what = f"two masks of {one.case}: {one.file} and {other.file}"
            raise InputError(what, path=root, hint=PAIRS)
    return masks


def _of_data_set(root: Path) -> tuple[MaskFile, ...]:
    """The masks of a known layout; none if the folder is in no layout or has only images."""
    try:
        cases = find_cases(root).cases if root.is_dir() else ()
    except LayoutError:
        return ()
    return tuple(sorted(_of_cases(cases), key=lambda mask: mask.case))


def _of_cases(cases: Sequence[Case]) -> Iterator[MaskFile]:
    for case in cases:
        if case.label is not None:
            yield MaskFile(
                case=case.id,
                patient=case.patient,
                file=case.label,
                scheme=case.scheme,
                sparse=case.sparse,
                synthetic=case.synthetic,
                site=case.site,
                licence=case.licence,
                image=next((case.images[s] for s in BEST_SHOWN if s in case.images), None),
            )


def _loose(root: Path) -> Iterator[MaskFile]:
    """All that may be a mask by its name; their numbers mean what a ``dataset.json`` says."""
    scheme = _described(root)
    files = list(_files(root))
    named = case_names([(name, file.paths[0]) for name, file in files], root)
    for (_, file), name in zip(files, named, strict=True):
        yield MaskFile(name.case, patient_of(name.case), file, scheme, told=name.told)


def _files(place: Path, depth: int = 0) -> Iterator[tuple[str, ImageFile]]:
    """Every NIfTI file that is no image by its name, and pictures.

    Pictures in the folder named are a case each, as nnU-Net writes them in two dimensions (beside
    NIfTI files they are previews); those in a folder below it are the slices of one case.
    """
    if place.is_file():
        yield place.name, ImageFile((place,))
        return
    masks = [(name, path) for name, path in volumes(place) if _may_be_mask(name)]
    yield from ((name, ImageFile((path,))) for name, path in masks)
    slices = [path for path in pictures(place) if _may_be_mask(path.stem)]
    if is_mask(place.name) or depth:
        if slices and _may_be_mask(place.name):
            yield place.name, ImageFile(tuple(slices))
    elif not masks:
        yield from ((path.name, ImageFile((path,))) for path in slices)
    below = [folder for folder in folders(place) if not folder.is_symlink()]
    for folder in below if depth < MAX_DEPTH else ():
        yield from _files(folder, depth + 1)


def _described(root: Path) -> LabelScheme | None:
    """What nnU-Net's description says of the labels: in its output, or beside ``labelsTr``."""
    for folder in (root, root.parent) if root.name.startswith("labels") else (root,):
        if (folder / FILE_NAME).is_file():
            try:
                return read_description(folder / FILE_NAME).scheme
            except FormatError:
                return None  # then the numbers tell, and the explanation says so
    return None


def _may_be_mask(name: str) -> bool:
    return not _LAYER.search(name) and (is_mask(name) or not read_name(name).weightings)
