"""``case.json`` of an editable case: data for the correction of a mask, in addition to the layers.

It contains all computed values, because programs without numpy read it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gliomask.errors import FormatError

FILE: Final = "case.json"
MASK_LAYER: Final = "mask"
IMAGE_LAYER: Final = "image-"
"""Followed by the sequence."""
PROBABILITY_LAYER: Final = "probability-"
"""Followed by the region."""
ENDING: Final = ".nii.gz"
SOURCE: Final = "source"
"""The folder with the headers of the DICOM series that the mask lies on, where it lies on one."""
FIRST: Final = "first"
"""Stem of the DICOM objects of the network's own mask."""


class EditableRegion(BaseModel):
    """A region as it is drawn.

    Attributes:
        name, title, colour: see ``core.regions``.
        number: in the mask, of voxels of no region inside it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    number: Annotated[int, Field(ge=1, le=3)]
    colour: str


class EditableCase(BaseModel):
    """One segmented examination whose mask may be corrected.

    Attributes:
        form: of the file.
        case, patient, study: as in its record; study is empty where it is not known.
        sequences: image layers, the one to show first at the front.
        regions: regions of the mask, from the outermost to the innermost.
        probabilities: regions that have a layer of probabilities.
        model, weights: name of the model that segmented it, and SHA-256 of its weights.
        synthetic: True for a phantom.
        voxel_ml: of one voxel.
        sha256: of the mask file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: Literal["gliomask editable case 1"] = "gliomask editable case 1"
    case: str
    patient: str
    study: str
    sequences: tuple[str, ...]
    regions: tuple[EditableRegion, ...]
    probabilities: tuple[str, ...]
    model: str
    weights: str
    synthetic: bool
    voxel_ml: Annotated[float, Field(gt=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the files next to it, without suffix."""
        images = (f"{IMAGE_LAYER}{name}" for name in self.sequences)
        maps = (f"{PROBABILITY_LAYER}{name}" for name in self.probabilities)
        return (MASK_LAYER, *images, *maps)


def folder_of(case: str) -> str:
    """The name of the folder of a case, without any names of people.

    >>> folder_of("case1")
    '38fcde7f602376e3'
    """
    return hashlib.sha256(case.encode()).hexdigest()[:16]


def read_editable_case(folder: Path) -> EditableCase:
    """The case in a folder.

    Raises:
        FormatError: there is none, or it is damaged.
    """
    path = folder / FILE
    try:
        return EditableCase.model_validate_json(path.read_bytes())
    except OSError:
        raise FormatError("no case to correct", path=folder) from None
    except ValidationError as problem:
        field = ".".join(map(str, problem.errors(include_url=False)[0]["loc"])) or "form"
        raise FormatError("not a case to correct", path=path, field=field) from None
