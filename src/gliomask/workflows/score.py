"""``score``: how good the masks of any tool are, ours or a peer's, on the reference's own grid.

Each pair is read, judged and let go by a process of its own, and written into a journal, so that
thousands of cases need no more memory than a few, and a stopped run goes on where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gliomask.config.score import ScoreOptions as ScoreOptions
from gliomask.core.geometry import spacing_mm, voxel_ml
from gliomask.core.label_scheme import LabelScheme
from gliomask.core.labels import LabelArray
from gliomask.core.regions import REGIONS
from gliomask.datasets.mask_files import PAIRS, MaskFile
from gliomask.datasets.mask_labels.pair_schemes import Answers, Schemes, find_schemes
from gliomask.datasets.mask_labels.read import read_by_scheme
from gliomask.datasets.mask_pairs import find_pairs
from gliomask.datasets.patient_table import Trait, read_traits
from gliomask.errors import CaseError, CasesError, InputError
from gliomask.evaluation.case import Background, Circumstances, EvaluatedCase, judge
from gliomask.evaluation.reference_cases import annotated_slices
from gliomask.formats.file_key import file_key
from gliomask.formats.headers import image_header
from gliomask.formats.images import read_image
from gliomask.formats.volumes import is_volume
from gliomask.jobs.control import SILENT, Control
from gliomask.jobs.failures import raise_failures
from gliomask.jobs.journal import Journal, go_on
from gliomask.metrics.grids import MaskGrid, described, on_reading_frame, same_grid
from gliomask.metrics.scores import MaskPair
from gliomask.provenance.record import provenance
from gliomask.results.evaluation import (
    EvaluationData,
    check_target,
    write_evaluation_folder,
)
from gliomask.statistics.evaluation_summary import EvaluationSummary

_FEW = 8
"""Pairs up to which starting processes takes longer than judging."""

_STEPS = 10
"""Of a pair: one for each of its three files, the others to judge it."""


@dataclass(frozen=True)
class ScoreResult:
    """What ``score`` has found.

    Attributes:
        out: the folder written.
        summary: of the scores.
        explanation: how the numbers in the masks were understood.
        remarks: (case, what looks wrong with its mask).
        resumed: pairs that an earlier, stopped run had judged.
    """

    out: Path
    summary: EvaluationSummary
    explanation: tuple[str, ...]
    remarks: tuple[tuple[str, str], ...]
    resumed: int


def score(options: ScoreOptions, control: Control = SILENT) -> ScoreResult:
    """Judges masks against reference masks of the same cases, and writes an evaluation's folder.

    Raises:
        InputError: no masks, two of one case, a table that doesn't fit, or ``out`` holds something
            else.
        QuestionError: the numbers in the masks can be read in several ways.
        CasesError: no pair could be judged; nothing is written.
        BatchError: masks without a partner or pairs that don't fit; the others are written.
        MachineError: a worker process was killed; what is done is kept for the next run.
    """
    check_target(options.out)
    traits = read_traits(options.table, options.by)
    pairs, alone = find_pairs(options.references, options.predictions, options.pairs)
    workers = options.workers or (1 if len(pairs) <= _FEW else None)
    answers = Answers(options.labels, options.reference_labels, options.prediction_labels)
    schemes = find_schemes(pairs, answers, options.out, control, workers)
    tasks = [
        _Task(reference, prediction, *both)
        for (reference, prediction), both in zip(pairs, schemes.pairs, strict=True)
    ]
    control.start(len(tasks), "scoring")
    with Journal(options.out, EvaluatedCase) as journal:
        done = go_on(_judge, tasks, journal, control, workers)
    judged, failures = done.pieces, [*alone, *done.failures]
    if not judged:
        what = "no pair of masks could be judged"
        raise CasesError(what, failures, path=options.predictions, hint=None if pairs else PAIRS)
    judgement = EvaluationData(
        title=f"{options.predictions.name} against {options.references.name}",
        subtitle="; ".join(schemes.explanation),
        figures=options.figures,
        report=options.report,
        judged=tuple(judged),
        failures=tuple(failures),
        traits=traits,
        licences=tuple(sorted({r.licence for r, _ in pairs if r.licence})),
        about=_about(options, schemes),
        provenance=provenance("score", options),
    )
    written = write_evaluation_folder(options.out, judgement, control)
    journal.discard()
    result = ScoreResult(
        options.out, written.analysis.summary, schemes.explanation, written.remarks, done.resumed
    )
    raise_failures(failures, len(judged), options.out, result)
    return result


def _about(options: ScoreOptions, schemes: Schemes) -> dict[str, object]:
    return {
        "references": str(options.references),
        "predictions": str(options.predictions),
        "labels": list(schemes.explanation),
    }


@dataclass(frozen=True)
class _Task:
    """A pair to be judged."""

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


def _judge(task: _Task, control: Control) -> EvaluatedCase:
    reference, prediction = task.reference, task.prediction
    control.start(_STEPS, "")
    drawn, grid = _read(reference, task.drawn_by, "reference_labels")
    control.advance(note="reading")
    found, other = _read(prediction, task.found_by, "prediction_labels")
    if not same_grid(grid, other):
        raise CaseError(
            f"{prediction.file} is on another grid than {reference.file}",
            field="grid",
            found=described(other),
            allowed=described(grid),
        )
    has_world = is_volume(reference.file.paths[0])
    sizes = spacing_mm(grid.affine)
    pair = MaskPair(
        case=reference.case,
        patient=reference.patient,
        reference=drawn,
        predicted=found,
        annotated=annotated_slices(drawn) if reference.sparse else None,
        voxel_ml=voxel_ml(grid.affine) if has_world else None,
        spacing_mm=sizes if has_world else None,
    )
    control.advance(note="reading")
    image, remarks = _image(reference, grid)
    control.advance(note="reading")
    told = set(task.drawn_by.regions) & set(task.found_by.regions)
    traits: dict[str, Trait] = {"site": reference.site} if reference.site else {}
    if has_world:
        traits["slice thickness"] = sizes[0]
    regions = tuple(region for region in REGIONS if region in told)
    shown_on = Background(image, (sizes[1], sizes[2]), has_world)
    known = Circumstances(traits, remarks=remarks, synthetic=reference.synthetic)
    with control.part(steps=_STEPS - 3) as part:
        return judge(pair, regions, shown_on, known, part)


def _read(mask: MaskFile, scheme: LabelScheme, option: str) -> tuple[LabelArray, MaskGrid]:
    """Our labels (S, H, W) of a mask, and the grid they are on."""
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
    """What the reference was drawn on, to show the masks on; and why not, where it can't be."""
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
