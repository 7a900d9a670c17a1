"""Model card: properties of a trained network that prediction needs, and its documentation.

It is stored next to the weights as ``card.json``, so that a model can't be used with other
sequences, another size or another preprocessing. This module does not need torch.
"""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NoReturn, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from gliomask.config import allowed
from gliomask.config.base import distinct
from gliomask.core.atomic import write_text
from gliomask.core.geometry import Plane
from gliomask.errors import ConfigError, ModelError, nearest
from gliomask.nets.entries import count_entries
from gliomask.nets.measures import CleanUp, TrainingData, ValidationFacts
from gliomask.nets.old_cards import current_keys
from gliomask.nets.specs import TORCH_EPSILON, find_spec

CARD_FILE: Final = "card.json"
FORMAT_VERSION: Final = 1
MAX_CARD_BYTES: Final = 1 << 20
"""Maximum size of a card."""
ROWS: Final = -2
COLUMNS: Final = -1
"""Axes of a slice."""


def _creator() -> str:
    return f"gliomask {metadata.version('gliomask')}"


def _known_network(name: str) -> str:
    try:
        return find_spec(name).name
    except ConfigError as error:
        raise ValueError(str(error)) from None


def _finite(values: dict[str, JsonValue]) -> dict[str, JsonValue]:
    try:
        json.dumps(values, allow_nan=False)
    except ValueError:
        raise ValueError("finite numbers") from None
    return values


def _positive(chance: JsonValue) -> bool:
    return isinstance(chance, int | float) and chance > 0


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._+-]{0,63}$")]
"""Short printable name without path separators or markup, because it is used in file names."""
Names = Annotated[tuple[Name, ...], Field(min_length=1, max_length=64), AfterValidator(distinct)]
PlainValues = Annotated[dict[str, JsonValue], AfterValidator(_finite)]
"""JSON values by name, without NaN or infinity."""

CLOSE_MM: Final = 3.0
"""Largest distance of slices that are combined; at 4 mm single patients lose."""
HEAD_MM: Final = 80.0
"""Smallest height of a stack whose slices are combined. If the slices of a head seem to reach over
less, the file probably does not state their true distance: some state 1 mm for slices of 5 mm."""
SLICE_SMOOTHING_MM: Final = 1.5
"""``ModelCard.slice_smoothing_mm`` of newly trained models. Held-out patients have about the same
Dice from 1 to 2 mm (docs/explanation/accuracy.md)."""

AXIAL: Final[tuple[Plane, ...]] = ("axial",)
COMBINED: Final[tuple[Plane, ...]] = ("axial", "coronal", "sagittal")
"""``ModelCard.planes`` of models that were trained on slices of all planes."""


class ModelCard(BaseModel):
    """Model card of a trained network."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )

    format_version: Literal[1] = FORMAT_VERSION
    """Version of the card format."""
    name: Name
    """Name of the model."""
    network: Annotated[str, AfterValidator(_known_network)]
    """Name of the network specification."""
    in_channels: Annotated[int, Field(ge=1, le=64)]
    """Number of input channels."""
    norm_epsilon: Annotated[float, Field(gt=0, le=0.1)] = TORCH_EPSILON
    """Added to the variances of the batch norms; weights from Keras have 1e-3."""
    regions: Names
    """Regions of the output channels, in order."""
    sequences: Names
    """MRI sequences that the model was trained on; if stacked, those of the channels in order."""
    input_mode: Literal["stacked", "each"] = "stacked"
    """``stacked``: one channel per sequence. ``each``: one channel, run on each given sequence."""
    sequence_dropout: bool = False
    """Whether it was trained with sequence dropout, so that a subset of sequences may be given."""
    size: Annotated[int, Field(ge=16, le=4096)]
    """Side of the network's square input in pixels."""
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Probability threshold."""
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """Temperature: divisor of the logits of the final maps (Guo et al., ICML 2017); 1 has no
    effect."""
    mirrored: bool = False
    """Whether flip test-time augmentation is used (``flips``)."""
    slice_smoothing_mm: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Standard deviation of the Gaussian across slices that are at most ``CLOSE_MM`` apart, see
    ``inference.through_slices``; 0 has no effect."""
    planes: Annotated[tuple[Plane, ...], AfterValidator(distinct), Field(min_length=1)] = AXIAL
    """Planes of the slices that are combined where voxels are small, see ``inference.planes``."""
    clean_up: CleanUp | None = None
    """Rule for the removal of fragments; None keeps all."""
    preprocess: PlainValues
    """Version and parameters of the preprocessing in training."""
    synthetic: bool
    """Whether it was trained on synthetic data; such a model is for tests only."""
    trained_on: str
    """Description of the training data."""
    patients: tuple[str, ...] = ()
    """Training patients, with their keys in the store, including those of the initial weights.
    Empty if unknown."""
    validation_patients: tuple[str, ...] = ()
    """Validation patients, on which the epoch was selected, likewise."""
    licence: str
    """Licence of the weights."""
    weights_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """SHA-256 of the weight file; None until it is saved."""
    created_by: str = Field(default_factory=_creator)
    """Program and version that wrote the weights."""
    recipe: PlainValues = Field(default_factory=dict)
    """Settings of the training: options, seed, source of the initial weights."""
    metrics: PlainValues = Field(default_factory=dict)
    """Measured values. If the model was evaluated, ``accuracy`` contains the results of its first
    region: ``part`` (of the patients), ``dice`` with ``mean``, ``ci95``, ``n``."""
    training_data: TrainingData | None = None
    """Properties of the training data; None if not measured."""
    validation: ValidationFacts | None = None
    """Results of held-out patients, for comparison with new cases; None if not measured."""
    notes: str = ""
    """Notes for users."""

    @property
    def flips(self) -> tuple[int, ...]:
        """Axes of the flips in its training augmentation: ``ROWS``, ``COLUMNS``.

        Other models are not used with flipped slices, because they were not trained on them.
        """
        augment = self.recipe.get("augment")
        chances = augment if isinstance(augment, dict) else {}
        switches = ((COLUMNS, "flip_horizontal"), (ROWS, "flip_vertical"))
        return tuple(axis for axis, name in switches if _positive(chances.get(name)))

    @property
    def parameters(self) -> int:
        """Number of trainable parameters."""
        return count_entries(find_spec(self.network), self.in_channels, len(self.regions))

    def with_threshold(self, threshold: float) -> ModelCard:
        """Card for another threshold, without the measurements of volumes at its own."""
        changes: dict[str, object] = {"threshold": threshold}
        if self.validation and threshold != self.threshold:
            changes["validation"] = self.validation.without_volumes()
        return self.model_copy(update=changes)

    def keeping_all(self) -> ModelCard:
        """Card without clean-up, and without the measurements of volumes with it."""
        if self.clean_up is None:
            return self
        facts = self.validation.without_volumes() if self.validation else None
        return self.model_copy(update={"clean_up": None, "validation": facts})

    @model_validator(mode="after")
    def _channels_fit(self) -> Self:
        channels = len(self.sequences) if self.input_mode == "stacked" else 1
        if self.in_channels != channels:
            raise ValueError(
                f"in_channels = {channels} for {len(self.sequences)} sequences "
                f"and input_mode {self.input_mode!r}"
            )
        if self.mirrored and not self.flips:
            raise ValueError("mirrored, of a model that was trained without flips")
        return self


def card_text(card: ModelCard) -> str:
    """The card as indented JSON (UTF-8, with a final newline), as in ``card.json``."""
    return json.dumps(card.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def write_card(path: Path, card: ModelCard) -> None:
    """Write the card to ``path`` atomically."""
    write_text(path, card_text(card))


def read_card(path: Path) -> ModelCard:
    """Read a card.

    Args:
        path: the JSON file; at most ``MAX_CARD_BYTES`` of it are read.

    Raises:
        ModelError: the file does not exist, is too large, not JSON, or of another version; an
            unknown key (the nearest is named), a missing key, or an invalid value.
    """
    keys = _keys(path, _read_bounded(path))
    try:
        return ModelCard.model_validate_json(json.dumps(current_keys(keys)))
    except ValidationError as problems:
        _explain(path, problems)


def _read_bounded(path: Path) -> bytes:
    if not path.is_file():
        raise ModelError(
            "there is no model card",
            path=path,
            hint="name a run folder, or a model that `gliomask models` lists",
        )
    with path.open("rb") as file:
        text = file.read(MAX_CARD_BYTES + 1)
    if len(text) > MAX_CARD_BYTES:
        raise ModelError(
            f"larger than the limit for model cards ({MAX_CARD_BYTES} bytes)", path=path
        )
    return text


def _keys(path: Path, text: bytes) -> dict[str, Any]:
    """Keys of a card of this version; others are refused."""
    try:
        keys = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"not JSON: {error}", path=path) from None
    if not isinstance(keys, dict):
        raise ModelError("not a model card: not a mapping of keys to values", path=path)
    version = keys.get("format_version")
    if version is not None and version != FORMAT_VERSION:
        raise ModelError(
            "a model card of another version",
            path=path,
            field="format_version",
            found=version,
            allowed=str(FORMAT_VERSION),
            hint="use the version of gliomask that wrote it, or a newer one",
        )
    return keys


def _explain(path: Path, problems: ValidationError) -> NoReturn:
    """Report the first problem in one line; unknown keys first, because they explain missing
    ones."""
    errors = problems.errors()
    problem = next((p for p in errors if p["type"] == "extra_forbidden"), errors[0])
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        hint = nearest(key, ModelCard.model_fields)
        raise ModelError(f"unknown key {key!r} in the model card", path=path, hint=hint)
    if problem["type"] == "missing":
        raise ModelError(f"the model card lacks the key {key!r}", path=path)
    if not key:
        raise ModelError(f"the model card contradicts itself: {allowed(problem)}", path=path)
    raise ModelError(
        "value not allowed in the model card",
        path=path,
        field=key,
        found=problem["input"],
        allowed=allowed(problem),
    )
