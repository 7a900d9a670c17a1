"""The model of a long-running process: loaded once for many requests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gliomask.config.choices import Device, EngineName
from gliomask.config.predict import PredictOptions
from gliomask.formats.editable_case import folder_of
from gliomask.inference.predictor import Predictor, load_predictor
from gliomask.jobs.control import Control
from gliomask.results.correction.editable import write_editable_case
from gliomask.results.prediction.outcome import Outcome
from gliomask.results.prediction.summary import PredictResult
from gliomask.segmentation.folder import PredictionFolder


class LoadedModel:
    """The model that was used last, loaded; another one takes its place in memory."""

    def __init__(self) -> None:
        self._key: tuple[Path, Device, EngineName] | None = None
        self._predictor: Predictor | None = None

    def load(self, model: Path, device: Device, engine: EngineName) -> Predictor:
        """A model, loaded unless it is already.

        Raises:
            ModelError, MachineError: see ``load_predictor``.
        """
        key = (model, device, engine)
        if self._predictor is None or self._key != key:
            self._predictor = None  # two would not fit everywhere
            self._predictor, self._key = load_predictor(model, device, engine), key
        return self._predictor

    def segment(
        self,
        options: PredictOptions,
        inputs: Sequence[Path],
        root: Path,
        editable: Path,
        control: Control,
    ) -> PredictResult:
        """Segments the cases in the inputs, see ``predict_files``, and keeps what corrections need.

        Args:
            options: without inputs; inputs: below ``root``.
            root: a private folder of this process: records name images below it.
            editable: an existing folder, which gets an editable case for each examination.
            control: control of the job.
        """
        predictor = self.load(options.model, options.device, options.engine)

        def keep(outcome: Outcome) -> None:
            write_editable_case(editable / folder_of(outcome.case.id), outcome, options.out)

        return PredictionFolder(options, predictor, root, keep).run(inputs, control)
