"""Conversion of the fields of an options model to parameters of the command line."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin

import typer

from gliomask.cli.spelling import Spelling
from gliomask.errors import ConfigError

if TYPE_CHECKING:
    from gliomask.config.base import Options

Kind = Literal["flag", "one", "several", "fixed", "mapping"]
_OLD: Final = "_old"
"""Suffix of hidden parameters for flags of earlier versions."""
_METAVARS: Final = {
    "int": "INTEGER",
    "float": "FLOAT",
    "str": "TEXT",
    "ByteSize": "SIZE",
    Path.__name__: "PATH",
    date.__name__: "DATE",
}


@dataclass(frozen=True)
class Typed:
    """Spelling of a field where it differs from the default for its name and type.

    Attributes:
        flag: flag, if it differs from the field's name; for a group of options, it takes
            NAME=VALUE.
        off: flag that turns it off, if it differs from ``--no-`` and its name.
        metavar: placeholder of its value in the help.
        argument: it is a positional argument.
        default: description of the default; the option may then be omitted.
        commas: a list is one value with commas, instead of a repeated option.
        keys: name -> help of the options that set the keys of a mapping.
        old: hidden flag of earlier versions; if the field is on by default, it turns it off.
    """

    flag: str = ""
    off: str = ""
    metavar: str = ""
    argument: bool = False
    default: str = ""
    commas: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)
    old: str = ""


@dataclass(frozen=True)
class Field:
    """A field of an options model.

    Attributes:
        name: name, with a prefix of its group and a dot if it is in a group.
        kind: type of its value.
        size: number of values, if fixed.
        metavar: placeholder of its value in the help.
        help: its description.
        required: it has no default.
        default: its default, None if there is nothing to show.
        typed: see ``Typed``.
        members: names of the fields in a group of options that is given as NAME=VALUE.
    """

    name: str
    kind: Kind
    size: int
    metavar: str
    help: str
    required: bool
    default: object
    typed: Typed
    members: tuple[str, ...] = ()

    @property
    def spellings(self) -> dict[str, Spelling]:
        """Spellings of the field, by its names in errors."""
        by_name = {key: Spelling(f"--{key}") for key in self.typed.keys}
        for member in self.members:
            by_name[f"{self.name}.{member}"] = Spelling(self.spelling.on, key=member)
        return {**by_name, self.name: self.spelling, self.name.rpartition(".")[2]: self.spelling}

    @property
    def spelling(self) -> Spelling:
        """Spelling of the field on the command line."""
        if self.typed.argument:
            return Spelling("", metavar=self.metavar)
        own = self.name.rpartition(".")[2]
        on = self.typed.flag or f"--{own.replace('_', '-')}"
        has_off = self.kind == "flag" and self.default is not False
        off = (self.typed.off or f"--no-{on[2:]}") if has_off else ""
        return Spelling(on, off, bare=self.kind == "flag")

    def parameters(self) -> list[inspect.Parameter]:
        """Parameters for typer: one parameter, or one for each key of a mapping."""
        if self.typed.keys:
            return [
                parameter(key, str, typer.Option(f"--{key}", metavar="PATH", help=text))
                for key, text in self.typed.keys.items()
            ]
        old = self.typed.old
        hidden = [parameter(self._parsed + _OLD, self._type, typer.Option(old, hidden=True))]
        return [self._parameter(), *(hidden if old else [])]

    def value(self, values: Mapping[str, Any]) -> object:
        """Value from the command line; None if the option was not used.

        Args:
            values: name of a parameter -> what was typed.

        Raises:
            ConfigError: a text that is not a pair of key and value; a key given twice.
        """
        if self.typed.keys:
            return {key: values[key] for key in self.typed.keys if values[key] is not None} or None
        old = values.get(self._parsed + _OLD)
        if old is not None:
            lone = self.kind == "flag" and "/" not in self.typed.old
            return self.default is not True if lone else old
        value = values[self._parsed]
        if value is None or value == []:
            return None
        if self.kind == "mapping":
            return self._pairs(value)
        if self.typed.commas:
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    def texts(self, values: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
        """Name of the option and text, for each option that was typed.

        Args:
            values: name of a parameter -> what was typed.
        """
        keys = {key: key for key in self.typed.keys}
        for name, option in (keys or {self._parsed: self.name}).items():
            value = values[name]
            for text in value if isinstance(value, list | tuple) else [value]:
                yield option, text

    @property
    def _parsed(self) -> str:
        """Name of the parameter for typer."""
        return self.name.replace(".", "__")

    @property
    def _type(self) -> Any:
        match self.kind:
            case "flag":
                return bool
            case "several" | "mapping" if not self.typed.commas:
                return list[str]
            case "fixed":
                return tuple[(str,) * self.size]  # type: ignore[misc]
        return str

    def _parameter(self) -> inspect.Parameter:
        required = self.required and not self.typed.default
        settings: dict[str, Any] = {"metavar": self.metavar, "help": self._text()}
        if self.typed.argument:
            info: Any = typer.Argument(**settings)
        elif self.kind == "flag":
            flags = "/".join(filter(None, (self.spelling.on, self.spelling.off)))
            default = self.spelling.on.lstrip("-") if self.default is True else ""
            text = f"{self.help}{_default_text(default)}"
            info = typer.Option(flags, help=text, show_default=False)
        else:
            info = typer.Option(self.spelling.on, **settings)
        return parameter(self._parsed, self._type, info, required=required)

    def _text(self) -> str:
        """Help text: its description, whether it can be repeated, and its default."""
        repeatable = self.kind in ("several", "mapping") and not self.typed.commas
        again = " Can be given several times." if repeatable and not self.typed.argument else ""
        default = self.default
        if isinstance(default, tuple):
            default = ("," if self.typed.commas else " ").join(map(str, default))
        known = self.typed.default or ("" if default is None else str(default))
        return f"{self.help}{again}{_default_text(known)}"

    def _pairs(self, texts: Iterable[str]) -> dict[str, str]:
        pairs: dict[str, str] = {}
        for text in texts:
            key, _, value = (part.strip() for part in text.partition("="))
            if not key or not value:
                raise ConfigError(
                    "not understood", option=self.name, found=text, allowed=self.metavar
                )
            if key in pairs:
                raise ConfigError(f"{key} is given twice", option=self.name, found=text)
            pairs[key] = value
        return pairs


def fields_of(
    model: type[Options], typed: Mapping[str, Typed], hidden: Sequence[str], group: str = ""
) -> dict[str, Field]:
    """Fields of a model that are options of the command line, by name.

    Its own fields come before those that it shares with other models. The fields of a model among
    its fields are options like its own, named with a dot.
    """
    fields: dict[str, Field] = {}
    every = sorted(
        model.model_fields.items(), key=lambda item: item[0] not in model.__annotations__
    )
    for own, info in every:
        name, kind = f"{group}{own}", _bare(info.annotation)
        if name in hidden:
            continue
        if _is_group(kind) and name not in typed:
            fields |= fields_of(kind, typed, hidden, f"{name}.")
        else:
            fields[name] = _field(name, info, typed.get(name, Typed()))
    return fields


def parameter(name: str, kind: Any, info: Any, *, required: bool = False) -> inspect.Parameter:
    """Parameter for the signature that typer reads; an omitted one is None."""
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if required else None,
        annotation=Annotated[kind if required else kind | None, info],
    )


def _field(name: str, info: Any, typed: Typed) -> Field:
    kind, inner, size = _kind(info.annotation)
    computed = info.is_required() or info.default_factory is not None or kind == "mapping"
    default = None if computed else info.default
    return Field(
        name=name,
        kind=kind,
        size=size,
        metavar=typed.metavar or ("NAME=VALUE" if _is_group(inner) else _metavar(inner)),
        help=" ".join((info.description or "").replace("``", "").split()),
        required=info.is_required(),
        default=default,
        typed=typed,
        members=tuple(inner.model_fields) if _is_group(inner) else (),
    )


def _kind(annotation: Any) -> tuple[Kind, Any, int]:
    """Decompose a type: kind of its values, type of one value, and number of values."""
    annotation = _bare(annotation)
    origin, args = get_origin(annotation), get_args(annotation)
    if annotation is bool:
        return "flag", bool, 1
    if origin is tuple and Ellipsis in args:
        return "several", _bare(args[0]), 1
    if origin is tuple:
        return "fixed", _bare(args[0]), len(args)
    if _is_group(annotation):
        return "mapping", annotation, 1
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "mapping", str, 1
    return "one", annotation, 1


def _is_group(kind: Any) -> bool:
    """Return True if a type is a model of options."""
    return isinstance(getattr(kind, "model_fields", None), dict)


def _default_text(default: str) -> str:
    return f"  [default: {default}]" if default else ""


def _bare(annotation: Any) -> Any:
    """A type without its limits, and without None."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _bare(get_args(annotation)[0])
    if origin in (Union, UnionType):
        (kind,) = (argument for argument in get_args(annotation) if argument is not type(None))
        return _bare(kind)
    return annotation


def _metavar(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return f"[{'|'.join(map(str, get_args(kind)))}]"
    return _METAVARS.get(kind.__name__, "TEXT")
