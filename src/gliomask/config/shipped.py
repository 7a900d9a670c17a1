"""Model names: run folders, models included in the package, and models that the user added.

Included models are part of the package; ``models add`` copies others to a folder of the user. A
name is converted to a folder once, in the options; all other code uses folders. Nothing here needs
more than the standard library.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Final

from gliomask.errors import ModelError, nearest, option

HOME: Path = Path(__file__).parents[1] / "models"
"""Contains a folder for each included model; absent if there are none."""
DEFAULT: Final = "u2netp-glioma"
"""Default model."""


def shipped_names() -> tuple[str, ...]:
    """Names of the included models, sorted."""
    if not HOME.is_dir():
        return ()
    return tuple(sorted(entry.name for entry in HOME.iterdir() if entry.is_dir()))


def added_home() -> Path | None:
    """Folder of the models that the user has added; None without a home folder.

    ``GLIOMASK_MODELS`` sets another folder, for example for models that a group shares.
    """
    if setting := os.environ.get("GLIOMASK_MODELS"):
        return Path(setting)
    base = os.environ.get("XDG_DATA_HOME", "")
    try:
        # By the XDG Base Directory Specification, a relative path is ignored.
        home = Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share"
    except RuntimeError:
        return None
    return home / "gliomask" / "models"


def added_names() -> tuple[str, ...]:
    """Names of the models that the user has added, sorted; empty if their folder can't be read.

    They include damaged ones, and links that lead nowhere, so that they can be removed. The name of
    an included model always means the included one.
    """
    home = added_home()
    try:
        names = {entry.name for entry in home.iterdir() if _is_added(entry)} if home else set()
    except OSError:
        return ()
    return tuple(sorted(name for name in names - {*shipped_names()} if name[:1] != "."))


def named_folders() -> dict[str, Path]:
    """Folder of each included and each added model by its name; the included ones first."""
    home = added_home()
    added = {name: home / name for name in added_names()} if home else {}
    return {**{name: HOME / name for name in shipped_names()}, **added}


def remedy(name: str) -> str:
    """Remedy for a damaged model that has a name: a command, or advice."""
    if name in shipped_names():
        return "install gliomask again"
    return f"gliomask models remove {shlex.quote(name)}"


def find_model(named: str | Path | None = None, field: str = "model") -> Path:
    """Folder of a model.

    Args:
        named: a path, or a name from ``shipped_names`` or ``added_names``. Text with a separator in
            it, or that names an existing file, is a path; so is every ``Path``. None is
            ``DEFAULT``.
        field: name of the option that it was given for, for errors.

    Returns:
        The folder, which is not checked for a model here.

    Raises:
        ModelError: neither a path nor a known name; the default model is not included.
    """
    if isinstance(named, Path):
        return named
    folders = named_folders()
    if named is None:
        if DEFAULT not in folders:
            what = f"this installation does not include the model {DEFAULT}"
            raise ModelError(what, hint=f"use a run folder: {option('model', 'RUN')}")
        return HOME / DEFAULT
    if _is_path(named):
        return Path(named)
    if named in folders:
        return folders[named]
    raise ModelError(
        "no such path, and no included or added model of this name",
        option=field,
        found=named,
        allowed=" or ".join(filter(None, ("a path", ", ".join(folders)))),
        hint=nearest(named, folders),
    )


def is_shipped(folder: Path) -> bool:
    """Return True for the folder of an included model."""
    return folder.resolve().parent == HOME.resolve()


def _is_added(entry: Path) -> bool:
    return entry.is_dir() or entry.is_symlink()


def _is_path(text: str) -> bool:
    separators = tuple(filter(None, (os.sep, os.altsep)))
    return bool(text) and (
        any(separator in text for separator in separators) or Path(text).exists()
    )
