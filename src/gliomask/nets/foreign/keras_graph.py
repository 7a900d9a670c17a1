"""The graph of a Keras model from its configuration: JSON, read; no model is built.

Keras 2 lists the inputs of a layer as ``["conv2d", 0, 0, {}]``, Keras 3 as a mapping with a
``keras_history``; both name the layer, which of its calls and which output.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gliomask.errors import ModelError
from gliomask.nets.foreign.topology import (
    ADD,
    CONCATENATE,
    CONVOLUTION,
    IDENTITY,
    INPUT,
    NORM,
    POOL,
    RELU,
    RESIZE,
    SIGMOID,
    Operation,
    convolution_detail,
)

MAX_CONFIG_BYTES: Final = 16 << 20
"""The configuration of U²-Net has a quarter of a megabyte."""
_ACTIVATIONS: Final = {"relu": RELU, "sigmoid": SIGMOID, "linear": IDENTITY}
_DIFFERENT: Final = frozenset(
    {
        *("AveragePooling2D", "Conv1D", "Conv2DTranspose", "Conv3D", "Cropping2D", "Dense"),
        *("DepthwiseConv2D", "ELU", "Flatten", "GlobalAveragePooling2D", "GroupNormalization"),
        *("LayerNormalization", "LeakyReLU", "Maximum", "Multiply", "Average", "PReLU"),
        *("Normalization", "Permute", "Rescaling", "Reshape", "SeparableConv2D", "Softmax"),
        *("Subtract", "UnitNormalization", "ZeroPadding2D"),
    }
)
"""Layers of Keras that compute something which a U²-Net does not."""


class UnreadGraphError(Exception):
    """A graph contains something that can't be read from its configuration; the text names it."""


@dataclass(frozen=True)
class KerasGraph:
    """A model's graph.

    Attributes:
        operations: each behind those whose values it reads.
        size: side of its square input in pixels, where it has one.
    """

    operations: tuple[Operation, ...]
    size: int | None


def read_graph(path: Path, text: bytes | str) -> KerasGraph:
    """The graph of a model's configuration.

    Args:
        path: of the file, for the error.
        text: JSON, at most ``MAX_CONFIG_BYTES`` of it.

    Raises:
        ModelError: not the configuration of a Keras model.
        UnreadGraphError: a layer can't be read from it: code (Lambda), a model inside the model,
            a layer of the user's own.
    """
    try:
        model = json.loads(text)
        layers = model["config"]["layers"]
        return _graph(model["class_name"], layers)
    except UnreadGraphError:
        raise
    except (ValueError, RecursionError, KeyError, TypeError, IndexError, AttributeError) as problem:
        what = f"its model configuration can't be read: {type(problem).__name__}"
        raise ModelError(what, path=path) from None


def _graph(class_name: str, layers: Sequence[Mapping[str, Any]]) -> KerasGraph:
    if class_name not in ("Functional", "Model"):
        raise UnreadGraphError(f"a model of the class {class_name}")
    calls = {
        f"{layer['name']}:{k}": (layer, tuple(_sources(node)))
        for layer in layers
        for k, node in enumerate(layer["inbound_nodes"] or [[]])
    }
    operations = [op for name in _in_order(calls) for op in _operations(name, *calls[name])]
    shapes = [_input_shape(config) for config in layers if config["class_name"] == "InputLayer"]
    sides = {side for shape in shapes for side in shape[1:3]}
    size = sides.pop() if len(sides) == 1 else None
    return KerasGraph(tuple(operations), size if isinstance(size, int) else None)


def _input_shape(layer: Mapping[str, Any]) -> Sequence[object]:
    config = layer["config"]
    shape: Sequence[object] = config.get("batch_shape") or config["batch_input_shape"]
    return shape


def _sources(node: Any) -> Iterator[str]:
    """The values that one call of a layer reads, as ``layer:call``."""
    if isinstance(node, dict):  # Keras 3
        if isinstance(node.get("config"), dict) and "keras_history" in node["config"]:
            layer, call, _ = node["config"]["keras_history"]
            yield f"{layer}:{call}"
        else:
            for part in node.get("args", ()):
                yield from _sources(part)
    elif isinstance(node, list):
        if len(node) >= 3 and isinstance(node[0], str):  # Keras 2
            yield f"{node[0]}:{node[1]}"
        else:
            for part in node:
                yield from _sources(part)


def _in_order(calls: Mapping[str, tuple[Any, tuple[str, ...]]]) -> list[str]:
    """The calls, each behind those that it reads; without recursion, for a chain is long."""
    done: dict[str, bool] = {}
    for start in calls:
        stack = [start]
        while stack:
            name = stack[-1]
            waiting = [s for s in calls[name][1] if s in calls and s not in done]
            if not waiting:
                done[stack.pop()] = True
            elif len(stack) > len(calls):
                raise ValueError("a graph that reads itself")
            else:
                stack.extend(waiting[:1])
    return list(done)


def _operations(
    name: str, layer: Mapping[str, Any], inputs: tuple[str, ...]
) -> Iterator[Operation]:
    """Operations of one call of a layer, including a built-in activation."""
    kind, config = layer["class_name"], layer["config"]
    reader = _READERS.get(kind)
    if reader is None:
        if kind not in _DIFFERENT:
            raise UnreadGraphError(f"the layer {layer['name']!r} of the class {kind}")
        yield Operation(kind, layer["name"], inputs, name)
        return
    operation, detail = reader(config)
    inner = _ACTIVATIONS.get(str(config.get("activation") or "linear"), None)
    if kind == "Activation" or inner == IDENTITY:
        yield Operation(operation, layer["name"], inputs, name, detail, config.get("epsilon"))
        return
    yield Operation(operation, layer["name"], inputs, f"{name}:plain", detail)
    activation = inner or f"activation {config['activation']}"
    yield Operation(activation, layer["name"], (f"{name}:plain",), name)


def _convolution(config: Mapping[str, Any]) -> tuple[str, str]:
    rows, columns = config["kernel_size"]
    dilation, other = config["dilation_rate"]
    plain = (rows, dilation) == (columns, other) and _is(config, strides=[1, 1], groups=1)
    if plain and _last_axis(config) and (config["padding"] == "same" or rows == 1):
        return CONVOLUTION, convolution_detail(rows, dilation)
    keys = ("kernel_size", "strides", "padding", "dilation_rate", "groups", "data_format")
    return CONVOLUTION, _list(config, keys)


def _norm(config: Mapping[str, Any]) -> tuple[str, str]:
    axis = config["axis"]
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    return (NORM, "") if axis in (-1, 3) else (f"{NORM} over axis {axis}", "")


def _relu(config: Mapping[str, Any]) -> tuple[str, str]:
    plain = not config.get("negative_slope") and not config.get("threshold")
    if plain and config.get("max_value") is None:
        return RELU, ""
    return RELU, _list(config, ("max_value", "negative_slope", "threshold"))


def _activation(config: Mapping[str, Any]) -> tuple[str, str]:
    name = str(config["activation"])
    return _ACTIVATIONS.get(name, f"activation {name}"), ""


def _pool(config: Mapping[str, Any]) -> tuple[str, str]:
    plain = _is(config, pool_size=[2, 2], strides=[2, 2]) and _last_axis(config)
    return POOL, "" if plain else _list(config, ("pool_size", "strides", "data_format"))


def _resize(config: Mapping[str, Any]) -> tuple[str, str]:
    plain = _last_axis(config) and not config.get("crop_to_aspect_ratio")
    return RESIZE, str(config["interpolation"]) if plain else _list(config, ("data_format",))


def _concatenate(config: Mapping[str, Any]) -> tuple[str, str]:
    return CONCATENATE, "" if config["axis"] in (-1, 3) else f"over axis {config['axis']}"


def _constant(kind: str) -> Callable[[Mapping[str, Any]], tuple[str, str]]:
    return lambda _: (kind, "")


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], tuple[str, str]]]] = {
    "InputLayer": _constant(INPUT),
    "Conv2D": _convolution,
    "BatchNormalization": _norm,
    "ReLU": _relu,
    "Activation": _activation,
    "MaxPooling2D": _pool,
    "UpSampling2D": _resize,
    "Resizing": _resize,
    "Concatenate": _concatenate,
    "Add": _constant(ADD),
    "Dropout": _constant(IDENTITY),
    "SpatialDropout2D": _constant(IDENTITY),
    "GaussianNoise": _constant(IDENTITY),
}
"""What a layer computes in prediction, from its configuration: (kind, detail)."""


def _is(config: Mapping[str, Any], **due: object) -> bool:
    """Return True if keys have these values, the defaults of Keras, or are missing."""
    return all(config.get(key, value) == value for key, value in due.items())


def _last_axis(config: Mapping[str, Any]) -> bool:
    return config.get("data_format") in (None, "channels_last")


def _list(config: Mapping[str, Any], keys: Sequence[str]) -> str:
    return ", ".join(f"{key} {config[key]}" for key in keys if key in config)
