"""A model among the options of a use case: named as people name it, a folder from there on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from gliomask.config.shipped import find_model, is_shipped
from gliomask.errors import ModelError


def _found(named: object) -> Path:
    if named is None or isinstance(named, str | Path):
        return find_model(named)
    raise ValueError("a folder or the name of a model")


def _several(named: object) -> object:
    """One model may be given without brackets."""
    return (named,) if isinstance(named, str | Path) else named


def _own(named: object) -> Path:
    folder = _found(named)
    if is_shipped(folder):
        hint = "copy its folder and name the copy"
        raise ModelError("a model that comes with gliomask is not changed", path=folder, hint=hint)
    return folder


Model = Annotated[Path, BeforeValidator(_found)]
"""The folder of a model; None stands for the one that is taken where none is named."""
Models = Annotated[tuple[Model, ...], Field(min_length=1), BeforeValidator(_several)]
"""Folders of one model or more."""
OwnModel = Annotated[Path, BeforeValidator(_own)]
"""The folder of a model that may be changed, which those that come along may not."""
