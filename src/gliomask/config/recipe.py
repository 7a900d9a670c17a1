"""A recipe: all that a training depends on besides its data, as one tree of frozen models.

The keys of a recipe file and what a run records are this. An unknown key is an error that names
the nearest known one.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from gliomask.config.base import Options, build
from gliomask.errors import ConfigError, nearest

RegionName = Literal["whole", "core", "enhancing"]
"""A key of ``core.regions.REGIONS``."""
_MAX_RECIPE_BYTES = 1_000_000


class InputOptions(Options):
    """Input of the network."""

    size: Annotated[int, Field(ge=16, le=1024)] = 128
    """Side of the square input in pixels."""
    mode: Literal["stacked", "each"] = "stacked"
    """``stacked``: a channel per sequence. ``each``: every sequence is a one-channel sample."""
    sequences: tuple[str, ...] | None = None
    """Which of the store's sequences to use; all of them if it is not given."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Chance that a sequence of a stacked sample is left out (one always stays)."""


class SamplingOptions(Options):
    """Sampling of the slices of an epoch."""

    tumour_share: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of an epoch's slices that hold tumour; None takes every slice once."""
    slices: Annotated[int, Field(gt=0)] | None = None
    """Slices in an epoch; None takes as many as there are."""
    patient_weights: dict[str, Annotated[float, Field(gt=0)]] | None = None
    """Draws every patient equally often instead of every slice, times the weight of the patient's
    data set (its layout's name, 1 if it is not named); None draws every slice equally often."""


class AugmentOptions(Options):
    """Data augmentation. Each transform is drawn independently for each sample."""

    flip_horizontal: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Chance of left becoming right."""
    flip_vertical: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Chance of front becoming back."""
    affine: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Chance of turning, scaling, shearing and shifting the slice."""
    rotate_deg: Annotated[float, Field(ge=0, le=180)] = 15.0
    """Largest turn."""
    scale: Annotated[float, Field(ge=0, lt=1)] = 0.15
    """Largest relative change of size."""
    shear: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Largest shear."""
    shift: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Largest shift, as a share of the side."""
    elastic: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Chance of a smooth random warp."""
    elastic_px: Annotated[float, Field(ge=0)] = 6.0
    """Standard deviation of the warp's displacement, in pixels at 256 pixels a side."""
    gamma: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Chance of another contrast curve."""
    brightness: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Chance of scaling and shifting each sequence's intensities."""
    bias_field: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Chance of a smooth shading, as of a coil."""
    noise: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Chance of added noise."""
    blur: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Chance of a lower resolution."""
    thick: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Chance of simulating a thicker slice: up to a quarter of each neighbour in it."""


class LossOptions(Options):
    """Loss function: the weights of its terms."""

    dice: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the soft Dice loss."""
    bce: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the binary cross-entropy."""
    sides: Annotated[float, Field(ge=0)] = 1.0
    """Weight of each of the six side maps beside the fused map's 1 (deep supervision)."""
    dice_over: Literal["batch", "sample"] = "batch"
    """Dice of the whole batch together, or the mean over its slices."""
    missed: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """What missed tumour weighs in the Dice term, beside 1 minus it for false tumour: the Tversky
    index; 0.5 is Dice."""
    focus: Annotated[float, Field(gt=0, le=4)] = 1.0
    """Exponent of the Dice term; below 1 it keeps pulling where little is wrong (focal Tversky)."""
    teacher: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the target taken from the predictions of a teacher model: distillation."""


class OptimiserOptions(Options):
    """Optimiser and learning rate."""

    name: Literal["adam", "adamw"] = "adamw"
    """The method."""
    lr: Annotated[float, Field(gt=0)] = 1e-3
    """Learning rate (the highest one, with a schedule)."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """Decay of the weights at each step (decoupled, for adamw)."""
    schedule: Literal["constant", "cosine"] = "cosine"
    """``cosine`` falls from ``lr`` to nearly 0 over the whole run, after the warm-up."""
    warmup_epochs: Annotated[float, Field(ge=0)] = 1.0
    """Epochs over which the rate rises from 0 (cosine only)."""
    clip: Annotated[float, Field(gt=0)] | None = None
    """Largest norm of the gradient."""


class Recipe(Options):
    """All that a training depends on besides its data: same recipe and store, same weights."""

    name: str = "custom"
    """For people."""
    network: str = "u2netp"
    """Name of the network, see ``gliomask models``."""
    regions: Annotated[tuple[RegionName, ...], Field(min_length=1)] = ("whole",)
    """One output channel for each."""
    input: InputOptions = InputOptions()
    """What the network sees."""
    sampling: SamplingOptions = SamplingOptions()
    """Which slices an epoch is made of."""
    augment: AugmentOptions = AugmentOptions()
    """How they are changed."""
    loss: LossOptions = LossOptions()
    """What is made small."""
    optimiser: OptimiserOptions = OptimiserOptions()
    """How the weights move."""
    epochs: Annotated[int, Field(ge=1)] = 100
    """Passes over the data."""
    batch_size: Annotated[int, Field(ge=1)] = 8
    """Slices in a step, over all devices together."""
    keep: Literal["best", "last"] = "best"
    """Which epoch's network is kept: the best by the validation, or the last. Of few validation
    patients the best is half chance, and a rate that falls to nearly 0 ends at a good one."""
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Decay of the moving average of the weights, which is then what is evaluated and kept."""
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"] = "auto"
    """``auto`` is bf16-mixed on a GPU or a processor that has it and 32-true elsewhere."""
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Probability from which a pixel is tumour."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of everything random."""


def recipe_names() -> list[str]:
    """The recipes that come with the package."""
    folder = resources.files("gliomask.learning") / "recipes"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir())


def load_recipe(name_or_path: str, changes: tuple[str, ...] = ()) -> Recipe:
    """A recipe of the package by its name, or one from a YAML file, with changes made to it.

    Args:
        name_or_path: a name (see ``recipe_names``) or the path of a ``.yaml`` file.
        changes: ``key=value`` with dots for nested keys and YAML for the value, e.g.
            ``optimiser.lr=0.0003``; later ones win.

    Raises:
        ConfigError: no such recipe, an unknown key (the nearest is named), a value out of range.
    """
    if name_or_path in recipe_names():
        source = resources.files("gliomask.learning") / "recipes" / f"{name_or_path}.yaml"
        keys = _parse(source.read_text(encoding="utf-8"), name_or_path)
    else:
        keys = _parse(_read(name_or_path), name_or_path)
    for change in changes:
        _change(keys, change)
    return build(Recipe, keys, name_or_path)


def _read(path: str) -> str:
    file = Path(path)
    if not file.is_file():
        known = ", ".join(recipe_names())
        hint = nearest(path, recipe_names()) or "or give the path of a YAML file"
        raise ConfigError("no such recipe", path=path, hint=f"recipes: {known}; {hint}")
    if file.stat().st_size > _MAX_RECIPE_BYTES:
        raise ConfigError("too large for a recipe", path=path)
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError("not a text file", path=path) from None


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        keys = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        raise ConfigError(f"not YAML: {problem}", path=source) from None
    if not isinstance(keys, dict):
        raise ConfigError("not a mapping of keys to values", path=source)
    return keys


def _change(keys: dict[str, Any], change: str) -> None:
    name, equals, value = change.partition("=")
    if not equals or not name:
        raise ConfigError(f"{change!r} is not key=value", option="changes", found=change)
    *groups, last = name.split(".")
    for group in groups:
        inner = keys.setdefault(group, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{group!r} has no keys below it", option="changes", found=change)
        keys = inner
    keys[last] = _parse(f"value: {value}", f"in {change!r}")["value"]
