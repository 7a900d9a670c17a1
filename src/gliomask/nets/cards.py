"""The model card: what a network was trained for, and all that prediction must know about it.

It stands beside the weights as ``card.json``, so that a model can't be used on other sequences, at
another size or with another preprocessing than its own. Nothing here needs torch: a listing of
models, or an engine that runs exported weights, reads cards as well.
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
from gliomask.core.atomic import write_text
from gliomask.errors import ConfigError, ModelError, nearest
from gliomask.nets.entries import count_entries
from gliomask.nets.measures import CleanUp, TrainingData, ValidationFacts
from gliomask.nets.old_cards import current_keys
from gliomask.nets.specs import TORCH_EPSILON, find_spec

CARD_FILE: Final = "card.json"
FORMAT_VERSION: Final = 1
MAX_CARD_BYTES: Final = 1 << 20
"""A card is text for people; anything larger than 1 MiB is something else."""
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


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("names that differ from each other")
    return names


def _finite(values: dict[str, JsonValue]) -> dict[str, JsonValue]:
    try:
        json.dumps(values, allow_nan=False)
    except ValueError:
        raise ValueError("finite numbers") from None
    return values


def _positive(chance: JsonValue) -> bool:
    return isinstance(chance, int | float) and chance > 0


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._+-]{0,63}$")]
"""Short and printable, and neither a path nor markup, because it is shown and put in file names."""
Names = Annotated[tuple[Name, ...], Field(min_length=1, max_length=64), AfterValidator(_distinct)]
PlainValues = Annotated[dict[str, JsonValue], AfterValidator(_finite)]
"""JSON values under names; no NaN or infinity, which JSON does not have."""


class ModelCard(BaseModel):
    """All that is known about a trained network besides its weights."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )

    format_version: Literal[1] = FORMAT_VERSION
    """Of the card itself."""
    name: Name
    """Of the model, for people."""
    network: Annotated[str, AfterValidator(_known_network)]
    """Name of the spec that the weights belong to."""
    in_channels: Annotated[int, Field(ge=1, le=64)]
    """Channels that the network reads."""
    norm_epsilon: Annotated[float, Field(gt=0, le=0.1)] = TORCH_EPSILON
    """Added to the variances of the batch norms; weights from Keras have 1e-3."""
    regions: Names
    """What each output channel marks, in order."""
    sequences: Names
    """MRI sequences that the model was trained on; if stacked, those of the channels in order."""
    input_mode: Literal["stacked", "each"] = "stacked"
    """``stacked``: a channel per sequence. ``each``: one channel, run on each sequence given."""
    sequence_dropout: bool = False
    """Whether it was trained with sequences left out, so that a subset may be given."""
    size: Annotated[int, Field(ge=16, le=4096)]
    """Side of the network's square input in pixels."""
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Probability from which a pixel belongs to a region."""
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """The logits of the final maps are divided by it (Guo et al., ICML 2017); 1 changes nothing."""
    mirrored: bool = False
    """Whether its probabilities are the mean over a slice and its mirror images (``flips``)."""
    clean_up: CleanUp | None = None
    """Which fragments are removed from a mask; None keeps them all."""
    preprocess: PlainValues
    """Version and parameters of the preprocessing in training."""
    synthetic: bool
    """Whether it was trained on a phantom; such a model is for trying things out."""
    trained_on: str
    """The data, in words."""
    patients: tuple[str, ...] = ()
    """Whom the weights were fitted to, as the store names them; those of the model that the
    training began with too. Empty if that is not known."""
    chosen_on: tuple[str, ...] = ()
    """Validation patients, on which the kept epoch was selected, likewise."""
    licence: str
    """Of the weights."""
    weights_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """Of the file of weights; None until they are saved."""
    created_by: str = Field(default_factory=_creator)
    """The program and its version."""
    recipe: PlainValues = Field(default_factory=dict)
    """What the training depended on: options, seed, sources of the first weights."""
    metrics: PlainValues = Field(default_factory=dict)
    """What was measured, and on what. Where the model was evaluated, ``accuracy`` holds the figures
    of its first region: ``part`` (of the patients), ``dice`` with ``mean``, ``ci95``, ``n``."""
    training_data: TrainingData | None = None
    """Facts about the training data; None if that was not measured."""
    validation: ValidationFacts | None = None
    """Facts for comparison with new cases; None if that was not measured."""
    notes: str = ""
    """Anything else that a user should know."""

    @property
    def flips(self) -> tuple[int, ...]:
        """The axes of a slice that it was trained to see mirrored: ``ROWS``, ``COLUMNS``.

        Another model is not shown mirrored slices, for it never learned what to say of them.
        """
        augment = self.recipe.get("augment")
        chances = augment if isinstance(augment, dict) else {}
        switches = ((COLUMNS, "flip_horizontal"), (ROWS, "flip_vertical"))
        return tuple(axis for axis, name in switches if _positive(chances.get(name)))

    @property
    def parameters(self) -> int:
        """Numbers that the network learned."""
        return count_entries(find_spec(self.network), self.in_channels, len(self.regions))

    def with_threshold(self, threshold: float) -> ModelCard:
        """The card for use at another threshold; what was measured of volumes at its own goes."""
        changes: dict[str, object] = {"threshold": threshold}
        if self.validation and threshold != self.threshold:
            changes["validation"] = self.validation.without_volumes()
        return self.model_copy(update=changes)

    def keeping_all(self) -> ModelCard:
        """The card for use without clean-up; what was measured of volumes with it goes."""
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
    """The card as indented JSON (UTF-8, ends with a newline), as it stands in ``card.json``."""
    return json.dumps(card.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def write_card(path: Path, card: ModelCard) -> None:
    """Writes the card to ``path``, whole or not at all."""
    write_text(path, card_text(card))


def read_card(path: Path) -> ModelCard:
    """Reads a card.

    Args:
        path: the JSON file; at most ``MAX_CARD_BYTES`` of it are read.

    Raises:
        ModelError: no such file, too large, not JSON, another version of the format, an unknown
            key (the nearest is named), a missing key, a value that is not allowed.
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
        raise ModelError(f"larger than a model card may be ({MAX_CARD_BYTES} bytes)", path=path)
    return text


def _keys(path: Path, text: bytes) -> dict[str, Any]:
    """The keys, of a card whose version is ours: those of another one would only confuse."""
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
            hint="use the gliomask that wrote it, or a newer one",
        )
    return keys


def _explain(path: Path, problems: ValidationError) -> NoReturn:
    """The first problem as one line; an unknown key first, since it explains a missing one."""
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
