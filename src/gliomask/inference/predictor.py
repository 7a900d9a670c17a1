"""Prediction of a mask on the grid of the volume, with a model card and an engine.

    volume --to_slices--> stack --choose, fit--> engine --sigmoid, unfit--> maps
    maps --temperature, place--> probabilities --threshold, small parts--> mask

Slices go through in small batches, so memory does not grow with the network. Probabilities are
never rescaled per image: that would predict a tumour in every healthy slice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from gliomask.config.shipped import find_model
from gliomask.core.labels import LabelArray
from gliomask.core.prediction import Prediction
from gliomask.core.region_maps import RegionMaps
from gliomask.core.regions import REGIONS, labels_of_regions, region_masks
from gliomask.core.slices import (
    VERSION,
    SliceStack,
    StackRecord,
    place,
    to_slices,
)
from gliomask.core.volume import FloatArray, Volume
from gliomask.errors import CaseError, ModelError, option
from gliomask.inference.clean_up import clean_up
from gliomask.inference.engines.choice import EngineName, open_engine
from gliomask.inference.engines.engine import Device, Engine
from gliomask.inference.evidence import Evidence
from gliomask.inference.image_kind import is_skull_stripped
from gliomask.inference.opinions import Opinions
from gliomask.inference.passes import Passes
from gliomask.inference.reliability import assess
from gliomask.jobs.control import SILENT, Control
from gliomask.nets.cards import ModelCard
from gliomask.nets.licence_notice import announce_licence
from gliomask.nets.measures import CleanUp


@dataclass(frozen=True)
class InputChannels:
    """Presence of the sequences of a model in an examination.

    Attributes:
        used: available sequences, in the model's order.
        missing: missing sequences.
    """

    used: tuple[str, ...]
    missing: tuple[str, ...]


class Predictor:
    """A loaded model.

    Args:
        engine: runs the network.
        card: describes the network and its training.
        note: note on the engine for each prediction; may be empty.

    Raises:
        ModelError: see ``check_usable``.
    """

    def __init__(self, engine: Engine, card: ModelCard, note: str = "") -> None:
        check_usable(card)
        self.engine, self.card, self.note = engine, card, note
        self._passes = Passes(engine, card)

    def at_threshold(self, threshold: float) -> Predictor:
        """This predictor with another threshold."""
        return Predictor(self.engine, self.card.with_threshold(threshold), self.note)

    def keeping_all(self) -> Predictor:
        """This predictor without clean-up."""
        return Predictor(self.engine, self.card.keeping_all(), self.note)

    def channels(self, sequences: tuple[str, ...]) -> InputChannels:
        """Input channels for an examination with these sequences.

        A model of single sequences (``each``) needs one of its own. A model of stacked sequences
        needs them all, unless it was trained with some left out; then one suffices.

        Raises:
            CaseError: the sequences don't suffice; those that are missing are named.
        """
        known = self.card.sequences
        used = tuple(name for name in known if name in sequences)
        missing = tuple(name for name in known if name not in sequences)
        needs_all = self.card.input_mode == "stacked" and not self.card.sequence_dropout
        if not used or (missing and needs_all):
            raise CaseError(
                f"the model {self.card.name} needs {' and '.join(missing)}",
                field="sequences",
                found=", ".join(sequences) or "none",
                allowed=f"{'all' if needs_all else 'any'} of {', '.join(known)}",
                hint=f"take another {option('model')}: `gliomask models` lists what each needs",
            )
        return InputChannels(used, missing)

    def probabilities(self, stack: SliceStack, control: Control = SILENT) -> FloatArray:
        """(R, I, J, K) float32 in [0, 1] on the volume's grid, 0 outside the crop to the head.

        Raises:
            CaseError: the stack lacks sequences that the model needs.
            ModelError: the network gives NaN or infinity.
        """
        return place(self.maps(stack, control), stack.record)

    def maps(self, stack: SliceStack, control: Control = SILENT) -> FloatArray:
        """Probabilities on the cropped slices: (R, S, H, W)."""
        return self._passes.plain(stack, self.channels(stack.sequences).used, control)

    def masks(self, probabilities: FloatArray) -> npt.NDArray[np.bool_]:
        """(R, ...) bool: the regions at the model's threshold, an inner one within the outer."""
        return self._passes.masks(probabilities)

    def opinions(
        self, stack: SliceStack, *, disagreement: bool = False, control: Control = SILENT
    ) -> Opinions:
        """Alternative predictions for a stack; raises as ``probabilities``."""
        used = self.channels(stack.sequences).used
        return self._passes.thorough(stack, used, disagreement=disagreement, control=control)

    def predict(
        self,
        volume: Volume,
        case: str = "case",
        *,
        maps: bool = False,
        uncertainty: bool = False,
        control: Control = SILENT,
    ) -> Prediction:
        """Predict an examination.

        Args:
            volume: its sequences, at least those that the model needs; others are ignored
                but for the crop to the head.
            case: its id.
            maps: whether the prediction contains the probabilities, and with ``uncertainty`` the
                disagreement.
            uncertainty: also run the network on flipped slices, for intervals and a flag; the mask
                and the probabilities stay the same. The additional time is that of the slices that
                are mirrored for this alone.
            control: reports the slices.

        Raises:
            CaseError: the volume lacks sequences that the model needs, or one is constant.
        """
        self.channels(volume.sequences)
        # The slices have no name here: they are to go as soon as they are needed no longer.
        return self.predict_stack(
            _slices(volume, control), case, maps=maps, uncertainty=uncertainty, control=control
        )

    def predict_stack(
        self,
        stack: SliceStack,
        case: str,
        *,
        maps: bool = False,
        uncertainty: bool = False,
        control: Control = SILENT,
    ) -> Prediction:
        """Predict from prepared slices."""
        if not uncertainty:
            return self._prediction(stack, case, self.maps(stack, control), maps)
        findings = self.evidence(stack, case, maps=maps, control=control)
        control.check()
        flag = assess(findings, control)
        made = replace(findings.prediction, intervals=findings.intervals, reliability=flag)
        apart = findings.opinions.disagreement
        if apart is None:
            return made
        return replace(made, disagreement_maps=RegionMaps(apart, stack.record))

    def evidence(
        self, stack: SliceStack, case: str, *, maps: bool = False, control: Control = SILENT
    ) -> Evidence:
        """A prediction with all that its intervals and its flag follow from; see ``predict``."""
        opinions = self.opinions(stack, disagreement=maps, control=control)
        control.check()
        plain = self._prediction(stack, case, opinions.probabilities, maps)
        control.check()
        return Evidence(self.card, stack, plain, opinions, is_skull_stripped(stack))

    def _prediction(
        self, stack: SliceStack, case: str, cropped: FloatArray, maps: bool
    ) -> Prediction:
        """The prediction from its probabilities (R, S, H, W) on the cropped slices."""
        channels = self.channels(stack.sequences)
        card, record = self.card, stack.record
        marked = labels_of_regions(cropped >= card.threshold, card.regions)
        rule = self._clean_up_rule(stack)
        cleaned = clean_up(marked, cropped.max(axis=0), rule, record.voxel_ml)
        voxels = region_masks(cleaned, card.regions).sum(axis=(1, 2, 3))
        return Prediction(
            case=case,
            mask=place(cleaned, record),
            regions=card.regions,
            probability_maps=RegionMaps(cropped, record) if maps else None,
            affine=record.affine,
            has_world=record.has_world,
            voxels=dict(zip(card.regions, map(int, voxels), strict=True)),
            used=channels.used,
            missing=channels.missing,
            model=card.name,
            synthetic=card.synthetic,
            notes=(*self._notes(channels, record.has_world), *_removed(marked, cleaned, record)),
            provenance=self._provenance(),
        )

    def _clean_up_rule(self, stack: SliceStack) -> CleanUp | None:
        """The card's; none on a kind of image that it was not chosen on, where it may remove
        tumour."""
        rule, known = self.card.clean_up, self.card.validation
        if rule is None or known is None or not known.kinds:
            return rule
        if all(known.of(skull_stripped=stripped) for stripped in (False, True)):
            return rule
        return rule if known.of(skull_stripped=is_skull_stripped(stack)) else None

    def _notes(self, channels: InputChannels, has_world: bool) -> tuple[str, ...]:
        notes = []
        if channels.missing:
            notes.append(f"predicted without {' and '.join(channels.missing)}")
        if self.card.synthetic:
            notes.append("the model was trained on synthetic data: use it for tests only")
        if not has_world:
            notes.append("the images have no voxel size: sizes are in voxels")
        if self.note:
            notes.append(self.note)
        return tuple(notes)

    def _provenance(self) -> MappingProxyType[str, object]:
        card = self.card
        return MappingProxyType(
            {
                "model": card.name,
                "weights_sha256": card.weights_sha256,
                "model_created_by": card.created_by,
                "trained_on": card.trained_on,
                "licence": card.licence,
                "threshold": card.threshold,
                "engine": self.engine.name,
            }
        )


def _slices(volume: Volume, control: Control) -> SliceStack:
    try:
        return to_slices(volume, control.check)
    except ValueError as problem:
        raise CaseError(str(problem)) from None


def _removed(before: LabelArray, after: LabelArray, record: StackRecord) -> tuple[str, ...]:
    count = int((before > 0).sum() - (after > 0).sum())
    if not count:
        return ()
    ml = count * record.voxel_ml
    amount = (
        (f"{ml:.1f} ml" if ml >= 0.05 else "less than 0.05 ml")
        if record.has_world
        else f"{count} voxels"
    )
    return (f"removed {amount} of fragments separate from the main tumour",)


def check_usable(card: ModelCard) -> None:
    """Refuse a model that this version can't run.

    Raises:
        ModelError: the model was made with another preprocessing than ours, or for regions that
            are not known.
    """
    version = card.preprocess.get("version")
    if version != VERSION:
        raise ModelError(
            f"the model {card.name} was trained with another preprocessing",
            field="preprocess.version",
            found=version,
            allowed=str(VERSION),
            hint="train it again",
        )
    unknown = [region for region in card.regions if region not in REGIONS]
    if unknown:
        known = ", ".join(REGIONS)
        raise ModelError("unknown region", field="regions", found=unknown[0], allowed=known)


def load_predictor(
    model: str | Path | None = None,
    device: Device = "auto",
    engine: EngineName = "auto",
    threads: int | None = None,
    card: ModelCard | None = None,
) -> Predictor:
    """Load a model; see ``open_engine``.

    The licence of an included model is logged at its first use (``nets.licence_notice``).

    Args:
        model: a run folder, or the name of an included or added model; see ``find_model``.
        device: device to compute on.
        engine: library that runs the network.
        threads: of a compiled engine.
        card: of the model, if it has been read already.

    Raises:
        ModelError: no such model, a damaged card or weights, or another preprocessing than ours.
        MachineError: ``device`` or ``engine`` can't be used.
    """
    folder = find_model(model)
    opened = open_engine(folder, engine, device, threads, card)
    announce_licence(folder, opened.card)
    return Predictor(opened.engine, opened.card, opened.note)
