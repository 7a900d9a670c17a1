"""``score``: how good the masks of any tool are, ours or a peer's, on the reference's own grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from gliomask.config import Options
from gliomask.core.geometry import spacing_mm, voxel_ml
from gliomask.core.labels import (
    BINARY,
    BRATS_2021,
    BRATS_2023,
    BRATS_2024,
    REGIONS,
    LabelArray,
    LabelScheme,
)
from gliomask.core.progress import SILENT, Progress
from gliomask.errors import CaseError, CasesError, InputError
from gliomask.evaluation.grids import Grid, described, on_reading_frame, same_grid
from gliomask.evaluation.scores import CaseScore, MaskPair, score_case
from gliomask.evaluation.summary import EvaluationSummary, summarise_scores
from gliomask.formats.images import is_nifti, read_labels
from gliomask.workflows.masks import MaskFile, case_id, find_masks
from gliomask.workflows.provenance import provenance
from gliomask.workflows.results import (
    Failure,
    Judgement,
    as_keys,
    check_target,
    raise_failures,
    write_judgement,
)
from gliomask.workflows.subjects import annotated_slices

_SCHEMES = {
    "binary": BINARY,
    "brats2021": BRATS_2021,
    "brats2023": BRATS_2023,
    "brats2024": BRATS_2024,
}
Labels = Literal["auto", "binary", "brats2021", "brats2023", "brats2024"]
Pair = tuple[MaskFile, MaskFile]
"""(reference, prediction)."""


class ScoreOptions(Options):
    """What ``score`` is asked to do."""

    references: Path
    """A mask, a folder of masks, or the root of a data set in any known layout."""
    predictions: Path
    """A mask or a folder of masks; they are paired by the case in their names."""
    out: Path
    """The folder to write; an earlier evaluation in it is replaced."""
    labels: Labels = "auto"
    """What the numbers in the masks mean; ``auto`` goes by which numbers there are."""


@dataclass(frozen=True)
class ScoreResult:
    """What ``score`` has found.

    Attributes:
        out: the folder written.
        summary: of the scores.
        explanation: how the numbers in the masks were understood.
    """

    out: Path
    summary: EvaluationSummary
    explanation: tuple[str, ...]


def score(options: ScoreOptions, progress: Progress = SILENT) -> ScoreResult:
    """Judges masks against reference masks of the same cases, and writes an evaluation's folder.

    Raises:
        InputError: no masks, two of one case, or ``out`` holds something else.
        CasesError: no pair could be judged; nothing is written.
        BatchError: masks without a partner or pairs that don't fit; the others are written.
    """
    check_target(options.out)
    pairs, failures = _pair(find_masks(options.references), find_masks(options.predictions))
    progress.start(2 * len(pairs), "scoring")
    schemes = _schemes(pairs, options.labels, progress)
    scores: list[CaseScore] = []
    for reference, prediction in pairs:
        try:
            scores += _score(reference, prediction, schemes)
        except InputError as problem:
            failures.append((reference.case, str(problem)))
        progress.advance(note=reference.case)
    if not scores:
        raise CasesError("no pair of masks could be judged", failures, path=options.predictions)
    summary = summarise_scores(scores)
    about = {
        "references": str(options.references),
        "predictions": str(options.predictions),
        "labels": list(schemes.explanation),
        "synthetic_data": any(reference.synthetic for reference, _ in pairs),
        "failed": as_keys(failures),
    }
    judgement = Judgement(scores, summary, about, provenance("score", options))
    write_judgement(options.out, judgement)
    raise_failures(failures, summary.n_cases, options.out)
    return ScoreResult(options.out, summary, schemes.explanation)


@dataclass(frozen=True)
class _Schemes:
    """How masks are read that no layout explains: the references', the predictions'."""

    reference: LabelScheme
    prediction: LabelScheme
    explanation: tuple[str, ...]


def _pair(
    references: Sequence[MaskFile], predictions: Sequence[MaskFile]
) -> tuple[list[Pair], list[Failure]]:
    """Masks of the same case, and all that have no partner; two single files are a pair."""
    if len(references) == len(predictions) == 1:
        return [(references[0], predictions[0])], []
    # A data set may call a case otherwise than its mask's file.
    names = {case_id(mask.file.paths[0].name): mask for mask in references}
    names |= {mask.case: mask for mask in references}
    paired: dict[str, Pair] = {}
    failures: list[Failure] = []
    for mask in predictions:
        reference = names.get(mask.case)
        if reference is None or reference.case in paired:
            failures.append((mask.case, f"no reference for {mask.file}"))
        else:
            paired[reference.case] = reference, mask
    alone = [mask for mask in references if mask.case not in paired]
    failures += [(mask.case, f"no prediction for {mask.file}") for mask in alone]
    return list(paired.values()), failures


def _schemes(pairs: Sequence[Pair], labels: Labels, progress: Progress) -> _Schemes:
    """The schemes that were named, or those that the numbers in all masks together tell."""
    if labels != "auto":
        progress.advance(len(pairs))
        scheme = _SCHEMES[labels]
        return _Schemes(scheme, scheme, (f"labels: {scheme.name}, as told",))
    drawn: set[int] = set()
    found: set[int] = set()
    for reference, prediction in pairs:
        drawn |= _numbers(reference) if reference.scheme is None else set()
        found |= _numbers(prediction)
        progress.advance()
    known = next((reference.scheme for reference, _ in pairs if reference.scheme), None)
    return _guess(known, drawn, found)


def _guess(known: LabelScheme | None, drawn: set[int], found: set[int]) -> _Schemes:
    """An empty side is read as the other one."""
    reference = known or _scheme_of(drawn or found)
    prediction = _scheme_of(found) if found else reference
    return _Schemes(
        reference,
        prediction,
        (
            f"references: {reference.name}, {_reason(drawn) if known is None else 'by the layout'}",
            f"predictions: {prediction.name}, {_reason(found)}",
        ),
    )


def _scheme_of(numbers: set[int]) -> LabelScheme:
    """One number is a tumour; 1, 2 and 4, or 1, 2 and 3, are BraTS; anything else is a tumour."""
    if len(numbers) > 1:
        for scheme in (BRATS_2023, BRATS_2021):
            if numbers <= {number for number, _ in scheme.values}:
                return scheme
    return BINARY


def _reason(numbers: set[int]) -> str:
    told = ", ".join(map(str, sorted(numbers)[:8])) or "none"
    return f"by the numbers in the masks ({told})"


def _numbers(mask: MaskFile) -> set[int]:
    """The numbers in a mask but 0; none if it can't be read, which scoring it will tell."""
    try:
        numbers, _ = read_labels(mask.file)
    except InputError:
        return set()
    return set(np.unique(numbers).tolist()) - {0}


def _score(reference: MaskFile, prediction: MaskFile, schemes: _Schemes) -> tuple[CaseScore, ...]:
    drawn_by, found_by = reference.scheme or schemes.reference, schemes.prediction
    drawn, grid = _read(reference, drawn_by)
    found, other = _read(prediction, found_by)
    if not same_grid(grid, other):
        raise CaseError(
            f"{prediction.file} is on another grid than {reference.file}",
            field="grid",
            found=described(other),
            allowed=described(grid),
        )
    has_world = is_nifti(reference.file.paths[0])
    pair = MaskPair(
        reference.case,
        reference.patient,
        drawn,
        found,
        annotated_slices(drawn) if reference.sparse else None,
        voxel_ml(grid.affine) if has_world else None,
        spacing_mm(grid.affine) if has_world else None,
    )
    told = set(drawn_by.regions) & set(found_by.regions)
    return score_case(pair, tuple(region for region in REGIONS if region in told))


def _read(mask: MaskFile, scheme: LabelScheme) -> tuple[LabelArray, Grid]:
    """Our labels (S, H, W) of a mask, and the grid they are on."""
    numbers, affine = read_labels(mask.file)
    try:
        turned, grid = on_reading_frame(numbers, affine)
        return scheme.translate(turned), grid
    except ValueError as problem:
        raise CaseError(str(problem), path=str(mask.file)) from None
