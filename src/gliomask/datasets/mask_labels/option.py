"""Parser of the option ``labels``, which states the meaning of the numbers in masks."""

from __future__ import annotations

import re

from gliomask.config.choices import AUTO as AUTO
from gliomask.core.label_scheme import LabelScheme
from gliomask.core.labels import BACKGROUND, CAVITY, CORE, ENHANCING, NECROSIS, OEDEMA, TUMOUR
from gliomask.datasets.mask_labels.names import label_of
from gliomask.datasets.mask_labels.numbers import SCHEMES
from gliomask.errors import ConfigError, nearest

NAMES = {
    BACKGROUND: "background",
    NECROSIS: "necrosis",
    OEDEMA: "oedema",
    ENHANCING: "enhancing",
    CAVITY: "cavity",
    TUMOUR: "tumour",
    CORE: "core",
}
"""Label -> its name in the option."""
EXAMPLE = "1=necrosis,2=oedema,3=enhancing"
_THRESHOLD = re.compile(r"threshold=(\d{1,9})")
_PAIR = re.compile(r"\s*(-?\d{1,9})\s*[=:]\s*(.+?)\s*")


def scheme_of_option(text: str, option: str = "labels") -> LabelScheme | None:
    """Label scheme of an option; None for ``auto``.

    Args:
        text: ``auto``, a key of ``SCHEMES``, ``threshold=N`` (numbers of N or more are tumour), or
            a number and a name for each label: ``1=oedema,2=necrosis,3=enhancing``; negative
            numbers, which some tools give unannotated voxels, can only be background.
        option: its name, for the error.

    Raises:
        ConfigError: it is none of these.
    """
    word = text.strip().lower()
    if word == AUTO:
        return None
    if word in SCHEMES:
        return SCHEMES[word]
    if at := _THRESHOLD.fullmatch(word):
        return LabelScheme(f"{at[1]} or more is tumour", binary=True, least=max(1, int(at[1])))
    if "=" not in word and ":" not in word:
        hint = nearest(word, SCHEMES)
        raise ConfigError(
            "unknown labels", option=option, found=text, allowed=f"{allowed_values()}", hint=hint
        )
    return LabelScheme(text, tuple(sorted(_pairs(text, option).items())))


def allowed_values() -> str:
    """Allowed values, for messages and help."""
    return f"{AUTO}, {', '.join(SCHEMES)}, threshold=128, or numbers with names: {EXAMPLE}"


def _pairs(text: str, option: str) -> dict[int, int]:
    names = ", ".join(NAMES.values())
    values: dict[int, int] = {}
    for part in text.split(","):
        pair = _PAIR.fullmatch(part)
        label = None if pair is None else label_of(pair[2])
        misread = pair is not None and int(pair[1]) < 0 and label != BACKGROUND
        if pair is None or label is None or misread:
            allowed_names = (
                f"NUMBER=NAME, with NAME one of {names}; a negative NUMBER is {NAMES[BACKGROUND]}"
            )
            raise ConfigError("unknown label", option=option, found=part, allowed=allowed_names)
        number = int(pair[1])
        if number in values:
            raise ConfigError("a number is given twice", option=option, found=text)
        if number:
            values[number] = label
        elif label != BACKGROUND:
            raise ConfigError("0 is background", option=option, found=part)
    if not set(values.values()) - {BACKGROUND, CAVITY}:
        raise ConfigError("no number is tumour", option=option, found=text)
    return values
