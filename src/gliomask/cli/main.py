"""The ``gliomask`` program: its commands, and the conversion of errors to a line and an exit
code."""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from typing import Annotated

import typer

from gliomask.cli import (
    batch,
    bench,
    calibrate,
    compare,
    convert,
    demo,
    doctor,
    evaluate,
    export,
    fetch,
    follow,
    inspect,
    models,
    models_add,
    models_import,
    models_remove,
    nnunet,
    phantom,
    predict,
    prepare,
    score,
    serve,
    train,
)
from gliomask.cli.command import add_to
from gliomask.cli.spelling import Spelling, running_command, spelled
from gliomask.core.extras import missing_package
from gliomask.errors import (
    BatchError,
    CasesError,
    GliomaskError,
    MachineError,
    machine_error,
    printable,
    unexpected,
)

_MOST_OF_A_LINE = 2000
_MOST_OF_A_TRACE = 4000

app = typer.Typer(
    name="gliomask",
    help="Brain-tumour segmentation in MRI with U²-Net. For research use only.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS = (
    demo.COMMAND,
    inspect.COMMAND,
    prepare.COMMAND,
    train.COMMAND,
    calibrate.COMMAND,
    evaluate.COMMAND,
    score.COMMAND,
    compare.COMMAND,
    convert.COMMAND,
    predict.COMMAND,
    batch.COMMAND,
    follow.COMMAND,
    models.COMMAND,
    models_add.COMMAND,
    models_import.COMMAND,
    models_remove.COMMAND,
    doctor.COMMAND,
    bench.COMMAND,
    export.COMMAND,
    fetch.COMMAND,
    phantom.COMMAND,
    *serve.COMMANDS,
    nnunet.COMMAND,
)
"""Commands, in the order of the help."""
for registered in COMMANDS:
    if registered is models.COMMAND:
        models.add_group(app)
    elif registered is serve.COMMAND:
        serve.add_group(app)
    elif " " not in registered.name:  # commands of a group are added with it
        add_to(app, registered)


def _show_version(requested: bool) -> None:
    if requested:
        from importlib.metadata import version

        typer.echo(f"gliomask {version('gliomask')}, for research use only")
        raise typer.Exit


def spellings() -> dict[str, dict[str, Spelling]]:
    """Command -> spellings of its options."""
    return {command.name: command.spellings for command in COMMANDS}


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error, too.")
    ] = False,
) -> None:
    if debug:
        os.environ["GLIOMASK_DEBUG"] = "1"
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Runs the command line and exits: 0 done, 2 bad input, 3 some cases failed, 4 the machine,
    130 or 143 stopped by a signal, 141 the reader of the output has ended, 1 a bug in gliomask."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names may have any encoding
    try:
        code = app(prog_name="gliomask", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        code = _nobody_reads()
    except SystemExit as ended:  # click exits with 1 when a pipe breaks under it
        if not isinstance(ended.__context__, BrokenPipeError):
            raise
        code = _nobody_reads()
    except KeyboardInterrupt:
        code = _say("stopped", 130)
    except Exception as error:
        code = _say("stopped", 130) if _interrupted(error) else _report(error)
    sys.exit(code if isinstance(code, int) else 0)


def _interrupted(error: BaseException | None) -> bool:
    """Return True for an error that Ctrl-C caused, such as that of a module half imported."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:  # a chain may be a circle
        chain.append(error)
        error = error.__cause__ or error.__context__
    return any(isinstance(part, KeyboardInterrupt) for part in chain)


def _nobody_reads() -> int:
    """Exit code after a closed pipe (``gliomask ... | head -1``), as SIGPIPE gives other tools."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())  # or Python complains when it flushes them at its end
    return 128 + signal.SIGPIPE


def _report(error: Exception) -> int:
    if os.environ.get("GLIOMASK_DEBUG"):
        for part in traceback.format_exception(error):
            typer.echo(part.rstrip("\n")[:_MOST_OF_A_TRACE], err=True)
    known = _known(error)
    if known is not None:
        for case, reason in _details(known):
            text = spelled(f"{case}: {reason.removeprefix(f'{case}: ')}")
            typer.echo(f"  {printable(text, _MOST_OF_A_LINE)}", err=True)
        return _say(str(known), known.exit_code)
    usage = getattr(error, "format_message", None)
    if usage is not None:  # click's own errors: an unknown option, a missing argument
        return _say(_with_help(usage().rstrip("."), getattr(error, "ctx", None)), 2)
    place = unexpected(error)
    return _say(f"a bug in gliomask: {place}; please report it with the output of --debug", 1)


def _with_help(text: str, context: typer.Context | None) -> str:
    """Text of a usage error, with the command that shows the help."""
    running = f"gliomask {running_command()}".rstrip()
    command = f"{running if context is None else context.command_path} --help"
    return f"{text} See {command}" if text.endswith("?") else f"{text}; see {command}"


def _known(error: Exception) -> GliomaskError | None:
    match error:
        case GliomaskError():
            return error
        case OSError():
            return machine_error(error)
        case ModuleNotFoundError():
            return missing_package(error)
        case MemoryError():
            return MachineError("not enough memory")
    return None


def _details(error: GliomaskError) -> tuple[tuple[str, str], ...]:
    if isinstance(error, CasesError):
        return error.problems
    return error.failures if isinstance(error, BatchError) else ()


def _say(text: str, code: int) -> int:
    typer.echo(f"error: {printable(spelled(text), _MOST_OF_A_LINE)}", err=True)
    return code
