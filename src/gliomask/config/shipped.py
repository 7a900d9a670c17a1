"""Model names: run folders, models included in the package, and models that the user added.

Included models come inside the package; ``models add`` copies others to a folder of the user. A
name is turned into a folder once, where it is given; everything behind that sees folders only.
Nothing here needs more than the standard library.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from gliomask.errors import ModelError, nearest, option

HOME: Path = Path(__file__).parents[1] / "models"
"""A folder for each model that comes along; absent where none does."""
DEFAULT: Final = "u2netp-glioma"
"""What predicts if no model is named."""


def shipped_names() -> tuple[str, ...]:
    """The models that come inside the package, sorted."""
    if not HOME.is_dir():
        return ()
    return tuple(sorted(entry.name for entry in HOME.iterdir() if entry.is_dir()))


def added_home() -> Path | None:
    """The folder of the models that the user has added; None without a home folder.

    ``GLIOMASK_MODELS`` names another one, for models that a group shares.
    """
    if setting := os.environ.get("GLIOMASK_MODELS"):
        return Path(setting)
    base = os.environ.get("XDG_DATA_HOME", "")
    try:
        # A relative path is to be ignored, says the XDG Base Directory Specification.
        home = Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share"
    except RuntimeError:
        return None
    return home / "gliomask" / "models"


def added_names() -> tuple[str, ...]:
    """The models that the user has added, sorted; none where their folder can't be read.

    The name of an included model stands for that one alone.
    """
    home = added_home()
    try:
        names = {entry.name for entry in home.iterdir() if entry.is_dir()} if home else set()
    except OSError:
        return ()
    return tuple(sorted(name for name in names - {*shipped_names()} if name[:1] != "."))


def find_model(named: str | Path | None = None) -> Path:
    """The folder of a model.

    Args:
        named: a path, or a name from ``shipped_names`` or ``added_names``. Text with a separator
            in it, and the name of something that is there, is a path; so is every ``Path``. None
            is ``DEFAULT``.

    Returns:
        The folder; whether a path leads to a model is found out by those who read it.

    Raises:
        ModelError: neither a path nor a name that is known; the default does not come along.
    """
    if isinstance(named, Path):
        return named
    names = shipped_names()
    if named is None:
        if DEFAULT not in names:
            what = f"this gliomask comes without the model {DEFAULT}"
            raise ModelError(what, hint=f"name a run folder, {option('model', 'RUN')}")
        return HOME / DEFAULT
    if _is_path(named):
        return Path(named)
    if named in names:
        return HOME / named
    added, home = added_names(), added_home()
    if home is not None and named in added:
        return home / named
    known = (*names, *added)
    raise ModelError(
        "no such path, and no included or added model of this name",
        option="model",
        found=named,
        allowed=" or ".join(("a path", *known)),
        hint=nearest(named, known),
    )


def is_shipped(folder: Path) -> bool:
    """Return True for the folder of an included model."""
    return folder.resolve().parent == HOME.resolve()


def _is_path(text: str) -> bool:
    separators = tuple(filter(None, (os.sep, os.altsep)))
    return bool(text) and (
        any(separator in text for separator in separators) or Path(text).exists()
    )
