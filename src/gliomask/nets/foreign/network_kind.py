"""Recognition of the network from the shapes of its kernels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gliomask.errors import ModelError
from gliomask.nets.entries import weight_entries
from gliomask.nets.foreign.layers import Layer, convolutions, norms, times
from gliomask.nets.specs import SPECS, U2NetSpec

Shape = tuple[int, ...]
_FIRST: Final = "stage1.rebnconvin.conv_s1.weight"


@dataclass(frozen=True)
class NetworkKind:
    """A network and the two numbers that its spec leaves open.

    Attributes:
        spec: of the network.
        in_channels: C, of its input.
        regions: R, of its output.
    """

    spec: U2NetSpec
    in_channels: int
    regions: int

    @property
    def kernels(self) -> dict[str, Shape]:
        """The shape of every kernel by the name of its unit, in the order of the authors' code."""
        due = weight_entries(self.spec, self.in_channels, self.regions)
        return {
            name.removesuffix(".weight"): entry.shape
            for name, entry in due.items()
            if len(entry.shape) == 4
        }


def find_kind(path: Path, layers: Sequence[Layer]) -> NetworkKind:
    """The network to which the kernels in a file belong.

    Args:
        path: of the file, for the error.
        layers: of the file.

    Raises:
        ModelError: the kernels are not those of a U²-Net; the error lists found and needed ones.
    """
    kernels = Counter(layer.kernel for layer in convolutions(layers))
    for spec in SPECS.values():
        if (kind := _fits(spec, kernels)) is not None:
            return kind
    raise ModelError(
        "not the weights of a U²-Net",
        path=path,
        field="layers",
        found=_account(layers),
        allowed=_needs(),
    )


def _fits(spec: U2NetSpec, kernels: Counter[Shape]) -> NetworkKind | None:
    """The kind, if all kernels but the first are those of the spec and the first fits it."""
    fusing = [shape for shape in kernels if shape[2:] == (1, 1)]
    if len(fusing) != 1 or fusing[0][1] != 6 * fusing[0][0]:
        return None
    regions = fusing[0][0]
    due = Counter(NetworkKind(spec, 1, regions).kernels.values())
    first = weight_entries(spec, 1, regions)[_FIRST].shape
    due[first] -= 1
    rest = kernels - due
    if (due - kernels).total() or rest.total() != 1:
        return None
    (shape,) = rest
    fits = shape[0] == first[0] and shape[2:] == first[2:]
    return NetworkKind(spec, shape[1], regions) if fits else None


def _account(layers: Sequence[Layer]) -> str:
    """``23 convolutions (first 3x3x4x64), 22 batch norms, 4 others (first 128x10)``."""
    groups = (
        ("convolutions", convolutions(layers)),
        ("batch norms", norms(layers)),
        ("others", [item for item in layers if not item.is_convolution and not item.is_norm]),
    )
    parts = []
    for what, some in groups:
        shapes = [shape for layer in some for shape in layer.shapes]
        first = f" (first {times(shapes[0])})" if shapes and what != "batch norms" else ""
        parts.append(f"{len(some)} {what}{first}")
    return ", ".join(parts)


def _needs() -> str:
    """Description of the two networks of the paper, for messages."""
    kernels = NetworkKind(SPECS["u2net"], 3, 1).kernels
    body = sum(name.startswith("stage") for name in kernels)
    names = " or ".join(name for name in SPECS if name in ("u2net", "u2netp"))
    return f"the {len(kernels)} convolutions and {body} batch norms of {names}"
