"""Names, shapes and dtypes of the weights of a network, derived from its spec, without torch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gliomask.errors import ModelError
from gliomask.nets.specs import RSUSpec, U2NetSpec

_MEASURED = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class WeightEntry:
    """Shape and dtype of a tensor of the weights.

    Attributes:
        shape: () of a scalar.
        dtype: as numpy and torch both call it, e.g. ``float32``.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"

    def __str__(self) -> str:
        """Text for messages: ``64x3x3x3 float32``."""
        return f"{'x'.join(map(str, self.shape)) or 'scalar'} {self.dtype}"


def weight_entries(spec: U2NetSpec, in_channels: int, regions: int) -> dict[str, WeightEntry]:
    """All entries of the weights, in the order of the network's state dict."""
    entries: dict[str, WeightEntry] = {}
    width = in_channels
    for stage, block in enumerate(spec.encoder, start=1):
        entries |= _block(f"stage{stage}", width, block)
        width = block.out
    depth = len(spec.encoder)
    for stage, block in zip(range(depth - 1, 0, -1), spec.decoder, strict=True):
        entries |= _block(f"stage{stage}d", width + spec.encoder[stage - 1].out, block)
        width = block.out
    sides = (*reversed(spec.decoder), spec.encoder[-1])
    for stage, block in enumerate(sides, start=1):
        entries |= _convolution(f"side{stage}", block.out, regions, 3)
    return entries | _convolution("outconv", depth * regions, regions, 1)


def count_entries(spec: U2NetSpec, in_channels: int, regions: int) -> int:
    """Number of trainable parameters, without the statistics of the batch norms."""
    entries = weight_entries(spec, in_channels, regions)
    return sum(
        math.prod(entry.shape) for name, entry in entries.items() if not name.endswith(_MEASURED)
    )


def check_entries(
    path: Path, entries: Mapping[str, WeightEntry], expected: Mapping[str, WeightEntry]
) -> None:
    """Refuse entries that differ from the expected ones.

    Args:
        path: of the file, for the error.
        entries: by name.
        expected: likewise.

    Raises:
        ModelError: the first name that is missing or too many, the first shape or dtype that
            differs.
    """
    lost = [name for name in expected if name not in entries]
    extra = sorted(name for name in entries if name not in expected)
    for names, what in ((lost, "the weights lack"), (extra, "the weights have an unknown")):
        if names:
            raise ModelError(f"{what} entry {names[0]!r} ({len(names)} in all)", path=path)
    for name, due in expected.items():
        if entries[name] != due:
            raise ModelError(
                "weights of another network",
                path=path,
                field=name,
                found=str(entries[name]),
                allowed=str(due),
            )


def _block(name: str, width: int, spec: RSUSpec) -> dict[str, WeightEntry]:
    entries: dict[str, WeightEntry] = {}
    for part, ins, outs in _inner(width, spec):
        entries |= _convolution(f"{name}.{part}.conv_s1", ins, outs, 3) | _norm(
            f"{name}.{part}.bn_s1", outs
        )
    return entries


def _inner(width: int, spec: RSUSpec) -> Iterator[tuple[str, int, int]]:
    """(name, channels in, channels out) of a block's convolutions."""
    yield "rebnconvin", width, spec.out
    for level in range(1, spec.height + 1):
        yield f"rebnconv{level}", spec.out if level == 1 else spec.mid, spec.mid
    for level in range(spec.height - 1, 0, -1):
        yield f"rebnconv{level}d", 2 * spec.mid, spec.out if level == 1 else spec.mid


def _convolution(name: str, ins: int, outs: int, side: int) -> dict[str, WeightEntry]:
    return {
        f"{name}.weight": WeightEntry((outs, ins, side, side)),
        f"{name}.bias": WeightEntry((outs,)),
    }


def _norm(name: str, width: int) -> dict[str, WeightEntry]:
    parts = ("weight", "bias", "running_mean", "running_var")
    each = {f"{name}.{part}": WeightEntry((width,)) for part in parts}
    return each | {f"{name}.num_batches_tracked": WeightEntry((), "int64")}
