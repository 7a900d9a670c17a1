"""Kinds of output files of ``predict``: their names in options, and their suffixes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

Kind = Literal["nifti", "nrrd", "png", "html", "dicom-seg", "rtstruct"]
"""Name of a kind of file, as in the options."""


@dataclass(frozen=True)
class FileKind:
    """A kind of output file.

    Attributes:
        ending: regular expression for the part of the file name after the case.
        served: its name in the API of the server, which is the same for both formats of a mask.
        help: description.
    """

    ending: str
    served: str
    help: str


KINDS: Mapping[Kind, FileKind] = MappingProxyType(
    {
        "nifti": FileKind(
            r"_mask(\.[a-z.]+)?", "mask", "the mask; for slices a folder of pictures"
        ),
        "nrrd": FileKind(r"_mask\.nrrd", "mask", "the mask of a volume as NRRD"),
        "png": FileKind(r"\.png", "picture", "a preview"),
        "html": FileKind(r"\.html", "page", "a page with a viewer"),
        "dicom-seg": FileKind(
            r"\.seg\.dcm", "seg", "the mask as a DICOM Segmentation, for DICOM input"
        ),
        "rtstruct": FileKind(
            r"\.rtstruct\.dcm", "rtstruct", "the mask as a DICOM RT Structure Set, for DICOM input"
        ),
    }
)
_LISTED = ", ".join(f"{name} ({kind.help})" for name, kind in KINDS.items())
WriteOption = Annotated[
    tuple[Kind, ...] | None,
    Field(
        description=f"Files to write for each case: {_LISTED}. By default nifti, png and html, and "
        "dicom-seg for DICOM input."
    ),
]
