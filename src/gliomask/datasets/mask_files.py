"""Mask files of any tool, and their cases."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

from gliomask.core.case import Case, ImageFile
from gliomask.core.identity import patient_of
from gliomask.core.label_scheme import LabelScheme
from gliomask.core.labels import BACKGROUND
from gliomask.core.volume import BEST_SHOWN
from gliomask.datasets.case_names import case_names
from gliomask.datasets.description import FILE_NAME, read_label_names
from gliomask.datasets.find import find_masked
from gliomask.datasets.folders import folders, pictures, stem, volumes
from gliomask.datasets.mask_labels.names import part_in_file_name
from gliomask.datasets.mask_labels.own_masks import record_of_mask, scheme_of_record
from gliomask.datasets.name_reading import read_name
from gliomask.datasets.names import is_mask
from gliomask.errors import InputError, LayoutError, option
from gliomask.formats.images import SUFFIXES
from gliomask.formats.limits import MAX_DEPTH

_LAYER = re.compile(r"[-_](prob(abilit(y|ies))?|disagreement)([-_.]|$)", re.IGNORECASE)
"""Words in the names of probability maps and other files that are not masks."""
_TUMOUR = re.compile(r"[-_. ](tumou?rs?|lesions?|gtv)\d*$", re.IGNORECASE)
"""Suffix of the name of a mask of an image (``P1_FLAIR_tumor``)."""


PAIRS = (
    "list the pairs in a table with the columns reference and prediction, "
    f"{option('pairs', 'pairs.csv', command='score')}"
)
"""Hint for masks that can't be paired by name."""
WRITTEN = "written by gliomask predict"
"""Origin of the scheme of a mask with a case record."""


@dataclass(frozen=True)
class MaskFile:
    """A mask file of a case.

    Attributes:
        case: id for pairing.
        case_in_name: whether a name contains it (see ``case_names``).
        patient: key of the patient.
        file: its path.
        scheme: label scheme; None if it is not stated.
        origin: source of the scheme, for display.
        label_names: names of the labels in a ``dataset.json``, if they are ambiguous.
        lost_origin: its affine has lost its offset; it is on the grid of the image.
        published: whether it belongs to a data set in a known layout.
        sparse: slices without tumour were not annotated.
        synthetic: whether it is from a phantom.
        site: the hospital or scanner, if known.
        licence: licence of the data, if known.
        image: the image that it was drawn on, if known.
    """

    case: str
    patient: str
    file: ImageFile
    scheme: LabelScheme | None = None
    origin: str = "from the layout"
    label_names: tuple[str, ...] = ()
    lost_origin: bool = False
    published: bool = False
    sparse: bool = False
    synthetic: bool = False
    site: str | None = None
    licence: str | None = None
    image: ImageFile | None = None
    case_in_name: bool = True


def find_masks(root: Path, *, unique: bool = True) -> tuple[MaskFile, ...]:
    """Find the masks of a data set in a known layout, or else all mask files below a folder.

    Args:
        root: a data set, a folder, or a mask.
        unique: whether all masks must be of different cases.

    Raises:
        InputError: the path does not exist, there is no mask, or there are two masks of one case.
    """
    if not root.exists():
        raise InputError("no such file or folder", path=root)
    masks = _of_data_set(root) or tuple(sorted(_loose(root), key=lambda mask: mask.case))
    if not masks:
        kinds = f"{', '.join(SUFFIXES)}, folders <case> of pictures"
        images = [path.name for _, path in volumes(root)] if root.is_dir() else []
        what = f"no masks: by its name {images[0]} is an image" if images else f"no masks ({kinds})"
        raise InputError(what, path=root, hint=PAIRS if images else None)
    for first, other in itertools.pairwise(masks) if unique else ():
        if first.case == other.case:
            what = f"two masks of {first.case}: {first.file} and {other.file}"
            raise InputError(what, path=root, hint=PAIRS)
    return masks


def _of_data_set(root: Path) -> tuple[MaskFile, ...]:
    """Masks of a known layout; empty if the folder has no known layout or no masks."""
    try:
        cases = find_masked(root).cases if root.is_dir() else ()
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
                label_names=case.label_names,
                lost_origin=case.lost_origin,
                published=True,
                sparse=case.sparse,
                synthetic=case.synthetic,
                site=case.site,
                licence=case.licence,
                image=next((case.images[s] for s in BEST_SHOWN if s in case.images), None),
            )


def _loose(root: Path) -> Iterator[MaskFile]:
    """Files that may be masks by their names, with the labels of ``dataset.json`` or
    ``predict``."""
    described = _described(root)
    files = list(_files(root))
    named = case_names([(name, file.paths[0]) for name, file in files], root)
    for (_, file), name in zip(files, named, strict=True):
        mask = MaskFile(name.case, patient_of(name.case), file, case_in_name=name.case_in_name)
        record = record_of_mask(file.paths[0])
        if record is not None:
            yield replace(mask, scheme=scheme_of_record(record), origin=WRITTEN)
        else:
            yield replace(mask, **described)


def _files(place: Path, depth: int = 0) -> Iterator[tuple[str, ImageFile]]:
    """NIfTI files that are not images by their names, and pictures.

    Pictures directly in the folder are one case each, as in 2D output of nnU-Net (next to NIfTI
    files they are previews); pictures in a subfolder are the slices of one case.
    """
    if place.is_file():
        yield place.name, ImageFile((place,))
        return
    masks = _masks_of(volumes(place))
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


class _Described(TypedDict, total=False):
    """Content of a ``dataset.json``, as fields of ``MaskFile``."""

    scheme: LabelScheme | None
    origin: str
    label_names: tuple[str, ...]
    sparse: bool


def _described(root: Path) -> _Described:
    """Labels of the ``dataset.json`` next to ``labelsTr``, or in the output of nnU-Net.

    nnU-Net stores it in its prediction folder, and above the folders of a training
    (``fold_0/validation``), where it defines the predicted numbers.

    Raises:
        FormatError: it is invalid; the key is named.
    """
    if root.name.startswith("labels") and (root.parent / FILE_NAME).is_file():
        path, predicted = root.parent / FILE_NAME, False
    else:
        above = root.parents[1:2] if root.name == "validation" else ()
        paths = [folder / FILE_NAME for folder in (root, *above)]
        description = next((path for path in paths if path.is_file()), None)
        if description is None:
            return {}
        path, predicted = description, not (root / "labelsTr").is_dir()
    labels = read_label_names(path)
    scheme = labels.output if predicted else labels.scheme
    if scheme is None:
        return {"label_names": labels.names}
    return {
        "scheme": scheme,
        "origin": f"from {FILE_NAME}",
        "sparse": scheme.ignored is not None,
    }


def _masks_of(files: Sequence[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """The files of a folder that may be masks of a tumour.

    Next to images, only files that are called masks are masks, if there are any: the others are
    diffusion images, dose distributions and their like. Masks of the brain are left out next to
    others.
    """
    masks = [(name, path) for name, path in files if _may_be_mask(name)]
    called = [(name, path) for name, path in masks if _is_called_mask(name)]
    images = any(read_name(name).weightings for name, _ in files if not _is_called_mask(name))
    usable = called if images and called else masks
    tumours = [(name, path) for name, path in usable if part_in_file_name(name) != BACKGROUND]
    return tumours if images and tumours else usable


def _is_called_mask(name: str) -> bool:
    return is_mask(name) or bool(_TUMOUR.search(stem(name)))


def _may_be_mask(name: str) -> bool:
    """Return True if a name states that it is a mask, or does not state that it is an image."""
    if _LAYER.search(name):
        return False
    return _is_called_mask(name) or not read_name(name).weightings
