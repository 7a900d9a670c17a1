"""Reader of the ``dataset.json`` of nnU-Net and of the Medical Segmentation Decathlon."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gliomask.core.label_scheme import LabelScheme
from gliomask.datasets.mask_labels.names import (
    scheme_of_labels,
    scheme_of_output,
    scheme_of_regions,
)
from gliomask.datasets.name_reading import read_name
from gliomask.errors import FormatError
from gliomask.formats.content import read_text

FILE_NAME = "dataset.json"
_ORDER = "regions_class_order"
_IGNORE = "ignore"
"""Label of unannotated voxels, which nnU-Net leaves out of the loss."""


@dataclass(frozen=True)
class Description:
    """Content of a ``dataset.json``.

    Attributes:
        names: names of its channels, in order.
        channels: sequence -> channel number, for channels that are known MR sequences.
        labels: names of its labels, in order, without the background.
        scheme: label scheme of the training masks, with the ignore label; None if the names are
            ambiguous.
        output: label scheme of nnU-Net's predictions, which may differ for regions.
        licence: the licence in the file.
        ending: suffix of the image files.
    """

    names: tuple[str, ...]
    channels: Mapping[str, int]
    labels: tuple[str, ...]
    scheme: LabelScheme | None
    output: LabelScheme | None
    licence: str | None
    ending: str

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of channels that are not a known sequence."""
        known = set(self.channels.values())
        return tuple(name for n, name in enumerate(self.names) if n not in known)


@dataclass(frozen=True)
class LabelNames:
    """The labels of a description.

    Attributes:
        names: without the background.
        scheme, output: see ``Description``.
    """

    names: tuple[str, ...]
    scheme: LabelScheme | None
    output: LabelScheme | None


def read_description(path: Path) -> Description:
    """Reads a ``dataset.json``.

    Raises:
        FormatError: not JSON, or invalid channels or labels; the key is named.
    """
    content = _content(path)
    names = _channel_names(content, path)
    labels = _labels(content, path)
    licence = content.get("licence", content.get("license"))
    return Description(
        names=names,
        channels=_channels(names, path),
        labels=labels.names,
        scheme=labels.scheme,
        output=labels.output,
        licence=licence[:100] if isinstance(licence, str) and licence else None,
        ending=str(content.get("file_ending", ".nii.gz")),
    )


def read_label_names(path: Path) -> LabelNames:
    """Read the labels of a ``dataset.json``, and ignore its channels.

    Raises:
        FormatError: not JSON, or invalid labels; the key is named.
    """
    return _labels(_content(path), path)


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError) as problem:
        raise FormatError(f"not JSON: {problem}", path=path) from None
    if not isinstance(content, dict):
        raise FormatError("not a JSON object", path=path)
    return content


def _channel_names(content: dict[str, Any], path: Path) -> tuple[str, ...]:
    """Channel names in the order of their numbers, which must be 0, 1, 2 ..."""
    field = "channel_names" if "channel_names" in content else "modality"
    channels = content.get(field)
    numbers = [str(n) for n in range(len(channels))] if isinstance(channels, dict) else []
    if not isinstance(channels, dict) or not numbers or set(channels) != set(numbers):
        allowed = 'numbers from "0" on: {"0": name, "1": name, ...}'
        raise FormatError("no channels", path=path, field=field, found=channels, allowed=allowed)
    return tuple(str(channels[n]) for n in numbers)


def _channels(names: tuple[str, ...], path: Path) -> dict[str, int]:
    channels: dict[str, int] = {}
    for number, name in enumerate(names):
        sequence = read_name(name, identifier=False).sequence
        if sequence is None:
            continue
        if sequence in channels:
            channel = f"{names[channels[sequence]]}, {name}"
            what = f"two channels for {sequence}"
            raise FormatError(what, path=path, field="channel_names", found=channel)
        channels[sequence] = number
    return channels


def _labels(content: dict[str, Any], path: Path) -> LabelNames:
    """Labels of name -> number (or numbers) of nnU-Net 2, or number -> name of the others."""
    labels = content.get("labels")
    if not isinstance(labels, dict) or not labels:
        raise FormatError("no labels", path=path, field="labels", found=labels, allowed="an object")
    if all(isinstance(name, str) and key.isdecimal() for key, name in labels.items()):
        return _by_number({int(key): name for key, name in labels.items()})
    others = {name: value for name, value in labels.items() if name != _IGNORE}
    read = _numbered(others, content, path)
    if _IGNORE not in labels or read.scheme is None:
        return read
    ignored, numbers = labels[_IGNORE], np.hstack([0, *others.values()])
    if not _is_number(ignored) or ignored <= numbers.max():
        what, allowed = "no ignore label", f"a whole number above {numbers.max()}"
        raise FormatError(what, path=path, field=_IGNORE, found=repr(ignored), allowed=allowed)
    return replace(read, scheme=replace(read.scheme, ignored=ignored))


def _numbered(labels: dict[str, Any], content: dict[str, Any], path: Path) -> LabelNames:
    """Labels of name -> number or numbers."""
    for name, value in labels.items():
        _check_value(name, value, path)
    if all(_is_number(value) for value in labels.values()):
        if len(set(labels.values())) < len(labels):
            raise FormatError("two labels of one number", path=path, field="labels", found=labels)
        return _by_number({number: name for name, number in labels.items()})
    regions = {
        name: value if isinstance(value, list) else [value]
        for name, value in labels.items()
        if value not in (0, [0])
    }
    return _by_regions(regions, content.get(_ORDER), path)


def _by_number(names: Mapping[int, str]) -> LabelNames:
    labels = {name: number for number, name in names.items() if number != 0}
    scheme = scheme_of_labels(labels)
    return LabelNames(tuple(labels), scheme, scheme)


def _by_regions(regions: Mapping[str, list[int]], order: Any, path: Path) -> LabelNames:
    scheme = scheme_of_regions(regions)
    if order is None:
        return LabelNames(tuple(regions), scheme, None)
    if not isinstance(order, list) or not all(_is_number(n) for n in order):
        raise FormatError("not a list of numbers", path=path, field=_ORDER, found=order)
    if len(order) != len(regions):
        allowed = f"{len(regions)} numbers, one for each region"
        raise FormatError(
            "not a number for each region", path=path, field=_ORDER, found=order, allowed=allowed
        )
    return LabelNames(tuple(regions), scheme, scheme_of_output(regions, order))


def _check_value(name: str, value: Any, path: Path) -> None:
    numbers = value if isinstance(value, list) and value else [value]
    if not all(_is_number(number) and number >= 0 for number in numbers):
        allowed = "a number, or a list of numbers for a region"
        what = f"the label {name!r} is not a whole number"
        raise FormatError(what, path=path, field="labels", found=repr(value), allowed=allowed)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
