"""A loaded model with the options of a prediction: an examination in, its outcome out.

The command, Python, a watched folder and servers all predict by this, so they give the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from gliomask.config.predict import PredictOptions
from gliomask.core.case import Case
from gliomask.formats.images import Image
from gliomask.inference.memory_plan import check_fits, share_of
from gliomask.inference.needed_images import needed_images
from gliomask.inference.predictor import Predictor, load_predictor
from gliomask.jobs.control import SILENT, Control
from gliomask.jobs.stopwatch import Clock
from gliomask.nets.cards import CARD_FILE, read_card
from gliomask.results.prediction.fingerprint import result_fingerprint
from gliomask.results.prediction.outcome import Outcome
from gliomask.studies.one_grid import load_on_one_grid, put_on_one_grid, with_study

_READING, _PREDICTING = 2, 6
"""About how the time of a case is shared out."""


class Segmenter:
    """A model, ready for any number of examinations.

    Args:
        options: how images are brought to one grid and predicted; inputs and outputs among them
            are ignored.
        predictor: the model, if it is loaded already.

    Attributes:
        options: as given.
        predictor: the model, with the threshold and the clean-up that were chosen.
        share: of the memory limit, for the engine; None without a limit.

    Raises:
        ModelError, MachineError: see ``load_predictor``.
    """

    def __init__(self, options: PredictOptions, predictor: Predictor | None = None) -> None:
        self.options = options
        self.share, threads, card = None, None, predictor.card if predictor else None
        if options.limit_memory is not None:
            card = card or read_card(options.model / CARD_FILE)
            self.share = share_of(card, options.limit_memory)
            threads = self.share.threads
        if predictor is None:
            model = (options.model, options.device, options.engine)
            predictor = load_predictor(*model, threads, card)
        if options.threshold is not None:
            predictor = predictor.at_threshold(options.threshold)
        self.predictor = predictor if options.clean_up else predictor.keeping_all()

    @property
    def limit(self) -> int | None:
        """Limit of this process's memory in bytes; None for no limit."""
        return None if self.share is None else self.share.left

    def needed(self, case: Case) -> Case:
        """The case with the images that the model uses, and notes on the others.

        Raises:
            CaseError: it lacks sequences that the model needs.
        """
        return needed_images(case, self.predictor, self.options.reference)

    def fingerprint(self, case: Case, images: Mapping[str, Image] | None = None) -> str:
        """Digest of all inputs of the result of a case, see ``result_fingerprint``."""
        return result_fingerprint(case, self.options, self.predictor.card, images)

    def predict(
        self,
        case: Case,
        control: Control = SILENT,
        *,
        images: Mapping[str, Image] | None = None,
        maps: bool = True,
    ) -> Outcome:
        """Predicts one examination.

        Args:
            case: of needed images, see ``needed``.
            control: progress, and a stop on request.
            images: of the case, where they are in memory; otherwise its files are read.
            maps: keep the probabilities and, with uncertainty, the disagreement.

        Raises:
            CaseError: images that can't be used.
        """
        options, clock = self.options, Clock()
        if images is None and self.share is not None:
            check_fits(case, self.share)
        grid = {"align": options.align, "n4": options.n4}
        control.start(_READING + _PREDICTING, "")
        with control.part(steps=_READING) as part:
            if images is None:
                study = load_on_one_grid(case, options.reference, **grid, control=part)
            else:
                study = put_on_one_grid(case, images, options.reference, **grid, control=part)
        clock.lap("read")
        with control.part(steps=_PREDICTING) as part:
            prediction = self.predictor.predict(
                study.volume,
                case.id,
                maps=maps,
                uncertainty=options.uncertainty or options.disagreement,
                control=part,
            )
        clock.lap("segment")
        requested_maps = {
            "probability": options.probabilities,
            "disagreement": options.disagreement,
        }
        layers = tuple(name for name, requested in requested_maps.items() if requested)
        return Outcome(case, study.volume, with_study(prediction, study), layers, clock.seconds)
