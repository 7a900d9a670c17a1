"""The model of a process that stays: loaded once, it serves many requests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gliomask.config.choices import Device, EngineName
from gliomask.config.predict import PredictOptions
from gliomask.inference.predictor import Predictor, load_predictor
from gliomask.jobs.control import Control
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
        self, options: PredictOptions, inputs: Sequence[Path], root: Path, control: Control
    ) -> PredictResult:
        """Segments what the inputs hold, as ``predict_files`` does.

        Args:
            options: without inputs; inputs: below ``root``.
            root: a folder that only this process knows: records name images below it.
            control: of it.
        """
        predictor = self.load(options.model, options.device, options.engine)
        return PredictionFolder(options, predictor, root).run(inputs, control)
