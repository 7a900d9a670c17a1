"""A trained network as a graph of ONNX operators for compiled runtimes.

The graph is created from the spec and the weights, without tracing, which takes milliseconds and no
torch, and is valid for inputs of any size. Each batch norm is folded into the preceding
convolution, which only changes rounding errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gliomask.nets.arrays import Arrays
from gliomask.nets.cards import ModelCard
from gliomask.nets.onnx_bytes import Constant, Node, Shape, model_bytes
from gliomask.nets.specs import RSUSpec, find_spec

INPUT, LOGITS, MAPS = "x", "logits", "maps"


def network_graph(arrays: Arrays, card: ModelCard) -> bytes:
    """The network of a card as an ONNX file.

    Args:
        arrays: its weights (``nets.arrays``).
        card: describes the network.

    Returns:
        the bytes of a model with the input ``x`` (N, C, H, W) float32 of any size, and the
        outputs ``logits`` (N, R, H, W), the fused map, and ``maps`` (N, 7, R, H, W) with the six
        side maps behind it, the finest first.
    """
    writer = GraphWriter()
    maps = write_network(writer, arrays, card, INPUT)
    first_axis = writer.constant(np.array([1], np.int64))
    writer.add("Identity", [maps[0]], output=LOGITS)
    lifted = [writer.add("Unsqueeze", [fused_map, first_axis]) for fused_map in maps]
    writer.add("Concat", lifted, output=MAPS, axis=1)
    regions = len(card.regions)
    inputs: dict[str, Shape] = {INPUT: ("n", card.in_channels, "h", "w")}
    outputs: dict[str, Shape] = {
        LOGITS: ("n", regions, "h", "w"),
        MAPS: ("n", 7, regions, "h", "w"),
    }
    return model_bytes("u2net", writer.nodes, writer.constants, inputs, outputs)


class GraphWriter:
    """Collects the nodes and constants of a graph; names are numbered in the order of writing.

    Args:
        prefix: of every name, so that graphs can be joined.
    """

    def __init__(self, prefix: str = "") -> None:
        self.nodes: list[Node] = []
        self.constants: list[Constant] = []
        self._prefix = prefix

    def add(self, kind: str, inputs: Sequence[str], output: str = "", **attributes: Any) -> str:
        """Adds an operator with one output and returns the output's name."""
        output = output or f"{self._prefix}{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(Node(kind, tuple(inputs), (output,), attributes))
        return output

    def constant(self, values: npt.NDArray[Any]) -> str:
        """Adds a constant and returns its name."""
        name = f"{self._prefix}constant_{len(self.constants)}"
        # A scalar stays one: ascontiguousarray would make a vector of it.
        array = np.ascontiguousarray(values) if values.ndim else values
        self.constants.append(Constant(name, array))
        return name


def write_network(writer: GraphWriter, arrays: Arrays, card: ModelCard, x: str) -> list[str]:
    """Writes the network that reads ``x``: the names of its seven maps, the fused one first."""
    return _NetworkWriter(writer, arrays, card).write(x)


class _NetworkWriter:
    """``nets.u2net.U2Net.forward`` and ``nets.rsu.RSU.forward``, as operators."""

    def __init__(self, writer: GraphWriter, arrays: Arrays, card: ModelCard) -> None:
        self._to, self._arrays = writer, arrays
        self._spec, self._epsilon = find_spec(card.network), card.norm_epsilon
        self._lead = writer.constant(np.array([0], np.int64))
        self._rows = writer.constant(np.array([2], np.int64))
        self._end = writer.constant(np.array([4], np.int64))

    def write(self, x: str) -> list[str]:
        spec, depth = self._spec, len(self._spec.encoder)
        down = [self._block("stage1", spec.encoder[0], x)]
        for stage in range(2, depth + 1):
            block = spec.encoder[stage - 1]
            down.append(self._block(f"stage{stage}", block, self._halve(down[-1])))
        stages = [down.pop()]
        for stage, block in zip(range(depth - 1, 0, -1), spec.decoder, strict=True):
            beside = down.pop()
            joined = self._to.add("Concat", [self._resize(stages[0], beside), beside], axis=1)
            stages.insert(0, self._block(f"stage{stage}d", block, joined))
        sides = [self._plain(f"side{k}", stage_map) for k, stage_map in enumerate(stages, start=1)]
        maps = [sides[0], *(self._resize(side, x) for side in sides[1:])]
        return [self._plain("outconv", self._to.add("Concat", maps, axis=1)), *maps]

    def _block(self, name: str, spec: RSUSpec, x: str) -> str:
        whole = self._unit(f"{name}.rebnconvin", x, 1)
        down: list[str] = []
        for level, dilation in enumerate(spec.down_dilations, start=1):
            above = down[-1] if down else whole
            below = self._halve(above) if level > 1 and spec.pools(level) else above
            down.append(self._unit(f"{name}.rebnconv{level}", below, dilation))
        up = down.pop()
        for level, dilation in spec.up_dilations:
            beside = down.pop()
            if spec.pools(level + 1):
                up = self._resize(up, beside)
            joined = self._to.add("Concat", [up, beside], axis=1)
            up = self._unit(f"{name}.rebnconv{level}d", joined, dilation)
        return self._to.add("Add", [up, whole])

    def _unit(self, name: str, x: str, dilation: int) -> str:
        """Convolution, batch norm folded into it, and ReLU."""
        weight, bias = (self._arrays[f"{name}.conv_s1.{part}"] for part in ("weight", "bias"))
        gain, shift, mean, variance = (
            self._arrays[f"{name}.bn_s1.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gain / np.sqrt(variance + self._epsilon)
        folded = weight * scale[:, None, None, None]
        convolved = self._convolution(x, folded, (bias - mean) * scale + shift, dilation)
        return self._to.add("Relu", [convolved])

    def _plain(self, name: str, x: str) -> str:
        return self._convolution(x, self._arrays[f"{name}.weight"], self._arrays[f"{name}.bias"])

    def _convolution(
        self, x: str, weight: npt.NDArray[Any], bias: npt.NDArray[Any], dilation: int = 1
    ) -> str:
        side = weight.shape[-1]
        constants = [
            self._to.constant(parameter.astype(np.float32)) for parameter in (weight, bias)
        ]
        return self._to.add(
            "Conv",
            [x, *constants],
            kernel_shape=[side, side],
            pads=[dilation * (side // 2)] * 4,
            dilations=[dilation, dilation],
        )

    def _halve(self, x: str) -> str:
        return self._to.add("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)

    def _resize(self, x: str, target: str) -> str:
        """Brought to the height and width of another map; pixel centres stay where they are."""
        lead = self._to.add("Slice", [self._to.add("Shape", [x]), self._lead, self._rows])
        sides = self._to.add("Slice", [self._to.add("Shape", [target]), self._rows, self._end])
        size = self._to.add("Concat", [lead, sides], axis=0)
        how = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        return self._to.add("Resize", [x, "", "", size], **how)
