"""Base class of all options: frozen models that report a wrong key or value in one line."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

from gliomask.errors import ConfigError, nearest


class Options(BaseModel):
    """Base of every group of options: frozen, and strict about its keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: object, info: ValidationInfo) -> object:
        """Refuses ``true`` where a number belongs: pydantic would take it as 1."""
        kinds = _types_in(cls.model_fields[str(info.field_name)].annotation)
        numeric = any(isinstance(kind, type) and issubclass(kind, int | float) for kind in kinds)
        if numeric and bool not in kinds and _holds_truth(value):
            raise ValueError("a number, not true or false")
        return value

    def plain(self, exclude: Collection[str] = ()) -> dict[str, Any]:
        """The options as JSON values, for a record; paths are kept byte for byte."""
        keys = self.model_dump(exclude=set(exclude))
        plain: dict[str, Any] = json.loads(json.dumps(keys, default=str))
        return plain


def _types_in(annotation: object) -> set[object]:
    """The types that an annotation is made of, e.g. dict, str and float of ``dict[str, float]``."""
    parts = get_args(annotation)
    return {annotation, *(kind for part in parts for kind in _types_in(part))}


def _holds_truth(value: object) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_holds_truth, value))
    if isinstance(value, dict):
        return _holds_truth(list(value.values()))
    return isinstance(value, bool)


def distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """Check that no name occurs twice, as a validator of pydantic.

    Raises:
        ValueError: one does.
    """
    if len(set(names)) < len(names):
        raise ValueError("names that differ from each other")
    return names


AnyOptions = TypeVar("AnyOptions", bound=Options)


def build(
    model: type[AnyOptions], keys: dict[str, Any], source: str, *, typed: bool = False
) -> AnyOptions:
    """Create options from keys and values; a problem is reported in one line.

    Args:
        model: model of the options.
        keys: field name -> value.
        source: origin of the keys, for the error.
        typed: the keys were given as options of a use case, not in a file.

    Raises:
        ConfigError: the first problem, with the key, its value and the allowed values.
    """
    try:
        return model.model_validate(keys)
    except ValidationError as problems:
        problem = problems.errors()[0]
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] in ("extra_forbidden", "invalid_key"):
        known = _keys(model)
        hint = nearest(key, known) or f"known: {', '.join(known)}"
        raise ConfigError(f"unknown key {key!r}", path=source, hint=hint)
    raise ConfigError(
        "value not allowed",
        path=source,
        field=key,
        option=_field_at(model, problem["loc"]) if typed else None,
        found=_as_typed(problem["input"]),
        allowed=allowed(problem),
    )


def _field_at(model: type[BaseModel], place: tuple[int | str, ...]) -> str:
    """Path of the field with the problem, with its groups, without the index of an item."""
    first, *rest = map(str, place)
    info = model.model_fields.get(first)
    kind = None if info is None else info.annotation
    if rest and isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"{first}.{_field_at(kind, tuple(rest))}"
    return first


def _as_typed(value: object) -> object:
    """Value as it is typed: the items of a list with commas."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def allowed(problem: ErrorDetails) -> str:
    """Description of the allowed values for an error of pydantic."""
    limits = {
        name: f"{value:g}" for name, value in problem.get("ctx", {}).items() if _is_number(value)
    }
    match problem["type"]:
        case "literal_error" | "enum":
            return str(problem["ctx"]["expected"]).replace("'", "").replace(" or ", ", ")
        case "greater_than":
            return f"more than {limits['gt']}"
        case "greater_than_equal":
            return f"{limits['ge']} or more"
        case "less_than":
            return f"less than {limits['lt']}"
        case "less_than_equal":
            return f"{limits['le']} or less"
        case "too_short" | "string_too_short":
            return f"{limits['min_length']} or more"
        case "too_long" | "string_too_long":
            return f"{limits['max_length']} or fewer"
        case "string_pattern_mismatch":
            return f"text like {problem['ctx']['pattern']}"
        case "value_error":
            return str(problem["ctx"]["error"])
    family = problem["type"].split("_")[0]
    return _KINDS.get(family, "another value")


_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a number",
    "bool": "true or false",
    "string": "text",
    "path": "a path",
    "date": "a date, YYYY-MM-DD",
    "byte": "a size, e.g. 1.5GB",
    "tuple": "a list",
    "list": "a list",
    "set": "a list",
    "dict": "keys with values",
    "mapping": "keys with values",
    "model": "keys with values",
    "missing": "a value, which is missing",
    "none": "nothing",
}
"""Prefix of the name of pydantic's error -> description of the allowed values."""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    """All keys of nested options, with dots."""
    keys = []
    for name, info in model.model_fields.items():
        keys.append(prefix + name)
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            keys += _keys(info.annotation, f"{prefix}{name}.")
    return keys
