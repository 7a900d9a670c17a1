"""The ``dataset.json`` of nnU-Net and of the Medical Decathlon, in our own terms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gliomask.core.labels import LabelScheme
from gliomask.datasets.label_names import scheme_of_labels, scheme_of_regions
from gliomask.datasets.name_reading import read_name
from gliomask.errors import FormatError
from gliomask.formats.content import read_text

FILE_NAME = "dataset.json"


@dataclass(frozen=True)
class Description:
    """What a ``dataset.json`` says.

    Attributes:
        names: what its channels are called, in their order.
        channels: sequence -> channel number, for the channels that are MR sequences we know.
        scheme: what the numbers in the masks mean.
        licence: as it is written there.
        ending: of the image files' names.
    """

    names: tuple[str, ...]
    channels: Mapping[str, int]
    scheme: LabelScheme
    licence: str | None
    ending: str

    @property
    def unknown(self) -> tuple[str, ...]:
        """The names of channels that are no sequence we know."""
        known = set(self.channels.values())
        return tuple(name for n, name in enumerate(self.names) if n not in known)


def read_description(path: Path) -> Description:
    """Reads a ``dataset.json``.

    Raises:
        FormatError: no JSON, or channels or labels that make no sense; the key is named.
    """
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError) as problem:
        raise FormatError(f"not JSON: {problem}", path=path) from None
    if not isinstance(content, dict):
        raise FormatError("not a JSON object", path=path)
    names = _channel_names(content, path)
    licence = content.get("licence", content.get("license"))
    return Description(
        names=names,
        channels=_channels(names, path),
        scheme=_scheme(content.get("labels"), path),
        licence=licence[:100] if isinstance(licence, str) and licence else None,
        ending=str(content.get("file_ending", ".nii.gz")),
    )


def _channel_names(content: dict[str, Any], path: Path) -> tuple[str, ...]:
    """In the order of their numbers, which have to be 0, 1, 2 ..."""
    field = "channel_names" if "channel_names" in content else "modality"
    given = content.get(field)
    numbers = [str(n) for n in range(len(given))] if isinstance(given, dict) else []
    if not isinstance(given, dict) or not numbers or set(given) != set(numbers):
        allowed = '{"0": name, "1": name, ...}'
        raise FormatError("no channels", path=path, field=field, found=given, allowed=allowed)
    return tuple(str(given[n]) for n in numbers)


def _channels(names: tuple[str, ...], path: Path) -> dict[str, int]:
    channels: dict[str, int] = {}
    for number, name in enumerate(names):
        sequence = read_name(name).sequence
        if sequence is None:
            continue
        if sequence in channels:
            raise FormatError(
                f"two channels for {sequence}", path=path, field="channel", found=name
            )
        channels[sequence] = number
    return channels


def _scheme(labels: Any, path: Path) -> LabelScheme:
    """From name -> number (or numbers) of nnU-Net 2, or number -> name of the others."""
    if not isinstance(labels, dict):
        raise FormatError("no labels", path=path, field="labels", found=labels, allowed="an object")
    if labels and all(isinstance(name, str) and key.isdecimal() for key, name in labels.items()):
        labels = {name: int(key) for key, name in labels.items()}
    if "ignore" in labels:
        raise FormatError(
            "an ignore label, which can't be used", path=path, field="labels", found=labels
        )
    if all(_is_number(value) for value in labels.values()):
        return scheme_of_labels(labels)
    regions = {
        name: value if isinstance(value, list) else [value] for name, value in labels.items()
    }
    if all(_is_number(number) for numbers in regions.values() for number in numbers):
        return scheme_of_regions(regions)
    raise FormatError("labels are no whole numbers", path=path, field="labels", found=labels)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
