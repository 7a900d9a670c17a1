"""What names tell: the sequence of a file or channel, and whether it is a mask."""

from __future__ import annotations

import re

_WORDS = {
    "flair": re.compile(r"(t2w?)?flair|t2f"),
    "t1ce": re.compile(r"t1w?(ce|c|gd|gad|post|postgd|contrast|enhanced)"),
    "t1": re.compile(r"t1(w|n|native|pre|wpre)?"),
    "t2": re.compile(r"t2(w|tse|fse)?"),
}
_CONTRAST = {"ce", "c", "gd", "gad", "gadolinium", "post", "postcontrast", "contrast", "enhanced"}
_NATIVE = {"pre", "native", "precontrast"}
_PROCESSED = {"brain", "bet", "stripped", "skullstripped", "ss", "bias", "n4", "reg", "registered",
              "coreg", "resampled", "norm", "image", "img", "axial", "ax", "3d", "2d"}  # fmt: skip
_MASK = re.compile(r"seg.*|dseg|.*mask|labels?|glistr.*|roi")


def words_of(name: str) -> list[str]:
    """The words of a name, in lower case: what stands between anything but letters and digits."""
    return [word.lower() for word in _split(name)]


def is_mask(name: str) -> bool:
    """Whether a file's name says that it holds a mask, not an image."""
    return any(_MASK.fullmatch(word) for word in words_of(name))


def sequences_in(name: str) -> set[str]:
    """The MR sequences that a name speaks of, by their canonical names.

    One is a clear answer. None means that the name doesn't tell; several (``t1_in_t2_space``)
    that it can be understood in more than one way.

    >>> sequences_in("sub-1_T1w_post"), sequences_in("T2-FLAIR"), sequences_in("brain")
    ({'t1ce'}, {'flair'}, set())
    """
    words = words_of(name)
    found = {kind for word in words if (kind := _kind(word))}
    if "flair" in found:
        found.discard("t2")  # FLAIR is T2-weighted, and many names say so
    if "t1" in found and _CONTRAST & set(words) and not _NATIVE & set(words):
        found = (found - {"t1"}) | {"t1ce"}
    return found


def without_sequence(name: str) -> str:
    """What is left of a name without the words for the sequence and for how it was processed.

    Files of one examination have this in common.

    >>> without_sequence("Sub-01_T1w_brain"), without_sequence("flair")
    ('Sub-01', '')
    """
    noise = _CONTRAST | _NATIVE | _PROCESSED
    return "-".join(w for w in _split(name) if not _kind(w.lower()) and w.lower() not in noise)


def _kind(word: str) -> str | None:
    return next((kind for kind, pattern in _WORDS.items() if pattern.fullmatch(word)), None)


def _split(name: str) -> list[str]:
    return [word for word in re.split(r"[^A-Za-z0-9]+", name) if word]
