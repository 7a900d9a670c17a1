"""``calibrate``: the temperature of a trained model, fitted on the patients it was chosen on.

A network's probabilities are too sure of themselves. Dividing their logits by one number mends
that on the whole; it goes into the model's card, and the threshold moves along, so that no mask
changes. Training patients would give a wrong number, test patients may not be looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import JsonValue

from gliomask.config import Options
from gliomask.core.progress import SILENT, Progress
from gliomask.errors import ModelError, StoreError
from gliomask.evaluation.logit_counts import LogitCounts, pool
from gliomask.evaluation.temperature import Temperature, adjusted_threshold, fit_temperature
from gliomask.inference.engine import Device, TorchEngine
from gliomask.inference.predictor import Predictor
from gliomask.nets.cards import CARD_FILE, ModelCard, write_card
from gliomask.nets.weights import load_model
from gliomask.workflows.seen import read_seen
from gliomask.workflows.subjects import Subject, find_subjects
from gliomask.workflows.voxels import COUNTED, count_voxels


class CalibrateOptions(Options):
    """What ``calibrate`` is asked to do."""

    model: Path
    """A run folder; its card is changed."""
    store: Path
    """The store that it was trained on."""
    device: Device = "auto"
    """What computes."""


@dataclass(frozen=True)
class CalibrateResult:
    """What ``calibrate`` has found.

    Attributes:
        model: the run folder.
        patients: that the temperature was fitted on.
        temperature: and how far it helps.
        threshold: of the card now, on calibrated probabilities.
    """

    model: Path
    patients: int
    temperature: Temperature
    threshold: float


def calibrate(options: CalibrateOptions, progress: Progress = SILENT) -> CalibrateResult:
    """Fits the temperature of a model and writes it into its card.

    Raises:
        ModelError: no model, or one that does not name the patients it was chosen on.
        StoreError: the store lacks one of them, or one can't be read.
        MachineError: the device is not there.
    """
    seen = read_seen(options.model)
    if seen is None or not seen.chosen:
        what = "the model does not name the patients it was chosen on"
        raise ModelError(what, path=options.model)
    everyone = find_subjects(options.store, "all", None).subjects
    missing = seen.chosen - {subject.patient for subject in everyone}
    if missing:
        raise StoreError(f"the store lacks patient {min(missing)!r}", path=options.store)
    chosen = [subject for subject in everyone if subject.patient in seen.chosen]
    network, card = load_model(options.model)
    predictor = Predictor(TorchEngine(network, options.device), _uncalibrated(card))
    found = fit_temperature(_count(predictor, chosen, progress))
    written = _calibrated(predictor.card, found, len(seen.chosen))
    write_card(options.model / CARD_FILE, written)
    return CalibrateResult(options.model, len(seen.chosen), found, written.threshold)


def _uncalibrated(card: ModelCard) -> ModelCard:
    """The card as training left it."""
    threshold = adjusted_threshold(card.threshold, 1 / card.temperature)
    return card.model_copy(update={"temperature": 1.0, "threshold": threshold})


def _calibrated(card: ModelCard, found: Temperature, patients: int) -> ModelCard:
    told: dict[str, JsonValue] = {
        "part": "validation",
        "voxels": COUNTED,
        "patients": patients,
        **asdict(found),
    }
    return card.model_copy(
        update={
            "temperature": found.value,
            "threshold": adjusted_threshold(card.threshold, found.value),
            "metrics": {**card.metrics, "calibration": told},
        }
    )


def _count(predictor: Predictor, subjects: Sequence[Subject], progress: Progress) -> LogitCounts:
    """The voxels of all regions together: one temperature serves them all."""
    progress.start(len(subjects), "calibrating")
    counts: list[LogitCounts] = []
    for subject in subjects:
        examination = subject.load()
        said = predictor.probabilities(examination.stack)
        counts += count_voxels(said, predictor.card.regions, examination).values()
        progress.advance(note=subject.case)
    return pool(counts)
