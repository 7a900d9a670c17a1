"""A U²-Net written in Keras by itself, as a reference for what is read from Keras files.

It shares nothing with ``gliomask.nets`` but the table of widths: the topology is written down again
from the paper, in Keras' own layers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gliomask.nets.specs import RSUSpec, find_spec


@dataclass(frozen=True)
class Style:
    """How a port is written.

    Attributes:
        skip_first: concatenations put the skip connection before the upsampled map.
        interpolation: of the upsampling layers.
        bias: whether the convolutions before a batch norm have one.
        sides: the order in which the side outputs are made.
        epsilon: of the batch norms; None leaves it to Keras.
        nested: each block's convolution, norm and ReLU are a model of their own.
    """

    skip_first: bool = False
    interpolation: str = "bilinear"
    bias: bool = True
    sides: tuple[int, ...] = (1, 2, 3, 4, 5, 6)
    epsilon: float | None = None
    nested: bool = False


class KerasU2Net:
    """Builds the functional model; ``keras`` is the module, given so that this file imports it
    nowhere."""

    def __init__(self, keras: Any, style: Style) -> None:
        self._layers, self._keras, self._style = keras.layers, keras, style

    def build(self, name: str, channels: int, regions: int, size: int | None) -> Any:
        """The model with seven sigmoid outputs, the fused one first."""
        spec, layers = find_spec(name), self._layers
        x = self._keras.Input((size, size, channels))
        down = [self._block(x, spec.encoder[0])]
        for block in spec.encoder[1:]:
            down.append(self._block(layers.MaxPooling2D((2, 2))(down[-1]), block))
        stages = [(down.pop(), 5)]
        for level, block in zip(range(4, -1, -1), spec.decoder, strict=True):
            joined = self._join(self._up(stages[0][0], 2), down.pop())
            stages.insert(0, (self._block(joined, block), level))
        maps: dict[int, Any] = {}
        for side in self._style.sides:
            stage, level = stages[side - 1]
            found = layers.Conv2D(regions, 3, padding="same")(stage)
            maps[side] = self._up(found, 2**level) if level else found
        ordered = [maps[k] for k in range(1, 7)]
        fused = layers.Conv2D(regions, 1)(layers.Concatenate()(ordered))
        outputs = [layers.Activation("sigmoid")(one) for one in (fused, *ordered)]
        return self._keras.Model(x, outputs)

    def _block(self, x: Any, spec: RSUSpec) -> Any:
        whole = self._unit(x, spec.out, 1)
        down = [self._unit(whole, spec.mid, 1)]
        for level in range(2, spec.height + 1):
            last = level == spec.height
            below = down[-1]
            if not spec.dilated and not last:
                below = self._layers.MaxPooling2D((2, 2))(below)
            dilation = 2 ** (level - 1) if spec.dilated else (2 if last else 1)
            down.append(self._unit(below, spec.mid, dilation))
        up = down.pop()
        for level in range(spec.height - 1, 0, -1):
            beside = down.pop()
            if not spec.dilated and level < spec.height - 1:
                up = self._up(up, 2)
            width = spec.out if level == 1 else spec.mid
            up = self._unit(self._join(up, beside), width, 2 ** (level - 1) if spec.dilated else 1)
        return self._layers.Add()([up, whole])

    def _unit(self, x: Any, width: int, dilation: int) -> Any:
        if self._style.nested:
            inner = self._keras.Input(x.shape[1:])
            return self._keras.Model(inner, self._plain_unit(inner, width, dilation))(x)
        return self._plain_unit(x, width, dilation)

    def _plain_unit(self, x: Any, width: int, dilation: int) -> Any:
        layers, style = self._layers, self._style
        how = {} if style.epsilon is None else {"epsilon": style.epsilon}
        made = layers.Conv2D(width, 3, padding="same", dilation_rate=dilation, use_bias=style.bias)(
            x
        )
        return layers.ReLU()(layers.BatchNormalization(**how)(made))

    def _up(self, x: Any, factor: int) -> Any:
        return self._layers.UpSampling2D(factor, interpolation=self._style.interpolation)(x)

    def _join(self, up: Any, skip: Any) -> Any:
        pair = [skip, up] if self._style.skip_first else [up, skip]
        return self._layers.Concatenate()(pair)


def fill(model: Any, seed: int = 0) -> None:
    """Weights none of which is a first value, small enough that no sigmoid saturates."""
    draw = np.random.default_rng(seed)
    rules: tuple[tuple[str, Callable[[tuple[int, ...]], Any]], ...] = (
        ("kernel", lambda s: draw.normal(0, np.sqrt(2 / np.prod(s[:-1])), s)),
        ("gamma", lambda s: draw.uniform(0.15, 0.45, s)),
        ("moving_variance", lambda s: draw.uniform(0.02, 1, s)),
        ("", lambda s: draw.normal(0, 0.1, s)),
    )
    for weight in model.weights:
        rule = next(rule for part, rule in rules if part in weight.path.split("/")[-1])
        weight.assign(rule(tuple(weight.shape)).astype(np.float32))
