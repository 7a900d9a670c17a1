"""A folder of predictions by one model: each case predicted once, its files written together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from gliomask.config.predict import PredictOptions
from gliomask.core.case import Case
from gliomask.core.output_folder import check_folder
from gliomask.datasets.find import numbered
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
from gliomask.inference.predictor import Predictor
from gliomask.jobs.control import SILENT, Control
from gliomask.jobs.failures import raise_failures
from gliomask.machine.memory_limit import memory_limit, mib
from gliomask.results.prediction.bids import BidsDerivative
from gliomask.results.prediction.case_files import (
    check_unedited,
    is_finished,
    write_case_files,
)
from gliomask.results.prediction.case_table import write_case_table
from gliomask.results.prediction.fingerprint import files_fingerprint
from gliomask.results.prediction.origins import (
    check_same_examination,
    is_of_other_study,
    origins_of,
)
from gliomask.results.prediction.outcome import Outcome, record_path
from gliomask.results.prediction.summary import PredictResult, table_of
from gliomask.results.prediction.write import usual_kinds
from gliomask.segmentation.segmenter import Segmenter
from gliomask.studies.find import survey

_STEPS, _WRITING = 10, 2
"""About how the time of a case is shared out."""


class PredictionFolder:
    """A folder that predictions are written to, of any number of inputs by one model.

    Args:
        options: of the command; its ``inputs`` are ignored.
        predictor: of the model in the options, if it is loaded already.
        root: a private folder; records name images as they lie below it.
        keep: called with every outcome, once its files are in the folder.
        distinct: a case gets a number after its id if another DICOM study has a result of this id
            in the folder.

    Attributes:
        segmenter: the model.

    Raises:
        InputError: ``out`` can't be a folder, see ``check_folder``; a derivative in the BIDS data
            set that isn't ours.
        ModelError, MachineError: see ``load_predictor``.
    """

    def __init__(
        self,
        options: PredictOptions,
        predictor: Predictor | None = None,
        root: Path | None = None,
        keep: Callable[[Outcome], None] | None = None,
        *,
        distinct: bool = False,
    ) -> None:
        check_folder(options.out)
        self.options, self.root, self.keep, self.distinct = options, root, keep, distinct
        self._written: set[str] = set()
        self.bids = BidsDerivative(options.bids) if options.bids is not None else None
        self.segmenter = Segmenter(options, predictor)

    def run(self, inputs: Sequence[Path], control: Control = SILENT) -> PredictResult:
        """Predicts the cases in the inputs, and writes the table; see ``predict_files``."""
        result = self.add(inputs, control)
        if not result.cases:
            what = "no examination could be segmented"
            raise CasesError(what, result.failures, result=result)
        self.write_table([result])
        raise_failures(result.failures, len(result.cases), result.out, result)
        return result

    def add(self, inputs: Sequence[Path], control: Control = SILENT) -> PredictResult:
        """Predicts the cases in the inputs; writes no table, and passes failures on as they occur.

        Raises:
            GliomaskError: see ``predict_files``; but neither CasesError nor BatchError.
            MemoryError: without a memory limit.
        """
        limit = memory_limit(self.segmenter.limit)
        with self._limit_reported(), limit, all_unpacked(inputs) as places:
            cases, problems = survey(places, self.options.sequences, self.options.series)
            failures: list[Failure] = [(problem.case, problem.reason) for problem in problems]
            alone = len(cases) + len(failures) == 1
            done: list[CaseRecord] = []
            earlier: list[str] = []
            control.start(len(cases), "segmenting")
            names = {p: str(path) for p, path in zip(places, inputs, strict=True) if p != path}
            if self.root is not None:
                names[self.root] = "upload"
            for case in map(self._named, cases):
                with control.part(case.id) as part:
                    try:
                        record, was_done = self.one(case, names, part)
                    except (MachineError, ModelError, StoppedError):
                        raise
                    except GliomaskError as problem:
                        if alone:
                            problem.result = self._result((), [(case.id, str(problem))], ())
                            raise
                        failures.append((case.id, str(problem)))
                        continue
                done.append(record)
                earlier += [record.case] if was_done else []
        return self._result(done, failures, earlier)

    @contextmanager
    def _limit_reported(self) -> Iterator[None]:
        """Convert a lack of memory to an error of the input, if the option limits the memory."""
        try:
            yield
        except MemoryError:
            limit = self.options.limit_memory
            if limit is None:
                raise
            what = "the scan needs more memory"
            raise CaseError(what, option="limit_memory", found=mib(limit)) from None

    def failed(self, name: str, problem: GliomaskError) -> PredictResult:
        """The result of an input that can't be used at all."""
        return self._result((), [(name, str(problem))], ())

    def _result(
        self, done: Sequence[CaseRecord], failures: Sequence[Failure], earlier: Sequence[str]
    ) -> PredictResult:
        model = self.segmenter.predictor.card.name
        return PredictResult(self.options.out, model, tuple(done), tuple(failures), tuple(earlier))

    def one(
        self, case: Case, names: Mapping[Path, str], control: Control = SILENT
    ) -> tuple[CaseRecord, bool]:
        """Predicts one examination, unless an earlier run has done it.

        Args:
            case: its images.
            names: folder -> its name in records, see ``origins_of``.
            control: progress, and a stop on request.

        Returns:
            its record, and whether an earlier run has done it.

        Raises:
            GliomaskError: it can't be used, or nothing can. MemoryError: without a memory limit.
        """
        with self._limit_reported():
            usable = self.segmenter.needed(case)
            return self._case(usable, origins_of(usable, names), control)

    def write_table(self, results: Collection[PredictResult]) -> None:
        """Writes ``cases.csv``: a row for each of these examinations, and those of earlier runs."""
        card = self.segmenter.predictor.card
        done = [record for result in results for record in result.cases]
        failures = [failure for result in results for failure in result.failures]
        write_case_table(self.options.out, *table_of(card.name, card.regions, done, failures))

    def _named(self, case: Case) -> Case:
        """The case with a free id, see ``distinct``: the same in every run with the same folder."""
        if not self.distinct:
            return case
        cases = (replace(case, id=name) for name in numbered(case.id))
        return next(free for free in cases if not self._is_taken(free))

    def _is_taken(self, case: Case) -> bool:
        record = existing_record(record_path(self.options.out, case))
        return record is not None and is_of_other_study(case, record)

    def _case(
        self, case: Case, origins: Mapping[str, str], control: Control
    ) -> tuple[CaseRecord, bool]:
        options = self.options
        write = usual_kinds(case) if options.write is None else options.write
        result = self.segmenter.fingerprint(case)
        key = files_fingerprint(result, write)
        earlier = existing_record(record_path(options.out, case))
        if self.bids is not None:
            self.bids.check(case, origins, again=options.again)
        there_too = self.bids is None or self.bids.is_done(case, result)
        done = earlier is not None and there_too and is_finished(options.out, earlier, key)
        if earlier is not None and done and not options.again:
            return earlier, True
        if earlier is not None:  # before the work; they are checked again when they are replaced
            check_unedited(options.out, earlier)
        replaceable = case.id not in self._written
        kept = not (options.again and replaceable)
        if earlier is not None and earlier.result != result and kept:
            check_same_examination(case, earlier, origins, options.out, replaceable=replaceable)
        maps = options.probabilities or options.disagreement or "html" in write
        maps = maps or self.keep is not None
        control.start(_STEPS, "")
        with control.part(steps=_STEPS - _WRITING) as part:
            outcome = self.segmenter.predict(case, part, maps=maps)
        outcome = replace(outcome, result=result, origins=origins)
        with control.part(steps=_WRITING) as part:
            record = write_case_files(options.out, outcome, options.write, earlier, part)
        self._written.add(case.id)
        if self.bids is not None:
            self.bids.write(outcome)
        if self.keep is not None:
            self.keep(outcome)
        return record, False
