"""A command of the command line, built from the options of its use case."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from gliomask.cli.fields import OLD, Field, Typed, fields_of, parameter
from gliomask.cli.spelling import Spelling
from gliomask.errors import ConfigError

if TYPE_CHECKING:
    from gliomask.config.base import Options

Keys = Mapping[str, Any]


@dataclass(frozen=True)
class Extra:
    """A parameter that is no option of the use case, but of how it is begun or shown.

    Attributes:
        help: its description.
        metavar: of its value; without one it is a flag.
    """

    help: str
    metavar: str = ""


JSON: Mapping[str, Extra] = {"json": Extra("Print the result as JSON.")}


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        name: as it is typed.
        help: what it does; the beginning stands in the list of commands.
        options: the name of the model of its options.
        run: is given the options, and each extra parameter by its name.
        typed: field -> how it is typed.
        hidden: fields that are no options of the command line.
        extra: name -> parameter.
        module: in ``gliomask.config`` that has its options, if it is not called like the command.
        complete: what was given -> fields that are filled in where they were not given.
    """

    name: str
    help: str
    options: str
    run: Callable[..., None]
    typed: Mapping[str, Typed] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    extra: Mapping[str, Extra] = field(default_factory=lambda: JSON)
    module: str = ""
    complete: Callable[[Keys], Keys] = lambda _: {}

    @cached_property
    def model(self) -> type[Options]:
        """The model of its options, which is imported only now."""
        module = import_module(f"gliomask.config.{self.module or self.name}")
        model: type[Options] = getattr(module, self.options)
        return model

    @cached_property
    def fields(self) -> dict[str, Field]:
        """Its options by their names."""
        return fields_of(self.model, self.typed, self.hidden)

    @property
    def spellings(self) -> dict[str, Spelling]:
        """How each option is typed, by its name."""
        found = {name: Spelling(f"--{name}", bare=not e.metavar) for name, e in self.extra.items()}
        for name, one in self.fields.items():
            found |= {key: Spelling(f"--{key}") for key in one.typed.keys}
            found[name] = found[name.rpartition(".")[2]] = one.spelling
        return found

    @cached_property
    def parsed(self) -> Any:
        """The command as typer parses it."""

        def call(**given: Any) -> None:
            self._call(given)

        own = [each for one in self.fields.values() for each in one.parameters()]
        own += [_extra(name, extra) for name, extra in self.extra.items()]
        call.__signature__ = inspect.Signature(own)  # type: ignore[attr-defined]
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(self.name)(call)
        made: Any = typer.main.get_command(app)
        for one in made.params:
            if one.param_type_name == "argument":
                one.display_type_rich = lambda ctx: None  # all are text to typer
        return made

    def _call(self, given: dict[str, Any]) -> None:
        from gliomask.config.base import build

        self._check_values(given)
        keys: dict[str, Any] = {}
        for name, one in self.fields.items():
            *groups, own = name.split(".")
            inner = keys
            for group in groups:
                inner = inner.setdefault(group, {})
            if (value := one.value(given)) is not None:
                inner[own] = value
        keys = {**self.complete(keys), **keys}
        options = build(self.model, keys, self.name, typed=True)
        extra = {
            name: given[name] if one.metavar else bool(given[name])
            for name, one in self.extra.items()
        }
        self.run(options, **extra)

    def _check_values(self, given: Mapping[str, Any]) -> None:
        """Refuses an option in the place of another one's value, as in ``--bids --quick``."""
        flags = {flag for one in self.spellings.values() for flag in (one.on, one.off) if flag}
        for name, value in given.items():
            texts = value if isinstance(value, list | tuple) else [value]
            if found := next((text for text in texts if text in flags), None):
                raise ConfigError(
                    "its value is missing, another option follows",
                    option=name.removesuffix(OLD).replace("__", "."),
                    found=found,
                    hint=f"a file of this name is ./{found}",
                )


def add_to(app: typer.Typer, command: Command, name: str = "") -> None:
    """Adds a command whose options are looked at only when it is called, or its help is.

    Args:
        app: the application, or a group in it.
        command: to add.
        name: in a group.
    """

    class Lazy(TyperCommand):
        """The command before its options are known."""

        def get_params(self, ctx: Any) -> list[Any]:
            """All its parameters."""
            self.params = command.parsed.params
            return super().get_params(ctx)

        def invoke(self, ctx: Any) -> Any:
            """Runs it."""
            return ctx.invoke(command.parsed.callback, **ctx.params)

    app.command(name or command.name, cls=Lazy, help=command.help)(lambda: None)


def _extra(name: str, extra: Extra) -> inspect.Parameter:
    flag = f"--{name}"
    if extra.metavar:
        return parameter(name, str, typer.Option(flag, metavar=extra.metavar, help=extra.help))
    return parameter(name, bool, typer.Option(flag, help=extra.help, show_default=False))
