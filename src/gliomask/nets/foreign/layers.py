"""Layers of a foreign weight file: names, shapes, and lazy reading of the values.

Declared shapes are compared with those of the network before any value is read, so a declared
length never determines memory use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

Role = Literal["kernel", "bias", "gamma", "beta", "mean", "variance"]
FloatArray = npt.NDArray[np.float32]
_NUMBERED: Final = re.compile(r"^(?P<base>.*?)(?:_(?P<number>\d{1,9}))?$")


@dataclass(frozen=True)
class Stored:
    """One array as a file declares it.

    Attributes:
        shape: in the order of PyTorch: a kernel is (out, in, rows, columns).
        read: reads it, in that order; it is called only once the shape was found right.
    """

    shape: tuple[int, ...]
    read: Callable[[], npt.NDArray[Any]]

    def values(self) -> FloatArray:
        """The numbers as float32, contiguous."""
        return np.ascontiguousarray(self.read(), dtype=np.float32)


@dataclass(frozen=True)
class Layer:
    """A layer of a file that has weights.

    Attributes:
        path: path in the file, its parts divided by ``/``.
        name: name in the program, which a graph refers to.
        entries: its arrays by what they are; empty for a layer of an unknown kind.
        shapes: of all its arrays as they are in the file, for messages.
    """

    path: str
    name: str
    entries: Mapping[Role, Stored]
    shapes: tuple[tuple[int, ...], ...] = ()

    @property
    def is_convolution(self) -> bool:
        """True for a kernel over two axes of an image."""
        return "kernel" in self.entries and len(self.entries["kernel"].shape) == 4

    @property
    def is_norm(self) -> bool:
        """True for a batch norm."""
        return "mean" in self.entries and "variance" in self.entries

    @property
    def kernel(self) -> tuple[int, ...]:
        """The shape of a convolution's kernel: (out, in, rows, columns)."""
        return self.entries["kernel"].shape


def convolutions(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """The convolutions over two axes, in the order given."""
    return tuple(layer for layer in layers if layer.is_convolution)


def norms(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """The batch norms, in the order given."""
    return tuple(layer for layer in layers if layer.is_norm)


def number_of(name: str) -> tuple[str, int]:
    """The parts of a generated name: ``conv2d_17`` is ``("conv2d", 17)``, ``conv2d`` number 0."""
    match = _NUMBERED.match(name)
    assert match is not None  # noqa: S101  # the pattern matches any text
    return match["base"], int(match["number"] or 0)


def times(shape: Iterable[int]) -> str:
    """Text of a shape: ``64x3x3x3``; ``scalar`` without axes."""
    return "x".join(map(str, shape)) or "scalar"
