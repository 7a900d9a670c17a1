"""Selection of the images of a case that a model uses."""

from __future__ import annotations

from dataclasses import replace

from gliomask.core.case import Case
from gliomask.errors import CaseError
from gliomask.inference.predictor import Predictor


def needed_images(case: Case, predictor: Predictor, reference: str | None = None) -> Case:
    """A case with the images that a model uses; a note names the others, which are not read.

    Args:
        case: any.
        predictor: the model.
        reference: a sequence that is wanted for its grid, used or not.

    Raises:
        CaseError: the case lacks sequences that the model needs.
    """
    try:
        used = predictor.channels(tuple(case.images)).used
    except CaseError as problem:
        problem.what = f"{case.id}: {problem.what}"
        raise
    kept = {*used, reference}
    if case.contrast_order and "t1ce" in used:
        kept.add("t1")  # to be compared with
    unused = [name for name in case.images if name not in kept]
    if not unused:
        return case
    images = {name: image for name, image in case.images.items() if name not in unused}
    known = ", ".join(predictor.card.sequences)
    why = f"the model {predictor.card.name} takes {known}"
    note = f"{' and '.join(unused)} not used: {why}"
    series = tuple(
        replace(series_use, used=False, why=why)
        if series_use.used and series_use.sequence in unused
        else series_use
        for series_use in case.series
    )
    return replace(case, images=images, notes=(*case.notes, note), series=series)
