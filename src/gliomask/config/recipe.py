"""Recipe of a training: all settings except the data, as nested frozen models.

Recipe files and the record of a run have these keys. An unknown key is an error that names the
nearest known one.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, Field, model_validator

from gliomask.config.base import Options, build, distinct
from gliomask.errors import ConfigError, nearest

RegionName = Literal["whole", "core", "enhancing"]
"""A key of ``core.regions.REGIONS``."""
_MAX_RECIPE_BYTES = 1_000_000


class InputOptions(Options):
    """Input of the network."""

    size: Annotated[int, Field(ge=16, le=1024)] = 128
    """Side of the square input in pixels."""
    mode: Literal["stacked", "each"] = "stacked"
    """``stacked``: one channel for each sequence. ``each``: each sequence is a sample with one
    channel."""
    sequences: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(distinct)] | None = (
        None
    )
    """Sequences of the store to use (default: all)."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Probability of dropping a sequence of a stacked sample (at least one is kept)."""


class SamplingOptions(Options):
    """Sampling of the slices of an epoch."""

    tumour_share: Annotated[float, Field(gt=0, le=1)] | None = None
    """Fraction of slices with tumour in an epoch; with None, every slice is used once."""
    slices: Annotated[int, Field(gt=0, le=100_000_000)] | None = None
    """Number of slices in an epoch; None is the number of slices in the training set."""
    patient_weights: dict[str, Annotated[float, Field(gt=0)]] | None = None
    """Weights for sampling by patient: every patient is drawn equally often, times the weight of
    the patient's data set (by the name of its layout; 1 if not listed). With None, every slice is
    drawn equally often."""


class AugmentOptions(Options):
    """Data augmentation. Each transform is drawn independently for each sample."""

    flip_horizontal: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Probability of a left-right flip."""
    flip_vertical: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Probability of a front-back flip."""
    affine: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Probability of an affine transform: rotation, scaling, shear and translation."""
    rotate_deg: Annotated[float, Field(ge=0, le=180)] = 15.0
    """Maximum rotation."""
    scale: Annotated[float, Field(ge=0, lt=1)] = 0.15
    """Maximum relative change of size."""
    shear: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Maximum shear."""
    shift: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Maximum translation, as a fraction of the side."""
    elastic: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Probability of a smooth random elastic deformation."""
    elastic_px: Annotated[float, Field(ge=0)] = 6.0
    """Standard deviation of the elastic displacement, in pixels of a 256² image."""
    gamma: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Probability of a gamma transform."""
    brightness: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Probability of scaling and shifting the intensities of each sequence."""
    bias_field: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Probability of a simulated bias field."""
    noise: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Probability of added noise."""
    blur: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Probability of a lower resolution."""
    thick: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Probability of simulating a thicker slice, with up to a quarter of each neighbouring
    slice."""


class LossOptions(Options):
    """Loss function: the weights of its terms."""

    dice: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the soft Dice loss."""
    bce: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the binary cross-entropy."""
    sides: Annotated[float, Field(ge=0)] = 1.0
    """Weight of each of the six side outputs, relative to 1 for the fused output (deep
    supervision)."""
    dice_over: Literal["batch", "sample"] = "batch"
    """Dice of the whole batch, or mean Dice of its slices."""
    missed: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Weight of false negatives in the Dice term, with 1 minus this for false positives: the
    Tversky index; 0.5 is Dice."""
    focus: Annotated[float, Field(gt=0, le=4)] = 1.0
    """Exponent of the Dice term; below 1, nearly correct batches keep a larger gradient (focal
    Tversky)."""
    teacher: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Weight of a teacher model's predictions in the training target (distillation)."""

    @model_validator(mode="after")
    def _any_term(self) -> Self:
        if not self.dice and not self.bce:
            raise ValueError("dice or bce above 0")
        return self


class OptimiserOptions(Options):
    """Optimiser and learning rate."""

    name: Literal["adam", "adamw"] = "adamw"
    """Optimiser."""
    lr: Annotated[float, Field(gt=0)] = 1e-3
    """Learning rate (the maximum, with a schedule)."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """Weight decay (decoupled for adamw)."""
    schedule: Literal["constant", "cosine"] = "cosine"
    """Schedule of the learning rate: ``cosine`` decays from ``lr`` to nearly 0 after the
    warm-up."""
    warmup_epochs: Annotated[float, Field(ge=0)] = 1.0
    """Number of warm-up epochs, in which the learning rate rises from 0 (cosine only)."""
    clip: Annotated[float, Field(gt=0)] | None = None
    """Maximum norm of the gradient (clipping)."""


class Recipe(Options):
    """Settings of a training: the same recipe and store give the same weights."""

    name: Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,100}$")] = "custom"
    """Description."""
    network: str = "u2netp"
    """Name of the network, see ``gliomask models``."""
    regions: Annotated[tuple[RegionName, ...], Field(min_length=1), AfterValidator(distinct)] = (
        "whole",
    )
    """Regions to segment, one output channel each."""
    input: InputOptions = InputOptions()
    """Input of the network."""
    sampling: SamplingOptions = SamplingOptions()
    """Sampling of the slices of an epoch."""
    augment: AugmentOptions = AugmentOptions()
    """Data augmentation."""
    loss: LossOptions = LossOptions()
    """Loss function."""
    optimiser: OptimiserOptions = OptimiserOptions()
    """Optimiser and learning rate."""
    epochs: Annotated[int, Field(ge=1)] = 100
    """Number of epochs."""
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 8
    """Batch size in slices, over all devices together."""
    keep: Literal["best", "last"] = "best"
    """Epoch to keep: the best on the validation patients, or the last. With few validation patients
    the choice of the best epoch is largely random, and with a cosine schedule the last epoch is
    good."""
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Decay of the moving average of the weights (EMA); if set, the average is evaluated and
    kept."""
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"] = "auto"
    """``auto`` is bf16-mixed on GPUs and processors with bfloat16 instructions, and 32-true
    elsewhere."""
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Probability threshold for tumour."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Random seed."""


def recipe_names() -> list[str]:
    """Names of the recipes in the package."""
    folder = resources.files("gliomask.learning") / "recipes"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir())


def load_recipe(name_or_path: str, changes: tuple[str, ...] = ()) -> Recipe:
    """Load a recipe of the package, or one from a YAML file, and apply changes.

    Args:
        name_or_path: a name (see ``recipe_names``) or the path of a ``.yaml`` file.
        changes: ``key=value`` with dots for nested keys and a YAML value, e.g.
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


class _Loader(yaml.SafeLoader):
    """Refuses keys that occur twice: YAML would take the last one."""

    def compose_mapping_node(self, anchor: dict[Any, yaml.Node]) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        keys: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if (key.tag, key.value) in keys:
                what = f"the key {key.value!r} occurs twice"
                raise yaml.composer.ComposerError(None, None, what, key.start_mark)
            keys.add((key.tag, key.value))
        return node


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        keys = yaml.load(text, _Loader)  # noqa: S506 (it is a safe loader)
    except RecursionError:
        raise ConfigError("not YAML: too deeply nested", path=source) from None
    except (yaml.YAMLError, ValueError, AttributeError, LookupError) as problem:  # of tags too
        raise ConfigError(f"not YAML: {problem}", path=source) from None
    if keys is None:
        return {}
    if not isinstance(keys, dict):
        raise ConfigError("not a mapping of keys to values", path=source)
    return keys


def _change(keys: dict[str, Any], change: str) -> None:
    name, equals, value = change.partition("=")
    if not equals or not name:
        raise ConfigError(f"{change!r} is not key=value", option="changes", found=change)
    *groups, last = name.split(".")
    for group in groups:
        if keys.get(group) is None:
            keys[group] = {}
        inner = keys[group]
        if not isinstance(inner, dict):
            raise ConfigError(f"{group!r} has no keys below it", option="changes", found=change)
        keys = inner
    keys[last] = _parse(f"value: {value}", f"in {change!r}")["value"]
