"""Evaluation of a pair of mask files on the reference's own grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gliomask.core.geometry import spacing_mm, voxel_ml
from gliomask.core.label_scheme import LabelScheme
from gliomask.core.labels import LabelArray
from gliomask.core.regions import REGIONS
from gliomask.datasets.mask_files import MaskFile
from gliomask.datasets.mask_labels.read import read_by_scheme
from gliomask.datasets.patient_table import Trait
from gliomask.errors import CaseError, InputError
from gliomask.evaluation.case import Background, Circumstances, EvaluatedCase, evaluate_case
from gliomask.evaluation.reference_cases import annotated_slices
from gliomask.formats.file_key import file_key
from gliomask.formats.headers import image_header
from gliomask.formats.images import read_image
from gliomask.formats.volumes import is_volume
from gliomask.jobs.control import Control
from gliomask.metrics.grids import MaskGrid, described, on_reading_frame, same_grid
from gliomask.metrics.scores import MaskPair

_STEPS = 10
"""Progress steps of a pair: one for each of its three files, the others for the scores."""


@dataclass(frozen=True)
class MaskTask:
    """Files of a predicted mask and its reference.

    Attributes:
        reference, prediction: the files.
        drawn_by, found_by: label scheme of each.
    """

    reference: MaskFile
    prediction: MaskFile
    drawn_by: LabelScheme
    found_by: LabelScheme

    @property
    def case(self) -> str:
        return self.reference.case

    @property
    def key(self) -> str:
        mask, image = self.reference, self.reference.image
        files = [*mask.file.paths, *self.prediction.file.paths, *(image.paths if image else ())]
        rules = (mask.case, mask.patient, mask.sparse, self.drawn_by, self.found_by)
        return f"{rules}{file_key(files)}"


def evaluate_masks(task: MaskTask, control: Control) -> EvaluatedCase:
    """Read and score a pair.

    Raises:
        CaseError: a mask can't be read as labels, or the masks are on different grids.
    """
    reference = task.reference
    control.start(_STEPS, "")
    drawn, grid = _read(reference, task.drawn_by, "reference_labels")
    control.advance(note="reading")
    predicted, other = _read(task.prediction, task.found_by, "prediction_labels")
    _check_grids(task, grid, other)
    pair = _pair(reference, drawn, predicted, grid)
    control.advance(note="reading")
    image, remarks = _image(reference, grid)
    control.advance(note="reading")
    regions = tuple(r for r in REGIONS if r in task.drawn_by.regions and r in task.found_by.regions)
    thickness, *pixel_mm = spacing_mm(grid.affine)
    traits: dict[str, Trait] = {"site": reference.site} if reference.site else {}
    if pair.spacing_mm is not None:
        traits["slice thickness"] = thickness
    shown_on = Background(image, (pixel_mm[0], pixel_mm[1]), pair.spacing_mm is not None)
    known = Circumstances(traits, remarks=remarks, synthetic=reference.synthetic)
    with control.part(steps=_STEPS - 3) as part:
        return evaluate_case(pair, regions, shown_on, known, part)


def _check_grids(task: MaskTask, grid: MaskGrid, other: MaskGrid) -> None:
    if not same_grid(grid, other):
        raise CaseError(
            f"{task.prediction.file} is on another grid than {task.reference.file}",
            field="grid",
            found=described(other),
            allowed=described(grid),
        )


def _pair(
    reference: MaskFile, drawn: LabelArray, predicted: LabelArray, grid: MaskGrid
) -> MaskPair:
    has_world = is_volume(reference.file.paths[0])
    return MaskPair(
        case=reference.case,
        patient=reference.patient,
        reference=drawn,
        predicted=predicted,
        annotated=annotated_slices(drawn) if reference.sparse else None,
        voxel_ml=voxel_ml(grid.affine) if has_world else None,
        spacing_mm=spacing_mm(grid.affine) if has_world else None,
    )


def _read(mask: MaskFile, scheme: LabelScheme, option: str) -> tuple[LabelArray, MaskGrid]:
    """Labels (S, H, W) of a mask, and their grid."""
    labels, affine = read_by_scheme(mask.file, scheme, option)
    if mask.lost_origin and mask.image is not None:
        affine = image_header(mask.image).affine
    try:
        return on_reading_frame(labels, affine)
    except ValueError as problem:
        raise CaseError(str(problem), path=str(mask.file)) from None


def _image(
    reference: MaskFile, grid: MaskGrid
) -> tuple[npt.NDArray[np.float32] | None, tuple[str, ...]]:
    """Background image of the masks, or the reason why there is none."""
    if reference.image is None:
        return None, ()
    try:
        image = read_image(reference.image)
        turned, other = on_reading_frame(image.array, image.affine)
    except (InputError, ValueError) as problem:
        return None, (f"shown without its image: {problem}",)
    if not same_grid(grid, other):
        return None, ("shown without its image, which is on another grid",)
    return turned, ()
