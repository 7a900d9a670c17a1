"""Errors that users may see, as one hierarchy, with the exit code of the command line.

    GliomaskError            1   a bug in gliomask, if no subclass fits
    ├── InputError           2   the input can't be used
    │   ├── FormatError      2     a file has another format than its name, or is damaged
    │   ├── LayoutError      2     a folder contains no known data set
    │   ├── CaseError        2     a case (patient, study) can't be used
    │   ├── CasesError       2     several cases can't be used; all are listed
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
"""(case, reason) of a failed case of a batch."""
_UNSTATED: Final = object()
"""Default of a value that the text of an error leaves out, because None may be a value."""
_PACKAGE: Final = Path(__file__).parent
_FORBIDDEN: Final = (errno.EACCES, errno.EPERM, errno.EROFS)


class GliomaskError(Exception):
    """Base class of all errors.

    Args:
        what: what is wrong, without a full stop.
        path: the file or folder with the problem.
        field: the name of the header field, column or key.
        option: the name of the option, instead of ``field``.
        found: its value (shortened to 80 characters in the text); may be omitted.
        allowed: description of the allowed values.
        hint: what to do about it; options in it by ``option`` and ``same_with``.

    Attributes:
        result: the result of the workflow up to the error; None if there is none.
    """

    exit_code = 1
    result: object = None

    def __init__(
        self,
        what: str,
        *,
        path: str | Path | None = None,
        field: str | None = None,
        option: str | None = None,
        found: object = _UNSTATED,
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
            value = "" if self.found is _UNSTATED else f"={_one_line(self.found, 80)}"
            text += f" ({name}{value}{limits})"
        return _one_line(f"{text}; {self.hint}" if self.hint else text, 2000)


class InputError(GliomaskError):
    """The input can't be used."""

    exit_code = 2


class FormatError(InputError):
    """A file has another format than its name, or is damaged."""


class LayoutError(InputError):
    """A folder contains no known data set."""


class CaseError(InputError):
    """A case can't be used."""


class UnchangedError(CaseError):
    """A corrected mask equals the mask that it was drawn on."""


class CasesError(InputError):
    """Several cases can't be used.

    Args:
        what: the summary, one line.
        problems: a (case, reason) pair for each, in display order.
        path: of the data set.
        hint: what to do about it.
        result: the result of the workflow, with these problems; None if there is none.
    """

    def __init__(
        self,
        what: str,
        problems: Iterable[tuple[str, str]],
        *,
        path: str | Path | None = None,
        hint: str | None = None,
        result: object = None,
    ) -> None:
        super().__init__(what, path=path, hint=hint)
        self.problems, self.result = tuple(problems), result


class QuestionError(InputError):
    """The input is ambiguous; an option resolves the ambiguity.

    Args:
        what: description of the ambiguity, one line.
        option: name of the option that resolves it.
        answers: (value of the option, its meaning), the likeliest first.
        path: the file or folder.
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
        super().__init__(what, path=path, hint=f"use {' or '.join(ways)}")
        self.option = option


class ConfigError(InputError):
    """An invalid option, recipe key or network name."""


class StoreError(InputError):
    """A prepared store or its split can't be used."""


class ModelError(InputError):
    """A run folder, a model card or its weights can't be used."""


class BatchError(GliomaskError):
    """A batch has finished, but some of its cases failed.

    Args:
        failures: one (case, reason) pair for each case that failed.
        result: the result of the workflow for the others; None if there is none.
    """

    exit_code = 3

    def __init__(self, what: str, failures: Iterable[Failure] = (), result: object = None) -> None:
        super().__init__(what)
        self.failures, self.result = tuple(failures), result


class MachineError(GliomaskError):
    """A problem of the machine: disk, memory, device, network."""

    exit_code = 4


class PackageError(GliomaskError):
    """A package of one of gliomask's extras is not installed."""

    exit_code = 4


class StoppedError(GliomaskError):
    """A stop was requested, and the work ended cleanly.

    Args:
        what: description.
        signal_number: signal that requested it; SIGTERM for a request by a program.
    """

    def __init__(self, what: str, *, signal_number: int = signal.SIGTERM) -> None:
        super().__init__(what)
        self.exit_code = 128 + signal_number


def option(name: str, value: object = None, *, command: str = "") -> str:
    """Name of an option in a message; the command line converts it to its flag.

    Args:
        name: field in the options of the command.
        value: value to set; ``False`` for an option that is on by default.
        command: the use case of the option, if it may differ from the running one.

    >>> option("labels"), option("t1", "my scan.nii"), option("fold", 0, command="train")
    ('`labels`', "`t1='my scan.nii'`", '`train fold=0`')
    """
    setting = name if value is None else f"{name}={_quoted(value)}"
    return f"`{command} {setting}`" if command else f"`{setting}`"


def same_with(*settings: tuple[str, object]) -> str:
    """The call of the user with additional options; the command line converts them to flags.

    >>> same_with(("series", "t1=3"), ("series", "t1ce=4"))
    '`... series=t1=3 series=t1ce=4`'
    """
    return f"`... {' '.join(f'{name}={_quoted(value)}' for name, value in settings)}`"


def _quoted(value: object) -> str:
    return shlex.quote(printable(str(value)).replace("`", "\\x60"))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Hint with the known name that is most similar to ``name``; None if none is similar."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else None


def machine_error(problem: OSError, path: str | Path | None = None) -> MachineError:
    """Convert an error of the operating system, with the path that it is about.

    If a file or folder can't be created, the path is the folder that forbids it.

    Args:
        problem: error of the operating system.
        path: the file that was being written, for errors without a path (a full disk).
    """
    named = path if problem.filename is None else os.fsdecode(problem.filename)
    reason = reason_of(problem)
    if problem.errno in _FORBIDDEN and named is not None and _is_absent(named):
        folder = Path(named).absolute().parent
        while not folder.is_dir() and folder != folder.parent:
            folder = folder.parent
        return MachineError(f"can't be written to: {reason}", path=folder)
    return MachineError(reason if path is None else f"can't be written: {reason}", path=named)


def reason_of(problem: OSError) -> str:
    """Reason of an error of the operating system; its text if Python raised it without a reason."""
    return problem.strerror or printable(str(problem).partition("\n")[0], 200)


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

    Its text is never included, because it may contain image data or a name.
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
    """Escape everything in a text that can't be shown.

    Bytes of a file name that are no UTF-8 become ``\\xfc``, control characters ``\\x1b``; spaces of
    any kind and line ends become a space.

    Args:
        text: any text, also with the surrogates that Python uses for undecodable bytes.
        limit: maximum length; longer text is cut.
    """
    escaped = text if text.isprintable() else "".join(map(_shown, text))
    return escaped if limit is None or len(escaped) <= limit else escaped[: limit - 3] + "..."


def _shown(sign: str) -> str:
    if sign.isprintable():
        return sign
    if sign.isspace():
        return " "
    code = ord(sign)
    if 0xDC80 <= code <= 0xDCFF:  # how Python represents a byte that is not UTF-8 (PEP 383)
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _one_line(value: object, limit: int) -> str:
    return printable(str(value), limit)
