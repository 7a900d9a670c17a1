"""LGG-1p19qDeletion: 159 low-grade gliomas of the Mayo Clinic.

    NiFTiSegmentationsEdited/LGG-104/LGG-104_T1.nii.gz             post-contrast T1, on T2's grid
                                     LGG-104_T2.nii.gz
                                     LGG-104-Segmentation.nii.gz

Hyphens, underscores and spelling vary, so the names are searched for words. The contents of two
files of LGG-223 are swapped, so the files named as masks are opened to check that they are masks.
Whole heads, slices 256 x 256. Only about three slices of a tumour were outlined: all others are
unknown, not background.

Source: Erickson et al. 2017, https://doi.org/10.7937/K9/TCIA.2017.dwehtz9v
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from gliomask.core.case import Case, ImageFile
from gliomask.core.identity import patient_of, safe_name
from gliomask.core.label_scheme import BINARY
from gliomask.datasets.folders import folders, one_each, volumes
from gliomask.datasets.layout import Cases, Layout, LayoutVerdict, first_with, in_folders
from gliomask.errors import CaseError
from gliomask.formats.nifti import read_nifti

_PATIENT = re.compile(r"LGG-\d+", re.IGNORECASE)
_KINDS = {"seg": "mask", "t1": "t1ce", "t2": "t2"}
"""Word in a file name -> expected kind of the file."""
_MOST_VALUES = 10


def looks_like(root: Path) -> LayoutVerdict:
    """Check for a folder LGG-<n> with T1 or T2, or a folder of such folders."""
    folder = first_with((root, *folders(root)), lambda place: {"t1ce", "t2"} & _files(place).keys())
    if folder is None:
        return LayoutVerdict(
            False, "no folder LGG-<n> with LGG-<n>_T1.nii.gz and LGG-<n>_T2.nii.gz"
        )
    return LayoutVerdict(True, f"{folder.name} contains LGG-<n>_T1 or _T2 files")


def cases(root: Path) -> Cases:
    """Each folder is a case."""
    return in_folders((root, *folders(root)), _cases_in)


LAYOUT = Layout("lgg_1p19q", looks_like, cases)


def _files(folder: Path) -> dict[str, list[Path]]:
    """Expected kind by file name -> files, for the folder of a patient."""
    if not _PATIENT.fullmatch(folder.name):
        return {}
    files: dict[str, list[Path]] = {}
    for name, path in volumes(folder):
        words = name.lower().replace(folder.name.lower(), "")
        kind = next((kind for word, kind in _KINDS.items() if word in words), None)
        if kind:
            files.setdefault(kind, []).append(path)
    return files


def _cases_in(folder: Path) -> Cases:
    files = _files(folder)
    return ((_case(folder, files),) if files else ()), ()


def _case(folder: Path, files: dict[str, list[Path]]) -> Case:
    named = one_each(files)
    right = _unswapped(named)
    mask = right.pop("mask", None)
    note = f"the files are exchanged: {mask.name if mask else ''} is the mask"
    return Case(
        id=safe_name(folder.name),
        patient=patient_of(folder.name),
        images={kind: ImageFile((path,)) for kind, path in right.items()},
        label=ImageFile((mask,)) if mask else None,
        scheme=BINARY,
        sparse=True,
        source=LAYOUT.name,
        notes=(note,) if mask != named.get("mask") else (),
    )


def _unswapped(files: dict[str, Path]) -> dict[str, Path]:
    """Correct the kinds of the files: if the file named mask is an image, another one is the
    mask."""
    if "mask" not in files or _holds_mask(files["mask"]):
        return dict(files)
    masks = [kind for kind in ("t1ce", "t2") if kind in files and _holds_mask(files[kind])]
    if len(masks) != 1:
        raise CaseError("is named as a mask but contains an image", path=files["mask"])
    return {**files, "mask": files[masks[0]], masks[0]: files["mask"]}


def _holds_mask(path: Path) -> bool:
    """Return True if a volume is mostly 0 and has few other values."""
    image, _ = read_nifti(path)
    tumour = image[image != 0]
    return 2 * tumour.size < image.size and np.unique(tumour).size <= _MOST_VALUES
