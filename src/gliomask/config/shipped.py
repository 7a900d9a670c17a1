"""Model names: run folders, or models included in the package.

A name is turned into a folder once, where it is given; everything behind that sees folders only.
Nothing here needs more than the standard library.
"""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from typing import Final

from gliomask.errors import ModelError, nearest, option

HOME: Path = Path(str(resources.files("gliomask"))) / "models"
"""A folder for each model that comes along; absent where none does."""
DEFAULT: Final = "u2netp-glioma"
"""What predicts if no model is named."""


def shipped_names() -> tuple[str, ...]:
    """The models that come inside the package, sorted."""
    if not HOME.is_dir():
        return ()
    return tuple(sorted(entry.name for entry in HOME.iterdir() if entry.is_dir()))


def find_model(named: str | Path | None = None) -> Path:
    """The folder of a model.

    Args:
        named: a path, or a name from ``shipped_names``. Text with a separator in it, and the name
            of something that is there, is a path; so is every ``Path``. None is ``DEFAULT``.

    Returns:
        The folder; whether a path leads to a model is found out by those who read it.

    Raises:
        ModelError: neither a path nor a name that is known; the default does not come along.
    """
    names = shipped_names()
    if named is None:
        if DEFAULT not in names:
            what = f"this gliomask comes without the model {DEFAULT}"
            raise ModelError(what, hint=f"name a run folder, {option('model', 'RUN')}")
        return HOME / DEFAULT
    if isinstance(named, Path) or _is_path(named):
        return Path(named)
    if named in names:
        return HOME / named
    raise ModelError(
        "no such path, and no model of this name comes with gliomask",
        option="model",
        found=named,
        allowed=" or ".join(("a path", *names)),
        hint=nearest(named, names),
    )


def is_shipped(folder: Path) -> bool:
    """Return True for the folder of an included model."""
    return folder.resolve().parent == HOME.resolve()


def _is_path(text: str) -> bool:
    separators = tuple(filter(None, (os.sep, os.altsep)))
    return bool(text) and (
        any(separator in text for separator in separators) or Path(text).exists()
    )
