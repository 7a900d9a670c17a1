"""``nnunet``: segmentation of an nnU-Net folder, as a replacement for ``nnUNetv2_predict``.

    IN/CASE_0000.nii.gz, CASE_0001.nii.gz ...   a file for each channel
    OUT/CASE.nii.gz                             the mask, with the numbers of the dataset.json
    OUT/dataset.json                            what the numbers mean

Format: https://github.com/MIC-DKFZ/nnUNet/blob/master/documentation/dataset_format_inference.md
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from gliomask.config.nnunet import NnunetOptions as NnunetOptions
from gliomask.core.atomic import atomic_path, write_text
from gliomask.core.case import Case
from gliomask.core.output_folder import check_folder
from gliomask.core.prediction import RESEARCH_USE_ONLY, Prediction
from gliomask.datasets.description import FILE_NAME, Description, read_description
from gliomask.datasets.mask_labels.numbering import (
    OWN_NAMES,
    meanings_of,
    numbers_for,
    renumbered,
)
from gliomask.datasets.nnunet import prediction_cases
from gliomask.errors import (
    ConfigError,
    Failure,
    GliomaskError,
    LayoutError,
    MachineError,
    StoppedError,
    option,
    same_with,
)
from gliomask.formats.nifti import write_nifti
from gliomask.inference.needed_images import needed_images
from gliomask.inference.predictor import Predictor, load_predictor
from gliomask.jobs.control import SILENT, Control
from gliomask.jobs.failures import raise_failures
from gliomask.studies.one_grid import load_on_one_grid

_ENDING: Final = ".nii.gz"


@dataclass(frozen=True)
class NnunetResult:
    """Result of ``nnunet``.

    Attributes:
        out: the folder.
        model: its name.
        done: ids of the cases segmented now.
        earlier: ids of cases with an existing mask.
        labels: name -> number in the masks.
    """

    out: Path
    model: str
    done: tuple[str, ...]
    earlier: tuple[str, ...]
    labels: dict[str, int]


def predict_nnunet(options: NnunetOptions, control: Control = SILENT) -> NnunetResult:
    """Segment the cases of an nnU-Net folder.

    Raises:
        LayoutError: no cases, or no ``dataset.json`` that defines their channels. FormatError: the
            ``dataset.json`` is invalid. ConfigError: its labels have no number for a region of the
            model; out is the input folder. BatchError: some cases are unusable; the others are
            done.
        ModelError, MachineError: the model.
    """
    check_folder(options.out)
    if options.out.resolve() == options.folder.resolve():
        raise ConfigError("the masks would be among the images", path=options.out, option="out")
    description = read_description(_description_file(options))
    cases, problems = prediction_cases(options.folder, description)
    if not cases and not problems:
        raise LayoutError(
            "no cases", path=options.folder, hint=f"files are named CASE_0000{description.ending}"
        )
    predictor = load_predictor(options.model, options.device)
    numbers = _numbers(options, predictor, description)
    names = _label_names(predictor, numbers)
    write_text(options.out / FILE_NAME, _described(description, names))
    own_cases = cases[options.part :: options.parts]
    failures: list[Failure] = [(problem.case, problem.reason) for problem in problems]
    earlier = [
        item.id for item in own_cases if options.keep_done and _mask(options, item).is_file()
    ]
    done: list[str] = []
    control.start(len(own_cases) - len(earlier), "segmenting")
    for case in (item for item in own_cases if item.id not in earlier):
        with control.part(case.id) as part:
            try:
                _segment(options, predictor, case, numbers, part)
                done.append(case.id)
            except (MachineError, StoppedError):
                raise
            except GliomaskError as problem:
                failures.append((case.id, str(problem)))
    result = NnunetResult(options.out, predictor.card.name, tuple(done), tuple(earlier), names)
    raise_failures(failures, len(done), options.out, result)
    return result


def _description_file(options: NnunetOptions) -> Path:
    places = (options.folder / FILE_NAME, options.folder.parent / FILE_NAME)
    description = options.description or next((place for place in places if place.is_file()), None)
    if description is None or not description.is_file():
        raise LayoutError(
            f"no {FILE_NAME} that defines the channels, in the folder or its parent folder",
            path=options.folder if description is None else description,
            hint=f"copy that of the data set there, or give its path by {option('description')}",
        )
    return description


def _numbers(
    options: NnunetOptions, predictor: Predictor, description: Description
) -> dict[int, int]:
    """Number in a prediction's mask -> number to write."""
    regions = predictor.card.regions
    if options.own_labels:
        return {own: own for own in meanings_of(regions)}
    if description.output is None:
        raise ConfigError(
            "the names of its labels are ambiguous",
            path=_description_file(options),
            field="labels",
            found=", ".join(description.labels),
            hint=f"write the model's own label numbers: {same_with(('own_labels', True))}",
        )
    return numbers_for(regions, description.output)


def _label_names(predictor: Predictor, numbers: dict[int, int]) -> dict[str, int]:
    """Name -> number in the masks; several labels may have the same number."""
    names = {"background": 0}
    for own, label in meanings_of(predictor.card.regions).items():
        shared = [other for other, number in numbers.items() if number == numbers[own]]
        names["tumor" if len(shared) > 1 else OWN_NAMES[label]] = numbers[own]
    return names


def _described(description: Description, names: dict[str, int]) -> str:
    content = {
        "channel_names": {str(k): name for k, name in enumerate(description.names)},
        "labels": names,
        "file_ending": _ENDING,
        "description": RESEARCH_USE_ONLY,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _mask(options: NnunetOptions, case: Case) -> Path:
    return options.out / f"{case.id}{_ENDING}"


def _segment(
    options: NnunetOptions,
    predictor: Predictor,
    case: Case,
    numbers: dict[int, int],
    control: Control,
) -> None:
    study = load_on_one_grid(needed_images(case, predictor), None, align=True, n4=False)
    prediction = predictor.predict(
        study.volume,
        case.id,
        maps=options.probabilities,
        uncertainty=not options.quick,
        control=control,
    )
    if options.probabilities:
        with atomic_path(options.out / f"{case.id}.npz") as path:
            _write_probabilities(path, prediction)
    mask = renumbered(prediction.mask, numbers)
    write_nifti(_mask(options, case), mask, prediction.affine, RESEARCH_USE_ONLY)


def _write_probabilities(path: Path, prediction: Prediction) -> None:
    """``probabilities`` (R, Z, Y, X) float32, as nnU-Net orders axes, and ``regions``."""
    if prediction.probabilities is None:
        return
    ordered = np.ascontiguousarray(prediction.probabilities.transpose(0, 3, 2, 1))
    np.savez_compressed(path, probabilities=ordered, regions=np.array(prediction.regions))
