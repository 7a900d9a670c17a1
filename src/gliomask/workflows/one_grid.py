"""A case for prediction: its series on one grid, as they came or as the user had them brought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gliomask.alignment.bias import correct_bias
from gliomask.alignment.study import AlignedStudy, align_study
from gliomask.core.case import Case
from gliomask.core.prediction import Prediction
from gliomask.datasets.load import load_series, stack_series
from gliomask.errors import CaseError
from gliomask.formats.images import Image

HINT = "resample them with --reference flair, and register them with --register if they moved"
"""For series on different grids."""


def load_on_one_grid(
    case: Case, reference: str | None = None, *, register: bool = False, n4: bool = False
) -> AlignedStudy:
    """Reads a case's images as one volume.

    Without any of the options this is ``load_case``: to the bit, and as strict.

    Args:
        case: its mask is not looked at.
        reference: the series whose grid the others are resampled to; None with ``register`` for
            the first of FLAIR, T2, T1ce and T1.
        register: lay each series onto the reference first.
        n4: take the coil's shading out of each series first.

    Raises:
        CaseError: as ``load_case`` and ``align_study``; negative intensities with ``n4``.
        MachineError: ``register`` or ``n4`` without SimpleITK.
    """
    return put_on_one_grid(case, load_series(case), reference, register=register, n4=n4)


def put_on_one_grid(
    case: Case,
    series: Mapping[str, Image],
    reference: str | None = None,
    *,
    register: bool = False,
    n4: bool = False,
) -> AlignedStudy:
    """The same for images of the case that have been read already, in the case's order."""
    if n4:
        series = {name: _evened(case, name, image) for name, image in series.items()}
    if reference is None and not register:
        placed = all(image.has_world for image in series.values())
        study = AlignedStudy(stack_series(case, series, HINT if placed else None))
    else:
        try:
            study = align_study(series, reference, register=register)
        except CaseError as problem:
            problem.what = f"{case.id}: {problem.what}"
            raise
    if not n4:
        return study
    note = "the shading of the coil was taken out (N4)"
    return replace(study, notes=(*study.notes, note), provenance={**study.provenance, "n4": True})


def with_study(prediction: Prediction, study: AlignedStudy) -> Prediction:
    """A prediction that also tells what was done to the series before."""
    if not study.provenance:
        return prediction
    provenance = {**prediction.provenance, "alignment": dict(study.provenance)}
    notes = (*prediction.notes, *study.notes)
    return replace(prediction, notes=notes, provenance=provenance)


def _evened(case: Case, name: str, image: Image) -> Image:
    try:
        return image._replace(array=correct_bias(image.array, image.affine))
    except ValueError as problem:
        raise CaseError(f"{case.id}: {name}: {problem}") from None
