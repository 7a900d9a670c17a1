"""Facts from the card of a run about its network, in a few words each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gliomask.core.counted import counted, listed
from gliomask.core.intensity import CLIP
from gliomask.core.slices import VERSION
from gliomask.report.checklists.facts import Fact
from gliomask.report.checklists.records import (
    Records,
    count_at,
    flag_at,
    number_at,
    text_at,
    texts_at,
)

_CARD = "run/card.json"


def technology(records: Records) -> str | None:
    """The kind of AI."""
    name = text_at(records.card, "network")
    return name and f"deep learning, a segmentation network ({name})"


def data_trained(records: Records) -> str | None:
    """Training data, as stated in the card."""
    data = text_at(records.card, "trained_on")
    return data and f"trained on {data}"


def synthetic_training(records: Records) -> str | None:
    """Synthetic or real origin of the training data."""
    flag = flag_at(records.card, "synthetic")
    return None if flag is None else f"training data are {'' if flag else 'not '}synthetic"


def licence(records: Records) -> str | None:
    """Licence of the weights."""
    terms = text_at(records.card, "licence")
    return terms and f"licence of the weights: {terms}"


def regions(records: Records) -> str | None:
    """Regions that the network segments."""
    names = texts_at(records.card, "regions")
    return f"regions marked: {listed(names)}" if names else None


def sequences(records: Records) -> str | None:
    """Input sequences of the network."""
    names = texts_at(records.card, "sequences")
    return f"MRI sequences: {listed(names)}" if names else None


def preprocessing(records: Records) -> str | None:
    """The preprocessing; its steps only if they are those of this version of it."""
    version = count_at(records.card, "preprocess", "version")
    if version is None:
        return None
    named = f"preprocessing version {version} of gliomask"
    if version != VERSION:
        return named
    steps = f"z-scored over the head and clipped to ±{CLIP:g}; cropped to the head"
    return f"{named}: reoriented to axial slices; each sequence of a volume {steps}"


def inputs(records: Records) -> str | None:
    """The network's input."""
    size, mode = count_at(records.card, "size"), text_at(records.card, "input_mode")
    channels = count_at(records.card, "in_channels")
    if size is None or channels is None or mode is None:
        return None
    return f"axial slices of {size} x {size} pixels, {counted(channels, 'channel')} ({mode})"


def network(records: Records) -> str | None:
    """The network by name, its channels in and out."""
    name, channels = text_at(records.card, "network"), count_at(records.card, "in_channels")
    names = texts_at(records.card, "regions")
    if name is None or channels is None or not names:
        return None
    return f"network {name}, {counted(channels, 'channel')} in, {len(names)} out"


def parameters(records: Records) -> str | None:
    """Number of trainable parameters."""
    count = count_at({"count": records.parameters}, "count")
    return f"{count:,} parameters" if count else None


def output(records: Records) -> str | None:
    """Output of the network, and its conversion to a mask."""
    threshold = number_at(records.card, "threshold")
    temperature = number_at(records.card, "temperature")
    if threshold is None or temperature is None:
        return None
    logits = f"sigmoid of the logits divided by temperature {temperature:g}"
    return f"a probability for each pixel and region ({logits}), cut at {threshold:g}"


def weights(records: Records) -> str | None:
    """The program and the file of weights."""
    program, digest = text_at(records.card, "created_by"), text_at(records.card, "weights_sha256")
    return f"weights written by {program}, SHA-256 {digest}" if program and digest else None


NETWORK_FACTS: Final[Mapping[str, Fact]] = {
    "technology": Fact(technology, _CARD),
    "data_trained": Fact(data_trained, _CARD),
    "synthetic_training": Fact(synthetic_training, _CARD),
    "licence": Fact(licence, _CARD),
    "regions": Fact(regions, _CARD),
    "sequences": Fact(sequences, _CARD),
    "preprocessing": Fact(preprocessing, _CARD),
    "inputs": Fact(inputs, _CARD),
    "network": Fact(network, _CARD),
    "parameters": Fact(parameters, "the weights, counted"),
    "output": Fact(output, _CARD),
    "weights": Fact(weights, _CARD),
}
"""Every fact of a network by name."""
