"""``predict``: masks for examinations that nobody has drawn a tumour in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ByteSize, Field

from gliomask.config import Options
from gliomask.core.case import Case
from gliomask.errors import (
    CaseError,
    CasesError,
    Failure,
    GliomaskError,
    MachineError,
    ModelError,
    StoppedError,
)
from gliomask.formats.archive import all_unpacked
from gliomask.formats.case_record import CaseRecord, existing_record
from gliomask.formats.volumes import files_of
from gliomask.inference.engines.choice import EngineName
from gliomask.inference.engines.engine import Device
from gliomask.inference.memory_plan import check_fits, share_of
from gliomask.inference.needed_images import needed_images
from gliomask.inference.predictor import Predictor, load_predictor
from gliomask.jobs.control import SILENT, Control
from gliomask.jobs.failures import raise_failures
from gliomask.jobs.stopwatch import Clock
from gliomask.machine.memory_limit import memory_limit
from gliomask.nets.model_option import Model
from gliomask.nets.shipped import find_model
from gliomask.provenance.record import software
from gliomask.results.prediction.bids import BidsDerivative
from gliomask.results.prediction.case_table import write_case_table
from gliomask.results.prediction.origins import check_same_examination, origins_of
from gliomask.results.prediction.outcome import Outcome, record_path
from gliomask.results.prediction.staging import staged
from gliomask.results.prediction.summary import (
    Attempt,
    PredictedCase,
    PredictResult,
    summary_of,
    table_of,
)
from gliomask.results.prediction.write import Kind, usual_kinds, write_outputs
from gliomask.studies.find import survey
from gliomask.studies.one_grid import load_on_one_grid, with_study

NOT_OF_THE_RESULT = {
    *("inputs", "out", "model", "sequences", "series", "again", "write"),
    *("limit_memory", "bids"),
}
"""Options that change nothing in a mask."""

_READING, _SEGMENTING, _WRITING = 2, 6, 2
"""Of ``_STEPS``: about how the time of a case is shared out."""
_STEPS = _READING + _SEGMENTING + _WRITING


class PredictOptions(Options):
    """What ``predict`` is asked to do."""

    inputs: tuple[Path, ...] = ()
    """Volumes, pictures, folders of one or many examinations, data sets."""
    out: Path
    """The folder to write into; other files in it stay."""
    model: Model = Field(default_factory=find_model)
    """A run folder, or the name of a model that comes with gliomask."""
    sequences: Mapping[str, Path] = Field(default_factory=dict)
    """Sequence name -> file, instead of ``inputs``, when names don't tell the sequence."""
    series: Mapping[str, str] = Field(default_factory=dict)
    """Sequence name -> number, UID or description of the DICOM series to take for it."""
    write: tuple[Kind, ...] | None = None
    """``nifti``: the mask (pictures get a folder of pictures). ``png``: a look at it. ``html``: the
    case page with its viewer. ``dicom-seg``, ``rtstruct``: the mask as DICOM, for DICOM input. The
    first three if nothing is named, and the DICOM Segmentation where the input is DICOM."""
    bids: Path | None = None
    """A BIDS data set, or another folder, into whose ``derivatives/gliomask`` the masks go too."""
    probabilities: bool = False
    """Write the probability of each region too (NIfTI inputs only)."""
    disagreement: bool = False
    """Write where the network's maps disagree, for each region (NIfTI inputs only)."""
    thorough: bool = True
    """Ask the network in several ways, for intervals and a flag: about twice the time."""
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Probability from which a voxel is tumour, instead of the model's own."""
    clean_up: bool = True
    """Remove the fragments that the model's card says; otherwise the mask keeps them all."""
    reference: Literal["t1", "t1ce", "t2", "flair"] | None = None
    """The sequence whose grid the others are resampled to; None takes the first of FLAIR, T2, T1ce
    and T1 among those that the model uses."""
    align: bool = True
    """Lay series on other grids onto the reference (registered where that gains, resampled);
    otherwise they are refused."""
    n4: bool = False
    """Apply N4 bias-field correction to each sequence first."""
    again: bool = False
    """Segment what an earlier run has done too."""
    device: Device = "auto"
    """What computes."""
    engine: EngineName = "auto"
    """What runs the network; ``auto`` takes the fastest that is there."""
    limit_memory: ByteSize | None = None
    """The process never holds more; what would not fit is refused (Linux)."""


def predict_files(options: PredictOptions, control: Control = SILENT) -> PredictResult:
    """Segments examinations and writes for each its files, and a table of all.

    The files of a case appear together when all of them are whole. A case that can't be used does
    not stop the others. What an earlier run has written for the same images, model and options is
    not done again.

    Raises:
        InputError: the inputs, see ``datasets.study``; or the only examination can't be used.
        FormatError: an archive that breaks the rules.
        ModelError: the model.
        CasesError: none of several could be used.
        BatchError: some could not; they are listed, here and in ``cases.csv``; its ``result`` is
            what is returned where all could.
        MachineError: the device is not there, or too small.
    """
    return Segmenter(options).run(options.inputs, control)


class Segmenter:
    """A model and options, ready for any number of inputs.

    Args:
        options: of the command; its ``inputs`` are not looked at.
        predictor: of the model in the options, if it is loaded already.
        root: a folder that nobody else knows; records name images as they lie below it.

    Raises:
        InputError: a derivative in the BIDS data set that isn't ours.
        ModelError, MachineError: see ``load_predictor``.
    """

    def __init__(
        self,
        options: PredictOptions,
        predictor: Predictor | None = None,
        root: Path | None = None,
    ) -> None:
        self.options, self.root = options, root
        self.bids = BidsDerivative(options.bids) if options.bids is not None else None
        share = share_of(options.model, options.limit_memory)
        self.limit, how = share.left, (options.device, options.engine, share.threads)
        predictor = predictor or load_predictor(options.model, *how)
        if options.threshold is not None:
            predictor = predictor.at_threshold(options.threshold)
        if not options.clean_up:
            predictor = predictor.keeping_all()
        self.predictor = predictor

    def run(self, inputs: Sequence[Path], control: Control = SILENT) -> PredictResult:
        """Segments what the inputs hold, see ``predict_files``."""
        done, failures = self.attempt(inputs, control)
        if not done:
            raise CasesError("no examination could be segmented", failures)
        self.write_table(done, failures)
        out, model = self.options.out, self.predictor.card.name
        result = PredictResult(out, model, tuple(done), tuple(failures))
        raise_failures(failures, len(done), out, result)
        return result

    def attempt(self, inputs: Sequence[Path], control: Control = SILENT) -> Attempt:
        """The same without the table: the examinations done, and those that can't be used.

        Raises:
            GliomaskError: see ``predict_files``; but neither CasesError nor BatchError.
        """
        with memory_limit(self.limit), all_unpacked(inputs) as places:
            cases, problems = survey(places, self.options.sequences, self.options.series)
            failures: list[Failure] = [(problem.case, problem.reason) for problem in problems]
            bounded = self.limit is not None
            alone = len(cases) + len(failures) == 1
            done: list[PredictedCase] = []
            control.start(len(cases), "segmenting")
            shown = {p: str(path) for p, path in zip(places, inputs, strict=True) if p != path}
            if self.root is not None:
                shown[self.root] = "upload"
            for case in cases:
                with control.part(case.id) as part:
                    try:
                        done.append(self.one(case, shown, part))
                    except (MachineError, ModelError, StoppedError):
                        raise
                    except (GliomaskError, MemoryError) as problem:
                        if alone or (isinstance(problem, MemoryError) and not bounded):
                            raise
                        failures.append((case.id, str(problem)))
        return done, failures

    def one(
        self, case: Case, shown: Mapping[Path, str], control: Control = SILENT
    ) -> PredictedCase:
        """Segments one examination, unless an earlier run has done it.

        Args:
            case: its images.
            shown: folder -> what records say for it, see ``origins_of``.
            control: is told of its slices.

        Raises:
            GliomaskError, MemoryError: it can't be used, or nothing can.
        """
        usable = needed_images(case, self.predictor, self.options.reference)
        return self._case(usable, origins_of(usable, shown), control)

    def write_table(self, done: Sequence[PredictedCase], failures: Sequence[Failure]) -> None:
        """Writes ``cases.csv``: a row for each of these examinations, and those of earlier runs."""
        write_case_table(self.options.out, *table_of(self.predictor.card, done, failures))

    def _case(self, case: Case, origins: Mapping[str, str], control: Control) -> PredictedCase:
        options = self.options
        write = usual_kinds(case) if options.write is None else options.write
        result, key = self._keys(case, write)
        earlier = existing_record(record_path(options.out, case))
        if self.bids is not None:
            self.bids.check(case, origins, again=options.again)
        there_too = self.bids is None or self.bids.is_done(case, result)
        done = earlier is not None and there_too and _is_done(options.out, earlier, key)
        if earlier is not None and done and not options.again:
            return self._told(earlier, case, earlier=True)
        if earlier is not None and earlier.result != result and not options.again:
            check_same_examination(case, earlier, origins, options.out)
        control.start(_STEPS, "")
        outcome = self._segment(case, write, control)
        outcome = replace(outcome, result=result, key=key, origins=origins)
        # Files of another result may not stand beside the new mask, whoever asked for them.
        there = _files(options.out, earlier) if earlier is not None else ()
        same = earlier is not None and earlier.result == result
        kept, stale = (there, ()) if same else ((), there)
        strict, name = options.write is not None, record_path(options.out, case).name
        with staged(options.out, name, stale) as folder, control.part(steps=_WRITING) as part:
            record = write_outputs(folder, outcome, write, kept, strict=strict, control=part)
        if self.bids is not None:
            self.bids.write(outcome)
        return self._told(record, case, earlier=False)

    def _told(self, record: CaseRecord, case: Case, *, earlier: bool) -> PredictedCase:
        done = summary_of(record, self.options.out, earlier=earlier)
        if self.bids is None:
            return done
        return replace(done, files=(*done.files, self.bids.mask(case)))

    def _segment(self, case: Case, write: Sequence[Kind], control: Control) -> Outcome:
        options, clock = self.options, Clock()
        if self.limit is not None:
            check_fits(case, self.limit)
        with control.part(steps=_READING) as part:
            how = {"align": options.align, "n4": options.n4}
            study = load_on_one_grid(case, options.reference, **how, control=part)
        clock.lap("read")
        shown = "html" in write
        with control.part(steps=_SEGMENTING) as part:
            prediction = self.predictor.segment(
                study.volume,
                case.id,
                keep=options.probabilities or options.disagreement or shown,
                thorough=options.thorough or options.disagreement,
                control=part,
            )
        clock.lap("segment")
        wanted = {"probability": options.probabilities, "disagreement": options.disagreement}
        layers = tuple(name for name, asked in wanted.items() if asked)
        prediction = with_study(prediction, study)
        return Outcome(case, study.volume, prediction, layers, clock.seconds)

    def _keys(self, case: Case, write: Sequence[Kind]) -> tuple[str, str]:
        """Of all that the result depends on, and of its files."""
        chosen = self.options.plain(NOT_OF_THE_RESULT)
        card = self.predictor.card
        rules = {
            "options": chosen,
            "card": card.model_dump(mode="json"),
            "case": [case.id, case.patient, *case.notes],
            "images": {
                name: [image.channel, *(path.name for path in image.paths)]
                for name, image in case.images.items()
            },
            "software": software(),
        }
        digest = hashlib.sha256(json.dumps(rules, sort_keys=True).encode())
        images = (path for image in case.images.values() for path in image.paths)
        for path in dict.fromkeys(piece for image in images for piece in files_of(image)):
            digest.update(_digest(case, path))
        result = digest.hexdigest()
        return result, hashlib.sha256(f"{result}{sorted(write)}".encode()).hexdigest()


def _digest(case: Case, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as problem:
        what = f"{case.id}: can't be read: {problem.strerror}"
        raise CaseError(what, path=path) from None


def _is_done(out: Path, record: CaseRecord, key: str) -> bool:
    """Whether an earlier run did the same, and all its files are there."""
    return record.key == key and all(_is_whole(out / name, record) for name in record.files)


def _files(out: Path, record: CaseRecord) -> tuple[str, ...]:
    """Those that a record names and that are there. A record is a file that anyone may have
    changed, so only plain names that begin with the case's own count."""
    own = (name for name in record.files if name.startswith(record.case))
    return tuple(name for name in own if Path(name).name == name and (out / name).exists())


def _is_whole(path: Path, record: CaseRecord) -> bool:
    """Whether a file is there, or a folder with a mask for each picture."""
    if path.is_dir():
        return sum(1 for _ in path.iterdir()) >= record.shape[2]
    return path.is_file()
