"""The prediction of one examination from Python: of files, or of images in memory."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from weakref import finalize

from gliomask.errors import InputError
from gliomask.formats.archive import all_unpacked
from gliomask.jobs.control import Control
from gliomask.results.prediction.origins import origins_of
from gliomask.results.prediction.prediction import Prediction, prediction_of
from gliomask.segmentation.segmenter import Segmenter
from gliomask.studies.find import survey
from gliomask.studies.in_memory import Files, Loaded, case_of, image_of


def predict_paths(
    segmenter: Segmenter,
    images: Files,
    control: Control,
    *,
    maps: bool,
) -> Prediction:
    """Predicts the only examination in files.

    Raises:
        InputError: none, or several.
        CaseError: it can't be used.
    """
    by_name = {n: Path(p) for n, p in images.items()} if isinstance(images, Mapping) else {}
    inputs = () if isinstance(images, Mapping) else (Path(images),)
    with ExitStack() as stack:
        places = stack.enter_context(all_unpacked(inputs))
        cases, problems = survey(places, by_name, segmenter.options.series)
        if len(cases) != 1:
            names = ", ".join(case_needed.id for case_needed in cases[:5]) or "none"
            reasons = "; ".join(problem.reason for problem in problems[:3])
            raise InputError(
                f"{len(cases)} examinations instead of one ({names}) {reasons}".rstrip(),
                path=None if isinstance(images, Mapping) else images,
                hint="for several use predict_files" if cases else None,
            )
        case_needed = segmenter.needed(cases[0])
        archives = {p: str(path) for p, path in zip(places, inputs, strict=True) if p != path}
        outcome = segmenter.predict(case_needed, control, maps=maps)
        result, origins = segmenter.fingerprint(case_needed), origins_of(case_needed, archives)
        prediction = prediction_of(replace(outcome, result=result, origins=origins))
        # DICOM objects are written with the headers of the images: an archive stays unpacked.
        finalize(prediction, stack.pop_all().close)
    return prediction


def predict_images(
    segmenter: Segmenter,
    images: Mapping[str, Loaded],
    case: str,
    control: Control,
    *,
    maps: bool,
) -> Prediction:
    """Predicts an examination in memory.

    Raises:
        InputError: an unknown sequence, no image, or a name of the case that is no file name.
        CaseError: images that can't be used.
    """
    case_needed = segmenter.needed(case_of(images, case))
    used = {name: image_of(name, images[name]) for name in case_needed.images}
    outcome = segmenter.predict(case_needed, control, images=used, maps=maps)
    return prediction_of(replace(outcome, result=segmenter.fingerprint(case_needed, used)))
