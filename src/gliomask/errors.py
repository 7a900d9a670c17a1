"""The errors that a user may meet, as one tree, each with the exit code of the command line.

    GliomaskError            1   our own bug, when nothing below fits
    ├── InputError           2   what was given can't be used
    │   ├── FormatError      2     a file is not what it claims to be, or is damaged
    │   ├── LayoutError      2     a folder holds no data set that we know
    │   ├── CaseError        2     one case (patient, study) can't be used
    │   ├── CasesError       2     several can't: all are listed at once
    │   ├── QuestionError    2     the input is ambiguous: an option resolves it
    │   ├── ConfigError      2     an option, a recipe key, the name of a network
    │   ├── StoreError       2     a prepared store or its split
    │   └── ModelError       2     a run folder, a model card, weights
    ├── BatchError           3   a batch finished and some of its cases failed
    ├── MachineError         4   disk, memory, device, network
    ├── PackageError         4   a package that an extra brings is not installed
    └── StoppedError   130/143   a stop was requested, and the work ended cleanly

The text of an error is one line: the path, what is wrong, the field with what was found and what
is allowed, and what to do where there is something to do. An option stands in it between backticks
under the name that it has in Python (see ``option``); a front door spells it in its own way.
"""

from __future__ import annotations

import difflib
import errno
import os
import shlex
import signal
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Final

Failure = tuple[str, str]
"""(case, reason): a part of a batch that could not be done."""
_PACKAGE: Final = Path(__file__).parent
_FORBIDDEN: Final = (errno.EACCES, errno.EPERM, errno.EROFS)


class GliomaskError(Exception):
    """The root of the tree.

    Args:
        what: what is wrong, without a full stop.
        path: the file or folder that it is wrong with.
        field: the name of the header field, column or key.
        option: the name of the option, instead of ``field``.
        found: the value found there (shortened to 80 characters in the text).
        allowed: the values allowed there, in words.
        hint: what to do about it; options in it by ``option`` and ``same_with``.
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        path: str | Path | None = None,
        field: str | None = None,
        option: str | None = None,
        found: object = None,
        allowed: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.what, self.path, self.field, self.option = what, path, option or field, option
        self.found, self.allowed, self.hint = found, allowed, hint
        super().__init__(what)

    def __str__(self) -> str:
        text = f"{_one_line(self.path, 300)}: {self.what}" if self.path is not None else self.what
        if self.field is not None:
            limits = f", allowed {self.allowed}" if self.allowed else ""
            name = f"`{self.option}`" if self.option is not None else self.field
            text += f" ({name}={_one_line(self.found, 80)}{limits})"
        return _one_line(f"{text}; {self.hint}" if self.hint else text, 2000)


class InputError(GliomaskError):
    """The input can't be used."""

    exit_code = 2


class FormatError(InputError):
    """A file is not what it claims to be, or is damaged."""


class LayoutError(InputError):
    """A folder holds no data set that is known."""


class CaseError(InputError):
    """One case can't be used."""


class UnchangedError(CaseError):
    """A corrected mask equals the mask that it was drawn on."""


class CasesError(InputError):
    """Several cases can't be used.

    Args:
        what: the summary, one line.
        problems: one (case, reason) pair for each, in the order to be shown.
        path: of the data set.
        hint: what to do about it.
    """

    def __init__(
        self,
        what: str,
        problems: Iterable[tuple[str, str]],
        *,
        path: str | Path | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(what, path=path, hint=hint)
        self.problems = tuple(problems)


class QuestionError(InputError):
    """The input is ambiguous; an option resolves the ambiguity.

    Args:
        what: what is in doubt, one line.
        option: that answers.
        answers: (value of the option, what it means), the likeliest first.
        path: what it is about.
    """

    def __init__(
        self,
        what: str,
        *,
        option: str,
        answers: Iterable[tuple[str, str]],
        path: str | Path | None = None,
    ) -> None:
        self.answers = tuple(answers)
        ways = [f"{same_with((option, value))} ({meaning})" for value, meaning in self.answers]
        super().__init__(what, path=path, hint=f"say which: {' or '.join(ways)}")
        self.option = option


class ConfigError(InputError):
    """An option, a key of a recipe, the name of a network."""


class StoreError(InputError):
    """A prepared store or its split can't be used."""


class ModelError(InputError):
    """A run folder, a model card or its weights can't be used."""


class BatchError(GliomaskError):
    """A batch finished and some of its cases failed.

    Args:
        failures: one (case, reason) pair for each case that failed.
        result: what the workflow returns of the others, None if it has nothing.
    """

    exit_code = 3

    def __init__(self, what: str, failures: Iterable[Failure] = (), result: object = None) -> None:
        super().__init__(what)
        self.failures, self.result = tuple(failures), result


class MachineError(GliomaskError):
    """The machine can't do it: disk, memory, device, network."""

    exit_code = 4


class PackageError(GliomaskError):
    """A package that an extra of gliomask brings is not installed."""

    exit_code = 4


class StoppedError(GliomaskError):
    """A stop was requested, and the work was left in good order.

    Args:
        what: happened.
        signal_number: of the signal that requested it; SIGTERM's for a request by a program.
    """

    def __init__(self, what: str, *, signal_number: int = signal.SIGTERM) -> None:
        super().__init__(what)
        self.exit_code = 128 + signal_number


def option(name: str, value: object = None, *, command: str = "") -> str:
    """An option as messages name it, for a front door to spell in its own way.

    Args:
        name: of the field of the command's options.
        value: to give it; ``False`` of one that is on by default.
        command: the use case that has the option, where that may be another than the running one.

    >>> option("labels"), option("t1", "my scan.nii"), option("fold", 0, command="train")
    ('`labels`', "`t1='my scan.nii'`", '`train fold=0`')
    """
    setting = name if value is None else f"{name}={_quoted(value)}"
    return f"`{command} {setting}`" if command else f"`{setting}`"


def same_with(*settings: tuple[str, object]) -> str:
    """The call that was made, with options more, for a front door to spell in its own way.

    >>> same_with(("series", "t1=3"), ("series", "t1ce=4"))
    '`... series=t1=3 series=t1ce=4`'
    """
    return f"`... {' '.join(f'{name}={_quoted(value)}' for name, value in settings)}`"


def _quoted(value: object) -> str:
    return shlex.quote(printable(str(value)).replace("`", "\\x60"))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` is most likely a slip of, as a hint; None if none is near."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else None


def machine_error(problem: OSError, path: str | Path | None = None) -> MachineError:
    """An error of the operating system as one of ours, with the path that it is about.

    Where a file or folder may not be made, that is the folder that forbids it.

    Args:
        problem: what the system raised.
        path: what was being written, for an error that names no path itself (a full disk).
    """
    named = path if problem.filename is None else os.fsdecode(problem.filename)
    reason = problem.strerror or printable(str(problem).partition("\n")[0], 200)
    if problem.errno in _FORBIDDEN and named is not None and _is_absent(named):
        folder = Path(named).absolute().parent
        while not folder.is_dir() and folder != folder.parent:
            folder = folder.parent
        return MachineError(f"can't be written to: {reason}", path=folder)
    return MachineError(reason if path is None else f"can't be written: {reason}", path=named)


def _is_absent(path: str | Path) -> bool:
    """Return True if the path does not exist; False if that can't be determined."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def unexpected(error: BaseException) -> str:
    """Anonymous description of an unexpected error: its type and its place in the code.

    Never its text: that can hold anything that was being worked on, an image or a name.
    """
    places = [(f.filename, f.lineno) for f in traceback.extract_tb(error.__traceback__)]
    own_places = [
        (Path(file), line) for file, line in places if Path(file).is_relative_to(_PACKAGE)
    ]
    if not own_places:
        return type(error).__name__
    file, line = own_places[-1]
    return f"{type(error).__name__} in {file.relative_to(_PACKAGE).as_posix()} line {line}"


def printable(text: str, limit: int | None = None) -> str:
    """Text in which everything that can't be shown is escaped, so that it can go anywhere.

    Bytes of a file name that are no UTF-8 become ``\\xfc``, control characters ``\\x1b``; spaces of
    any kind and line ends become a space.

    Args:
        text: any, also one with the surrogates that Python puts for undecodable bytes.
        limit: of its length; longer text is cut.
    """
    escaped = text if text.isprintable() else "".join(map(_shown, text))
    return escaped if limit is None or len(escaped) <= limit else escaped[: limit - 3] + "..."


def _shown(sign: str) -> str:
    if sign.isprintable():
        return sign
    if sign.isspace():
        return " "
    code = ord(sign)
    if 0xDC80 <= code <= 0xDCFF:  # how Python carries a byte that is no UTF-8 (PEP 383)
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _one_line(value: object, limit: int) -> str:
    return printable(str(value), limit)
