"""Loading of a case for prediction: all series on one grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gliomask.alignment.bias import correct_bias
from gliomask.alignment.study import AlignedStudy, align_study, on_one_grid
from gliomask.core.case import Case
from gliomask.core.plausibility import implausible
from gliomask.core.prediction import Prediction
from gliomask.core.reliability import reliability
from gliomask.datasets.load import load_series, stack_series
from gliomask.errors import CaseError, InputError, option
from gliomask.formats.images import Image
from gliomask.jobs.control import SILENT, Control
from gliomask.studies.contrast_check import check_contrast
from gliomask.studies.dicom_study import SOURCE as DICOM

HINT = f"leave out {option('align', False)}to resample them to one grid"
"""For series on different grids that may not be aligned."""


def load_on_one_grid(
    case: Case,
    reference: str | None = None,
    *,
    align: bool = True,
    n4: bool = False,
    control: Control = SILENT,
) -> AlignedStudy:
    """Read the images of a case as one volume.

    Images on one grid are read exactly as by ``load_case``, except DICOM series, between which the
    patient may have moved.

    Args:
        case: its mask is ignored.
        reference: the series whose grid the others are resampled to; None for the first of FLAIR,
            T2, T1ce and T1.
        align: lay the series onto the reference; otherwise other grids are refused.
        n4: apply N4 bias-field correction to each series first.
        control: reports each image; a stop ends a registration too.

    Raises:
        CaseError: as ``load_case``, ``align_study`` and ``check_contrast``; negative intensities
            with ``n4``.
        InputError: a reference without alignment.
    """
    grid = {"align": align, "n4": n4}
    return _on_one_grid(case, load_series(case, control), reference, **grid, control=control)


def put_on_one_grid(
    case: Case,
    series: Mapping[str, Image],
    reference: str | None = None,
    *,
    align: bool = True,
    n4: bool = False,
    control: Control = SILENT,
) -> AlignedStudy:
    """Align images of a case that have been read already, in the case's order."""
    return _on_one_grid(case, dict(series), reference, align=align, n4=n4, control=control)


def _on_one_grid(
    case: Case,
    series: dict[str, Image],
    reference: str | None,
    *,
    align: bool,
    n4: bool,
    control: Control,
) -> AlignedStudy:
    """Align images of a case, which are removed from ``series`` when no longer needed."""
    if reference is not None and not align:
        what = "a reference has no effect without alignment"
        hint = f"leave out {option('reference')} or {option('align', False)}"
        raise InputError(what, option="reference", found=reference, hint=hint)
    for name in series if n4 else ():
        series[name] = _evened(case, name, series[name], control)
    study = _on_grid(case, series, reference, align, control)
    control.check()
    study = check_contrast(case, study, control)
    if not n4:
        return study
    note = "N4 bias-field correction was applied"
    return replace(study, notes=(*study.notes, note), provenance={**study.provenance, "n4": True})


def with_study(prediction: Prediction, study: AlignedStudy) -> Prediction:
    """Add notes on the preprocessing of the series and on implausible images to a prediction."""
    flag = prediction.reliability
    reasons = (*study.reasons, *implausible(prediction, study.volume))
    if flag is not None and reasons:
        flag = reliability((*flag.reasons, *reasons))
    if study.provenance:
        provenance = {**prediction.provenance, "alignment": dict(study.provenance)}
        prediction = replace(prediction, provenance=provenance)
    notes = (*prediction.notes, *study.notes)
    if flag is None:
        notes = (*notes, *(reason.text for reason in reasons))
    return replace(prediction, notes=notes, reliability=flag)


def _on_grid(
    case: Case, series: dict[str, Image], reference: str | None, align: bool, control: Control
) -> AlignedStudy:
    scanned, placed = case.source == DICOM, all(image.has_world for image in series.values())
    if not align or not placed:
        return AlignedStudy(stack_series(case, series, HINT if placed else None))
    if reference is None and not scanned and on_one_grid(series):
        return AlignedStudy(stack_series(case, series))
    try:
        return align_study(series, reference, scanned=scanned, control=control)
    except CaseError as problem:
        names = ", ".join(
            f"{series_use.sequence} is {series_use.series}"
            for series_use in case.series
            if series_use.used
        )
        problem.what = f"{case.id}: {problem.what}{f' ({names})' if names else ''}"
        raise


def _evened(case: Case, name: str, image: Image, control: Control) -> Image:
    try:
        return image._replace(array=correct_bias(image.array, image.affine, control))
    except ValueError as problem:
        raise CaseError(f"{case.id}: {name}: {problem}") from None
