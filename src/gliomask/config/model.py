"""Option types for models: a name or a folder is converted to a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo

from gliomask.config.shipped import find_model, is_shipped
from gliomask.errors import ModelError


def _model_folder(named: object, info: ValidationInfo) -> Path:
    if named is None or isinstance(named, str | Path):
        return find_model(named, info.field_name or "model")
    raise ValueError("a folder or the name of a model")


def _several(named: object) -> object:
    """Tuple of models; a single model may be given without brackets."""
    return (named,) if isinstance(named, str | Path) else named


def _own(named: object, info: ValidationInfo) -> Path:
    folder = _model_folder(named, info)
    if is_shipped(folder):
        hint = "copy its folder and use the copy"
        raise ModelError("an included model can't be changed", path=folder, hint=hint)
    return folder


Model = Annotated[Path, BeforeValidator(_model_folder)]
"""Folder of a model; None is converted to the folder of the default model."""
Models = Annotated[tuple[Model, ...], Field(min_length=1), BeforeValidator(_several)]
"""Folders of one or more models."""
OwnModel = Annotated[Path, BeforeValidator(_own)]
"""Folder of a model that may be changed; included models may not."""
