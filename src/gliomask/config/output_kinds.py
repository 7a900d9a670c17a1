"""The kinds of files that ``predict`` writes of a case: as options name them, and their endings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

Kind = Literal["nifti", "nrrd", "png", "html", "dicom-seg", "rtstruct"]
"""A kind of file, as options name it."""


@dataclass(frozen=True)
class FileKind:
    """A kind of file.

    Attributes:
        ending: regular expression of what follows the case in the file's name.
        served: the kind in the API of the server; both formats of a mask are one kind.
        help: what it is.
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
