"""U²-Net's graph of operations as values, and the comparison of another graph with it.

A value is identified by its computation, not by a name: an operation and the values that it reads.
Two graphs that compute the same values are the same network, with any order and names of layers. A
layer of a foreign graph is matched to the unit of U²-Net that computes the same value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gliomask.nets.foreign.network_kind import NetworkKind
from gliomask.nets.specs import RSUSpec

CONVOLUTION, NORM, RELU, SIGMOID = "convolution", "batch norm", "ReLU", "sigmoid"
POOL, RESIZE, CONCATENATE, ADD = "max pooling", "resizing", "concatenation", "addition"
INPUT, IDENTITY = "input", "identity"
BILINEAR: Final = "bilinear"
_UNORDERED: Final = frozenset({ADD, CONCATENATE})


@dataclass(frozen=True)
class Operation:
    """One operation of a foreign graph.

    Attributes:
        kind: one of those above, or the program's own word for another one.
        layer: name of its layer in the file.
        inputs: names of the values that it reads.
        output: name of the value that it makes.
        detail: other properties of the operation: ``3x3, dilation 2``.
        epsilon: of a batch norm.
    """

    kind: str
    layer: str
    inputs: tuple[str, ...]
    output: str
    detail: str = ""
    epsilon: float | None = None


@dataclass
class Values:
    """Numbers for values: the same for the same operation on the same values."""

    numbers: dict[tuple[str, tuple[int, ...], str], int] = field(default_factory=dict)

    def key(
        self, kind: str, inputs: Sequence[int], detail: str
    ) -> tuple[str, tuple[int, ...], str]:
        """Key of a value; the order of summands and of concatenated maps does not matter."""
        ordered = sorted(inputs) if kind in _UNORDERED else inputs
        return kind, tuple(ordered), detail

    def make(self, kind: str, inputs: Sequence[int] = (), detail: str = "") -> int:
        """The number of a value, a new one where it is not known."""
        return self.numbers.setdefault(self.key(kind, inputs, detail), len(self.numbers))


def convolution_detail(side: int, dilation: int) -> str:
    """``3x3, dilation 2``; padded so that the size stays."""
    return f"{side}x{side}, dilation {dilation}"


@dataclass(frozen=True)
class Topology:
    """A U²-Net as values.

    Attributes:
        values: all of them.
        units: the value of a unit's convolution -> the name of the unit.
        joined: a concatenation's value -> (value, its channels) in the network's own order.
    """

    values: Values
    units: Mapping[int, str]
    joined: Mapping[int, tuple[tuple[int, int], ...]]


def topology_of(kind: NetworkKind) -> Topology:
    """The graph of a network, with a sigmoid behind each of its seven outputs."""
    writer = _TopologyWriter(kind)
    writer.write()
    return Topology(writer.values, writer.units, writer.joined)


class _TopologyWriter:
    """``nets.u2net.U2Net.forward`` and ``nets.rsu.RSU.forward``, as values."""

    def __init__(self, kind: NetworkKind) -> None:
        self._kind = kind
        self.values = Values()
        self.units: dict[int, str] = {}
        self.joined: dict[int, tuple[tuple[int, int], ...]] = {}
        self._width: dict[int, int] = {}

    def write(self) -> None:
        spec, regions = self._kind.spec, self._kind.regions
        x = self.values.make(INPUT)
        depth = len(spec.encoder)
        down = [self._block("stage1", spec.encoder[0], x)]
        for stage, block in enumerate(spec.encoder[1:], start=2):
            down.append(self._block(f"stage{stage}", block, self._pool(down[-1])))
        stages = [down.pop()]
        for stage, block in zip(range(depth - 1, 0, -1), spec.decoder, strict=True):
            joined = self._join(self._resize(stages[0]), down.pop())
            stages.insert(0, self._block(f"stage{stage}d", block, joined))
        sides = [self._unit(f"side{k}", value, regions) for k, value in enumerate(stages, start=1)]
        maps = [sides[0], *(self._resize(side) for side in sides[1:])]
        fused = self._unit("outconv", self._join(*maps), regions, side=1)
        for value in (fused, *maps):
            self.values.make(SIGMOID, [value])

    def _block(self, name: str, spec: RSUSpec, x: int) -> int:
        whole = self._relu(f"{name}.rebnconvin", x, spec.out)
        down: list[int] = []
        for level, dilation in enumerate(spec.down_dilations, start=1):
            above = down[-1] if down else whole
            below = self._pool(above) if level > 1 and spec.pools(level) else above
            down.append(self._relu(f"{name}.rebnconv{level}", below, spec.mid, dilation))
        up = down.pop()
        for level, dilation in spec.up_dilations:
            if spec.pools(level + 1):
                up = self._resize(up)
            width = spec.out if level == 1 else spec.mid
            joined = self._join(up, down.pop())
            up = self._relu(f"{name}.rebnconv{level}d", joined, width, dilation)
        value = self.values.make(ADD, [up, whole])
        self._width[value] = spec.out
        return value

    def _relu(self, name: str, x: int, width: int, dilation: int = 1) -> int:
        value = self.values.make(RELU, [self._unit(f"{name}.conv_s1", x, width, dilation)])
        self._width[value] = width
        return value

    def _unit(self, name: str, x: int, width: int, dilation: int = 1, side: int = 3) -> int:
        value = self.values.make(CONVOLUTION, [x], convolution_detail(side, dilation))
        self.units[value], self._width[value] = name, width
        return value

    def _pool(self, x: int) -> int:
        return self._same_width(self.values.make(POOL, [x]), x)

    def _resize(self, x: int) -> int:
        return self._same_width(self.values.make(RESIZE, [x], BILINEAR), x)

    def _same_width(self, value: int, x: int) -> int:
        self._width[value] = self._width[x]
        return value

    def _join(self, *parts: int) -> int:
        value = self.values.make(CONCATENATE, parts)
        self.joined[value] = tuple((part, self._width[part]) for part in parts)
        return value
