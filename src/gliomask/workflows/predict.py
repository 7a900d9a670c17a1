"""``predict``: masks for examinations that nobody has drawn a tumour in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gliomask.config import Options
from gliomask.core.atomic import write_text
from gliomask.core.case import Case
from gliomask.core.prediction import RESEARCH_USE_ONLY, Prediction
from gliomask.core.progress import SILENT, Progress
from gliomask.core.reliability import Reliability
from gliomask.core.volume import Volume
from gliomask.datasets.study import survey
from gliomask.errors import (
    CasesError,
    Failure,
    GliomaskError,
    MachineError,
    ModelError,
    StoppedError,
)
from gliomask.evaluation.tables import Cell, csv_text
from gliomask.inference.engine import Device
from gliomask.inference.predictor import Predictor, load_predictor
from gliomask.workflows.one_grid import load_on_one_grid, with_study
from gliomask.workflows.outputs import measured_ml, write_outputs
from gliomask.workflows.results import raise_failures
from gliomask.workflows.staging import staged

TABLE = "cases.csv"


class PredictOptions(Options):
    """What ``predict`` is asked to do."""

    inputs: tuple[Path, ...] = ()
    """Volumes, pictures, folders of one or many examinations, data sets."""
    out: Path
    """The folder to write into; other files in it stay."""
    model: str
    """A run folder."""
    sequences: Mapping[str, Path] = Field(default_factory=dict)
    """Sequence name -> file, instead of ``inputs``, when names don't tell the sequence."""
    series: Mapping[str, str] = Field(default_factory=dict)
    """Sequence name -> number, UID or description of the DICOM series to take for it."""
    write: tuple[Literal["nifti", "png"], ...] = ("nifti", "png")
    """``nifti``: the mask (pictures get a folder of pictures). ``png``: a look at it."""
    probabilities: bool = False
    """Write the probability of each region too (NIfTI inputs only)."""
    disagreement: bool = False
    """Write where the network's maps disagree, for each region (NIfTI inputs only)."""
    thorough: bool = True
    """Ask the network in several ways, for intervals and a flag: about twice the time."""
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Probability from which a voxel is tumour, instead of the model's own."""
    reference: Literal["t1", "t1ce", "t2", "flair"] | None = None
    """The sequence whose grid the others are resampled to; None refuses other grids."""
    register_series: bool = False
    """Lay the others onto the reference by what they show first (its default then: flair)."""
    n4: bool = False
    """Take the coil's shading out of each sequence first."""
    device: Device = "auto"
    """What computes."""


@dataclass(frozen=True)
class PredictedCase:
    """One examination, done.

    Attributes:
        case: its id.
        files: written for it, in ``out``.
        voxels: region name -> voxels.
        volumes_ml: region name -> millilitres; None for pictures.
        used, missing: sequences.
        notes: what a person who reads the mask should know.
        volumes_ml_90: region name -> (low, high) in millilitres that nine in ten patients'
            volumes lie in; empty for pictures and where that was not measured.
        reliability: how far all this may be trusted; None if the network was asked only once.
    """

    case: str
    files: tuple[Path, ...]
    voxels: dict[str, int]
    volumes_ml: dict[str, float] | None
    used: tuple[str, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    volumes_ml_90: dict[str, tuple[float, float]]
    reliability: Reliability | None


@dataclass(frozen=True)
class PredictResult:
    """What ``predict`` has done.

    Attributes:
        out: the folder written into.
        model: its name.
        cases: in the order of the inputs.
    """

    out: Path
    model: str
    cases: tuple[PredictedCase, ...]


def predict(options: PredictOptions, progress: Progress = SILENT) -> PredictResult:
    """Segments examinations and writes for each a mask, a picture, figures, and a table of all.

    The files of a case appear together when all of them are whole. A case that can't be used does
    not stop the others.

    Raises:
        InputError: the inputs, see ``datasets.study``; or the only examination can't be used.
        ModelError: the model.
        CasesError: none of several could be used.
        BatchError: some could not; they are listed, here and in ``cases.csv``.
        MachineError: the device is not there, or too small.
    """
    predictor = _predictor(options)
    cases, problems = survey(options.inputs, options.sequences, options.series)
    failures: list[Failure] = [(problem.case, problem.reason) for problem in problems]
    alone = len(cases) + len(failures) == 1
    done: list[PredictedCase] = []
    progress.start(len(cases), "segmenting")
    for case in cases:
        try:
            done.append(_predict_case(predictor, case, options))
        except (MachineError, ModelError, StoppedError):
            raise
        except GliomaskError as problem:
            if alone:
                raise
            failures.append((case.id, str(problem)))
        progress.advance(note=case.id)
    if not done:
        raise CasesError("no examination could be segmented", failures)
    write_text(options.out / TABLE, _table(predictor, done, failures))
    raise_failures(failures, len(done), options.out)
    return PredictResult(options.out, predictor.card.name, tuple(done))


def _predictor(options: PredictOptions) -> Predictor:
    predictor = load_predictor(options.model, options.device)
    if options.threshold is None:
        return predictor
    return Predictor(predictor.engine, predictor.card.with_threshold(options.threshold))


def _predict_case(predictor: Predictor, case: Case, options: PredictOptions) -> PredictedCase:
    register, n4 = options.register_series, options.n4
    study = load_on_one_grid(case, options.reference, register=register, n4=n4)
    prediction = with_study(_asked(predictor, study.volume, case, options), study)
    with staged(options.out) as folder:
        write_outputs(folder, case, study.volume, prediction, options.write)
        names = sorted(entry.name for entry in folder.iterdir())
    return _summary(case, prediction, [options.out / name for name in names])


def _asked(predictor: Predictor, volume: Volume, case: Case, options: PredictOptions) -> Prediction:
    """The prediction with the layers that are to be written, and no others."""
    prediction = predictor.segment(
        volume,
        case.id,
        keep=options.probabilities or options.disagreement,
        thorough=options.thorough or options.disagreement,
    )
    if options.disagreement and not options.probabilities:
        return replace(prediction, probabilities=None)
    return prediction if options.disagreement else replace(prediction, disagreement=None)


def _summary(case: Case, prediction: Prediction, files: Sequence[Path]) -> PredictedCase:
    volumes = prediction.volumes_ml
    return PredictedCase(
        case=case.id,
        files=tuple(files),
        voxels=dict(prediction.voxels),
        volumes_ml=None if volumes is None else dict(volumes),
        used=prediction.used,
        missing=prediction.missing,
        notes=(*prediction.notes, *case.notes),
        volumes_ml_90=measured_ml(prediction),
        reliability=prediction.reliability,
    )


def _table(predictor: Predictor, done: Sequence[PredictedCase], failures: Sequence[Failure]) -> str:
    """``cases.csv``: a row for each examination, also for those that failed."""
    regions = predictor.card.regions
    volumes = [f"volume_{region}_{unit}" for region in regions for unit in ("ml", "px")]
    columns = ("case", "status", "reason", *volumes, "used", "missing", "model", "notice")
    end: tuple[Cell, ...] = (predictor.card.name, RESEARCH_USE_ONLY)
    rows: list[tuple[Cell, ...]] = []
    for one in done:
        ml = one.volumes_ml or {}
        sizes = [size for region in regions for size in (ml.get(region), one.voxels[region])]
        rows.append((one.case, "done", "", *sizes, " ".join(one.used), " ".join(one.missing), *end))
    for case, reason in failures:
        rows.append((case, "failed", reason, *[None] * len(volumes), "", "", *end))
    return csv_text(columns, rows)
