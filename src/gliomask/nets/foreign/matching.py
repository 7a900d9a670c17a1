"""Matching of the layers of a foreign graph to the units of a U²-Net, by their function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

from gliomask.errors import ModelError
from gliomask.nets.foreign.network_kind import NetworkKind
from gliomask.nets.foreign.topology import (
    CONCATENATE,
    CONVOLUTION,
    IDENTITY,
    NORM,
    Operation,
    Topology,
    topology_of,
)


@dataclass(frozen=True)
class Match:
    """Layer for each unit.

    Attributes:
        convolutions: unit -> the layer of its convolution.
        norms: unit -> the layer of its batch norm; a unit may have none (it was folded).
        inputs: unit -> the order in which its kernel must read its input channels, where the file
            joins the maps in another order than the network.
        epsilon: of the batch norms; None if there are none.
    """

    convolutions: Mapping[str, str]
    norms: Mapping[str, str]
    inputs: Mapping[str, tuple[int, ...]]
    epsilon: float | None


def match_graph(path: Path, operations: Iterable[Operation], kind: NetworkKind) -> Match:
    """Matches a graph to the network of ``kind``.

    Args:
        path: of the file, for the error.
        operations: each behind those whose values it reads.
        kind: the network.

    Raises:
        ModelError: an operation is not one of the network's (the first is named, with what the
            network does at its place), two layers do the same, a unit is missing, or the batch
            norms' epsilons differ.
    """
    matcher = _Matcher(path, kind, topology_of(kind))
    for operation in operations:
        matcher.read(operation)
    return matcher.result()


@dataclass
class _Matcher:
    path: Path
    kind: NetworkKind
    topology: Topology
    values: dict[str, int] = field(default_factory=dict)
    order: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """The values that a concatenation joins, in the file's order."""
    convolutions: dict[str, str] = field(default_factory=dict)
    norms: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, tuple[int, ...]] = field(default_factory=dict)
    epsilons: dict[float, str] = field(default_factory=dict)

    def read(self, operation: Operation) -> None:
        """Finds the value of an operation among those of the network."""
        if lost := next((name for name in operation.inputs if name not in self.values), None):
            raise self._departs(operation, f"reads {lost!r}, which no previous operation computes")
        inputs = [self.values[name] for name in operation.inputs]
        if operation.kind == IDENTITY:
            self.values[operation.output] = inputs[0]
            if (order := self.order.get(operation.inputs[0])) is not None:
                self.order[operation.output] = order
        elif operation.kind == NORM:
            self.values[operation.output] = self._norm(operation, inputs[0])
        else:
            self.values[operation.output] = self._value(operation, inputs)

    def result(self) -> Match:
        """Result of a complete match."""
        units = self.topology.units.values()
        if lost := [name for name in units if name not in self.convolutions]:
            raise ModelError(
                f"its graph lacks {len(lost)} of the units of {self.kind.spec.name}",
                path=self.path,
                field="unit",
                found="none",
                allowed=lost[0],
            )
        if len(self.epsilons) > 1:
            raise ModelError(
                "its batch norms differ in their epsilon, and a model has one",
                path=self.path,
                field="epsilon",
                found=", ".join(f"{value:g} ({name})" for value, name in self.epsilons.items()),
            )
        epsilon = next(iter(self.epsilons), None)
        return Match(self.convolutions, self.norms, self.inputs, epsilon)

    def _value(self, operation: Operation, inputs: Sequence[int]) -> int:
        values = self.topology.values
        key = values.key(operation.kind, inputs, operation.detail)
        value = values.numbers.get(key)
        if value is None:
            raise self._departs(operation, self._instead(inputs))
        if operation.kind == CONCATENATE:
            self.order[operation.output] = tuple(inputs)
        if operation.kind == CONVOLUTION:
            self._convolution(operation, value)
        return value

    def _convolution(self, operation: Operation, value: int) -> None:
        unit = self.topology.units[value]
        if unit in self.convolutions:
            raise self._departs(operation, f"one layer, as {self.convolutions[unit]!r}")
        self.convolutions[unit] = operation.layer
        (source,) = operation.inputs
        if source in self.order:
            due = self.topology.joined[self.values[source]]
            if (order := _channel_order(self.order[source], due)) is not None:
                self.inputs[unit] = order

    def _norm(self, operation: Operation, x: int) -> int:
        """A batch norm belongs to the convolution before it, and is not a separate value."""
        unit = self.topology.units.get(x)
        if unit is None or not unit.startswith("stage"):
            raise self._departs(operation, "a batch norm between convolution and ReLU only")
        if unit in self.norms:
            raise self._departs(operation, f"one batch norm, as {self.norms[unit]!r}")
        self.norms[unit] = operation.layer
        if operation.epsilon is not None:
            self.epsilons.setdefault(operation.epsilon, operation.layer)
        return x

    def _instead(self, inputs: Sequence[int]) -> str:
        """Operation of the network on the inputs of a foreign operation."""
        keys = self.topology.values.numbers
        keys_found = {_words(k, d) for k, read, d in keys if set(inputs) & set(read)}
        return " or ".join(sorted(keys_found)) or "nothing"

    def _departs(self, operation: Operation, allowed: str) -> ModelError:
        return ModelError(
            f"its graph is not that of {self.kind.spec.name}: it would compute something else",
            path=self.path,
            field=operation.layer,
            found=_words(operation.kind, operation.detail),
            allowed=allowed,
        )


def _words(kind: str, detail: str) -> str:
    return f"{kind} {detail}" if detail else kind


def _channel_order(
    indices: Sequence[int], due: Sequence[tuple[int, int]]
) -> tuple[int, ...] | None:
    """Order of the input channels in a concatenated map of the file; None for the same order.

    Args:
        indices: the joined values in the file's order.
        due: (value, its channels) in the network's order; the values differ from each other.
    """
    widths = dict(due)
    begins = dict(zip(indices, accumulate((widths[v] for v in indices), initial=0), strict=False))
    order = tuple(begins[value] + k for value, width in due for k in range(width))
    return None if order == tuple(range(len(order))) else order
