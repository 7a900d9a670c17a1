"""The ``gliomask`` command: its commands, and how an error becomes one line and an exit code."""

from __future__ import annotations

import errno
import os
import sys
from typing import Annotated

import typer

from gliomask.cli import (
    bench,
    calibrate,
    compare,
    demo,
    doctor,
    evaluate,
    export,
    follow,
    inspect,
    models,
    phantom,
    predict,
    prepare,
    score,
    train,
)
from gliomask.errors import BatchError, CasesError, GliomaskError, MachineError

app = typer.Typer(
    name="gliomask",
    help="Brain-tumour segmentation in MRI with U²-Net. For research use only.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS = (
    demo,
    inspect,
    prepare,
    train,
    calibrate,
    evaluate,
    score,
    compare,
    predict,
    follow,
    models,
    doctor,
    bench,
    export,
    phantom,
)
for module in _COMMANDS:
    module.add_to(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"gliomask {version('gliomask')}, for research use only")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    if debug:
        os.environ["GLIOMASK_DEBUG"] = "1"


def main() -> None:
    """Runs the command line and exits: 0 done, 2 bad input, 3 some cases failed, 4 the machine,
    130 or 143 stopped by a signal, 1 a bug of ours."""
    try:
        code = app(standalone_mode=False)
    except Exception as error:
        code = _report(error)
    except KeyboardInterrupt:
        code = _say("stopped", 130)
    sys.exit(code if isinstance(code, int) else 0)


def _report(error: Exception) -> int:
    if os.environ.get("GLIOMASK_DEBUG"):
        import traceback

        traceback.print_exception(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        error = MachineError(error.strerror or "can't write", path=error.filename)
    if isinstance(error, MemoryError):
        error = MachineError("not enough memory")
    if isinstance(error, GliomaskError):
        for case, reason in _details(error):
            typer.echo(f"  {case}: {reason.removeprefix(f'{case}: ')}", err=True)
        return _say(str(error), error.exit_code)
    usage = getattr(error, "format_message", None)
    if usage is not None:  # click's own errors: an unknown option, a missing argument
        return _say(usage(), 2)
    return _say(f"a bug of gliomask: {error!r}; please report it with what --debug prints", 1)


def _details(error: GliomaskError) -> tuple[tuple[str, str], ...]:
    if isinstance(error, CasesError):
        return error.problems
    return error.failures if isinstance(error, BatchError) else ()


def _say(text: str, code: int) -> int:
    typer.echo("error: " + " ".join(text.split("\n")), err=True)
    return code
