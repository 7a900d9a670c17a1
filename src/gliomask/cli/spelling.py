"""Spelling of options: option names between backticks in errors and notes are converted to
flags."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

_MARKED = re.compile(r"`([^`]{1,1000})`")
_SAME = "..."
_MOST_OF_A_COMMAND = 400


@dataclass(frozen=True)
class Spelling:
    """Spelling of one option of a command.

    Attributes:
        on: the flag; empty for an argument.
        off: the flag that turns it off, if there is one.
        bare: it takes no value.
        key: its value is KEY=VALUE with this key.
        metavar: placeholder of an argument in the help.
    """

    on: str
    off: str = ""
    bare: bool = False
    key: str = ""
    metavar: str = ""

    def typed(self, value: str | None) -> str:
        """The option with a value; without one only its name, or the placeholder of an argument."""
        if value is None and not self.on and not self.bare:
            return self.metavar
        if self.bare:
            return self.off if value == "False" or not self.on else self.on
        words = [self.on] if self.on else []
        if self.key:
            value = self.key if value is None else f"{self.key}={value}"
        return " ".join([*words, *([] if value is None else [shlex.quote(value)])])


Spellings = Mapping[str, Spelling]
"""Field of an option -> spelling."""


def spelled(text: str) -> str:
    """Convert the options in a text to flags.

    Args:
        text: text with options marked by ``errors.option`` and ``errors.same_with``. Text between
            backticks that is not an option of the running command, or of the command named with it,
            is not changed.
    """
    if "`" not in text:
        return text
    known = spellings()
    running = running_command()
    return _MARKED.sub(lambda mark: _typed(mark[1], running, known) or mark[0], text)


def running_command() -> str:
    """The running command, with the names of its groups; empty if none is known."""
    known = spellings()
    words = sys.argv[1:]
    start = next((n for n, word in enumerate(words) if word in known), len(words))
    names = (" ".join(words[start : start + count]) for count in (3, 2, 1))
    return next((name for name in names if name in known), "")


def _typed(inner: str, running: str, known: Mapping[str, Spellings]) -> str | None:
    try:
        words = shlex.split(inner)
    except ValueError:
        return None
    if not words:
        return None
    first, *others = words
    own = known.get(running, {})
    if first == _SAME:
        return _join(given_command(running), others, own)
    if others and first in known:
        return _join(f"gliomask {first}", others, known[first])
    return _join("", words, own)


def _join(command: str, settings: Sequence[str], options: Spellings) -> str | None:
    typed = [command] if command else []
    for setting in settings:
        name, equals, value = setting.partition("=")
        option = options.get(name)
        if option is None:
            return None
        typed.append(option.typed(value if equals else None))
    return " ".join(typed)


def given_command(running: str) -> str:
    """The command line that was typed; a long one is cut."""
    command = shlex.join(["gliomask", *sys.argv[1:]])
    return command if len(command) <= _MOST_OF_A_COMMAND else f"gliomask {running} ..."


@cache
def spellings() -> Mapping[str, Spellings]:
    """Command -> spellings of its options."""
    from gliomask.cli.main import spellings as of_all

    return of_all()
