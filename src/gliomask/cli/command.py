"""A command of the command line, built from the options of its use case."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from gliomask.cli.fields import Field, Typed, fields_of, parameter
from gliomask.cli.spelling import Spelling
from gliomask.errors import ConfigError

if TYPE_CHECKING:
    from gliomask.config.base import Options

Keys = Mapping[str, Any]


@dataclass(frozen=True)
class Extra:
    """A parameter of the command that is not an option of the use case, such as ``--json``.

    Attributes:
        help: its description.
        metavar: placeholder of its value in the help; without one it is a flag.
        flag: flag, if it differs from its name.
        argument: it is a positional argument, with any number of values.
    """

    help: str
    metavar: str = ""
    flag: str = ""
    argument: bool = False

    def spelling(self, name: str) -> Spelling:
        """Spelling of the parameter."""
        if self.argument:
            return Spelling("", metavar=self.metavar)
        return Spelling(self.flag or f"--{name}", bare=not self.metavar)

    def parameter(self, name: str) -> inspect.Parameter:
        """Parameter for typer."""
        if self.argument:
            return parameter(name, list[str], typer.Argument(metavar=self.metavar, hidden=True))
        flag, text = self.spelling(name).on, self.help
        if self.metavar:
            return parameter(name, str, typer.Option(flag, metavar=self.metavar, help=text))
        return parameter(name, bool, typer.Option(flag, help=text, show_default=False))


JSON: Mapping[str, Extra] = {"json": Extra("Print the result as JSON.")}


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        name: name on the command line.
        help: description; its first sentence is shown in the list of commands.
        options: name of the model of its options.
        run: function that is called with the options, and each extra parameter by its name.
        typed: field -> spelling.
        hidden: fields that are not options of the command line.
        extra: name -> parameter.
        module: module of its options in ``gliomask.config``, if its name differs from the command.
        complete: function that returns defaults for missing fields from the given ones.
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
        """Model of its options, imported on first use."""
        module = import_module(f"gliomask.config.{self.module or self.name}")
        model: type[Options] = getattr(module, self.options)
        return model

    @cached_property
    def fields(self) -> dict[str, Field]:
        """Fields of the options by name."""
        return fields_of(self.model, self.typed, self.hidden)

    @property
    def spellings(self) -> dict[str, Spelling]:
        """Spelling of each option, by its name."""
        by_name = {name: extra.spelling(name) for name, extra in self.extra.items()}
        for option in self.fields.values():
            by_name |= option.spellings
        return by_name

    @cached_property
    def parsed(self) -> Any:
        """The command as typer parses it."""

        def call(**values: Any) -> None:
            self._call(values)

        own = [each for item in self.fields.values() for each in item.parameters()]
        own += [extra.parameter(name) for name, extra in self.extra.items()]
        call.__signature__ = inspect.Signature(own)  # type: ignore[attr-defined]
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(self.name)(call)
        parsed: Any = typer.main.get_command(app)
        for item in parsed.params:
            if item.param_type_name == "argument":
                item.display_type_rich = lambda ctx: None  # all are text to typer
        return parsed

    def _call(self, values: dict[str, Any]) -> None:
        from gliomask.config.base import build

        self._check_values(values)
        keys: dict[str, Any] = {}
        for name, option in self.fields.items():
            *groups, own = name.split(".")
            inner = keys
            for group in groups:
                inner = inner.setdefault(group, {})
            if (value := option.value(values)) is not None:
                inner[own] = value
        keys = {**self.complete(keys), **keys}
        options = build(self.model, keys, self.name, typed=True)
        extra = {
            name: values[name] if option.metavar else bool(values[name])
            for name, option in self.extra.items()
        }
        self.run(options, **extra)

    def _check_values(self, values: Mapping[str, Any]) -> None:
        """Refuse an option in place of the value of another one, as in ``--bids --quick``."""
        flags = {
            flag for option in self.spellings.values() for flag in (option.on, option.off) if flag
        }
        typed = [pair for option in self.fields.values() for pair in option.texts(values)]
        typed += [
            (name, values[name]) for name, option in self.extra.items() if not option.argument
        ]
        for name, text in typed:
            if text in flags:
                raise ConfigError(
                    "its value is missing, another option follows",
                    option=name,
                    found=text,
                    hint=f"a file of this name is ./{text}",
                )


def add_to(app: typer.Typer, command: Command, name: str = "") -> None:
    """Add a command whose options are built only when it is called or its help is shown.

    Args:
        app: the application, or a group in it.
        command: to add.
        name: name in a group.
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


def add_group_to(app: typer.Typer, command: Command) -> typer.Typer:
    """Add a command that is also a group: it runs if no command of the group is given.

    Returns:
        the group, for its commands.
    """

    class Lazy(TyperGroup):
        """The group before the options of its own command are known."""

        def get_params(self, ctx: Any) -> list[Any]:
            """All parameters of its own command."""
            self.params = command.parsed.params
            return super().get_params(ctx)

        def invoke(self, ctx: Any) -> Any:
            """Run the group's own command, or the given one."""

            def own(**values: Any) -> None:
                if ctx.invoked_subcommand is None:
                    command.parsed.callback(**values)

            self.callback = own
            return super().invoke(ctx)

    group = typer.Typer(cls=Lazy, help=command.help, invoke_without_command=True)
    app.add_typer(group, name=command.name)
    return group
