"""Models that the user has added under a name, in a folder outside the package."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gliomask.config.shipped import added_home, added_names, shipped_names
from gliomask.core.atomic import MARK, atomic_folder
from gliomask.core.identity import safe_name
from gliomask.errors import ConfigError, MachineError, ModelError, nearest, option, reason_of
from gliomask.nets.arrays import WEIGHTS_FILE, read_arrays
from gliomask.nets.cards import CARD_FILE

RESERVED: Final = ("show", "list", "add", "import", "remove")
"""Words that ``gliomask models`` takes as its subcommands, so no model may be called so."""


@dataclass(frozen=True)
class AddedModel:
    """A model that was added.

    Attributes:
        name: for the command line and the API.
        folder: of the copy.
        licence: of the weights.
    """

    name: str
    folder: Path
    licence: str


def add_model(source: Path, name: str | None = None) -> AddedModel:
    """Copy a model folder to the user's models, after verifying the checksum of its weights.

    Args:
        source: folder with weights and card; its other files are not copied.
        name: of the added model; None takes the folder's.

    Raises:
        ConfigError: the name is taken, or invalid. ModelError: the model is incomplete, see
            ``read_arrays``. MachineError: there is no home folder, or it can't be written.
    """
    name = source.resolve().name if name is None else name
    _check_name(name)
    _, card = read_arrays(source)
    folder = _home() / name
    with atomic_folder(folder, replace=False) as copy:
        for file in (CARD_FILE, WEIGHTS_FILE):
            shutil.copyfile(source / file, copy / file)
        read_arrays(copy)
    return AddedModel(name, folder, card.licence)


def remove_model(name: str) -> Path:
    """Delete the folder of a model that was added; of a link to a folder, only the link.

    Raises:
        ModelError: no model of this name was added.
        MachineError: it can't be deleted.
    """
    names = added_names()
    if name not in names:
        raise ModelError(
            "no model of this name was added",
            field="model",
            found=name,
            allowed=" or ".join(names) or "none, no model was added",
            hint=nearest(name, names),
        )
    folder = _home() / name
    aside = folder.with_name(f"{MARK}{uuid.uuid4().hex[:12]}-old")
    try:
        if folder.is_symlink():
            folder.unlink()
        else:
            folder.replace(aside)
            shutil.rmtree(aside)
    except OSError as error:
        rest = aside if aside.exists() else folder
        raise MachineError(f"can't be deleted: {reason_of(error)}", path=rest) from None
    return folder


def _home() -> Path:
    home = added_home()
    if home is None:
        what = "there is no home folder to keep models in"
        raise MachineError(what, hint="set GLIOMASK_MODELS to a folder")
    return home


def _check_name(name: str) -> None:
    if name != safe_name(name) or name[:1] in ".-":
        raise ConfigError(
            "invalid name of a model",
            option="name",
            found=name,
            allowed="letters, digits, - and _",
        )
    if name in RESERVED:
        raise ConfigError(
            "a subcommand of `gliomask models` has this name",
            option="name",
            found=name,
            hint=_another(name),
        )
    if name in shipped_names():
        raise ConfigError(
            "an included model has this name", option="name", found=name, hint=_another(name)
        )
    if name in added_names():
        remove = f"`gliomask models remove {name}` first"
        raise ConfigError(
            "a model of this name was added already",
            option="name",
            found=name,
            hint=f"{remove}, or {_another(name)}",
        )


def _another(name: str) -> str:
    return f"choose another name, {option('name', f'{name}-2')}"
