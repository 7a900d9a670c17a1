"""Matching of the layers of a Keras file without a graph to the units of a U²-Net.

By the names of the authors' code, if the layers have them; else by the order of the layers, which
the main path determines: every convolution but the seven output heads reads the one before it, and
every port writes them so. The heads' order is not determined. U2NET's heads differ in their shapes;
where shapes leave more than one usual order, the user must state the order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from gliomask.errors import ConfigError, ModelError, QuestionError
from gliomask.nets.foreign.keras_file import KerasFile, in_layer_order
from gliomask.nets.foreign.layers import Layer, convolutions, norms, times
from gliomask.nets.foreign.matching import Match
from gliomask.nets.foreign.network_kind import NetworkKind

Sides = tuple[int, ...]
KERAS_EPSILON: Final = 1e-3
"""Default epsilon of batch norms in Keras."""
_FORWARD: Final[Sides] = (1, 2, 3, 4, 5, 6)
_USUAL: Final[Mapping[bool, tuple[tuple[Sides, str], ...]]] = {
    True: (
        (_FORWARD, "made from the finest to the deepest"),
        (_FORWARD[::-1], "the deepest first"),
    ),
    False: (
        ((2, 3, 4, 5, 6, 1), "as a model of Keras lists its layers"),
        ((6, 5, 4, 3, 2, 1), "the deepest first"),
    ),
}
"""Orders of the side outputs: by whether names count layers as they were made, or as listed."""
_UNIT: Final = re.compile(
    r"(?:^|/)(?P<stage>stage[1-6]d?)/(?:.*/)?(?P<part>rebnconv(?:in|[1-7]d?))(?:/|$)"
    r"|(?:^|/)(?P<head>side[1-6]|outconv)(?:/|$)"
)


def match_layers(path: Path, file: KerasFile, kind: NetworkKind, sides: Sides | None) -> Match:
    """Matches layers to units by their names, else by their order.

    Args:
        path: of the file, for the error.
        file: open.
        kind: the network that its kernels are of.
        sides: order of the side outputs in the file, if the user states it.

    Raises:
        ModelError: neither names nor order fit the network.
        QuestionError: the shapes leave several orders of the side outputs.
        ConfigError: ``sides`` is not an order of 1 to 6.
    """
    if named := _by_names(file.layers, kind):
        return named
    names_match, between = (
        in_layer_order(some, file.listed)
        for some in (convolutions(file.layers), norms(file.layers))
    )
    if names_match is None or between is None:
        raise ModelError(
            "the layer names do not define an order, and the file contains no graph",
            path=path,
            field="layer",
            found=convolutions(file.layers)[0].name,
            hint="save the complete model instead of its weights",
        )
    body, heads = _parted(path, names_match, kind)
    _check_norms(path, body, between, kind)
    order = _order(path, heads, kind, sides, file.created)
    units = list(kind.kernels)
    names = [*units[: len(body)], *(f"side{k}" for k in order), "outconv"]
    by_unit = dict(zip(names, (layer.path for layer in (*body, *heads)), strict=True))
    of_norms = dict(zip(names, (layer.path for layer in between), strict=False))
    return Match(by_unit, of_norms, {}, KERAS_EPSILON)


def _by_names(layers: Iterable[Layer], kind: NetworkKind) -> Match | None:
    """The match by the authors' names, if each unit's name is there exactly once."""
    names_by_kind: tuple[dict[str, str], dict[str, str]] = ({}, {})
    count = 0
    for layer in layers:
        unit = _unit_of(layer.path)
        if unit is None or not (layer.is_convolution or layer.is_norm):
            continue
        names_by_kind[layer.is_norm][unit] = layer.path
        count += 1
    by_unit, of_norms = names_by_kind
    body = {name for name in kind.kernels if name.startswith("stage")}
    whole = by_unit.keys() == kind.kernels.keys() and of_norms.keys() == body
    return (
        Match(by_unit, of_norms, {}, KERAS_EPSILON)
        if whole and count == len(by_unit) + len(body)
        else None
    )


def _unit_of(path: str) -> str | None:
    matches = list(_UNIT.finditer(path))
    if not matches:
        return None
    last = matches[-1]
    return last["head"] or f"{last['stage']}.{last['part']}.conv_s1"


def _parted(
    path: Path, layers: Sequence[Layer], kind: NetworkKind
) -> tuple[list[Layer], list[Layer]]:
    """The main path and the heads, wherever the heads stand between; each with right shapes."""
    due = [shape for name, shape in kind.kernels.items() if name.startswith("stage")]
    body: list[Layer] = []
    heads: list[Layer] = []
    for layer in layers:
        fits = len(body) < len(due) and layer.kernel == due[len(body)]
        (body if fits else heads).append(layer)
    if len(body) < len(due) or heads[-1].kernel[2:] != (1, 1):
        raise ModelError(
            f"the order of its layers differs from that of {kind.spec.name}",
            path=path,
            field=heads[0].name,
            found=times(heads[0].kernel),
            allowed=times(due[min(len(body), len(due) - 1)]),
            hint="save the complete model instead of its weights: its graph defines the order",
        )
    return body, heads


def _check_norms(
    path: Path, body: Sequence[Layer], between: Sequence[Layer], kind: NetworkKind
) -> None:
    if len(between) != len(body):
        raise ModelError(
            f"not the batch norms of {kind.spec.name}",
            path=path,
            field="batch norms",
            found=len(between),
            allowed=str(len(body)),
        )
    for layer, norm in zip(body, between, strict=True):
        if norm.entries["mean"].shape != layer.kernel[:1]:
            raise ModelError(
                f"its batch norms do not follow its convolutions as in {kind.spec.name}",
                path=path,
                field=norm.name,
                found=times(norm.entries["mean"].shape),
                allowed=times(layer.kernel[:1]),
            )


def _order(
    path: Path, heads: Sequence[Layer], kind: NetworkKind, sides: Sides | None, created: bool
) -> Sides:
    """The order of the side outputs: the one given, or the only usual one that the shapes allow."""
    if sides is not None and sorted(sides) != list(_FORWARD):
        raise ConfigError(
            "not an order of the side outputs",
            field="sides",
            found=sides,
            allowed="1 to 6, once each",
        )
    known = ((sides, ""),) if sides else _USUAL[created]
    due, kernels = kind.kernels, [head.kernel for head in heads[:-1]]
    fits = [candidate for candidate in known if [due[f"side{k}"] for k in candidate[0]] == kernels]
    if len(fits) == 1:
        return fits[0][0]
    if fits:
        raise QuestionError(
            "the side outputs have the same shapes, so their order is unknown",
            option="sides",
            answers=[(",".join(map(str, order)), words) for order, words in fits],
            path=path,
        )
    raise ModelError(
        f"its side outputs are in no known order ({kind.spec.name})",
        path=path,
        field="channels that they read",
        found=", ".join(str(shape[1]) for shape in kernels),
        allowed=" or ".join(
            ", ".join(str(due[f"side{k}"][1]) for k in order) for order, _ in known
        ),
        hint="save the complete model instead of its weights: its graph defines the order",
    )
