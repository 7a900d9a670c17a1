"""Recognition of masks by their names (for the sequence see ``name_reading``)."""

from __future__ import annotations

import re

_MASK = re.compile(r"seg.*|.*seg|.*mask|labels?\d*|glistr.*|roi\d*|annotations?|[gcp]tv\d*")


def words_of(name: str) -> list[str]:
    """Words of a name in lower case, separated by anything but letters and digits."""
    return [word.lower() for word in re.split(r"[^A-Za-z0-9]+", name) if word]


def is_mask(name: str) -> bool:
    """Return True if the name of a file states that it is a mask."""
    return any(_MASK.fullmatch(word) for word in words_of(name))
