"""``gliomask batch``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from gliomask.cli.command import JSON, Command, Extra
from gliomask.cli.fields import Typed
from gliomask.cli.predict import TYPED as OF_PREDICT

if TYPE_CHECKING:
    from gliomask.config.batch import BatchOptions
    from gliomask.results.batch.status import BatchStatus
    from gliomask.workflows.batch import BatchResult

_MOST_LISTED = 20


def run(options: BatchOptions, *, status: bool, json: bool) -> None:
    """Runs the command."""
    if status:
        _show_status(options.predict.out, json=json)
    elif options.executor == "slurm":
        _write_job(options, json=json)
    else:
        _run(options, json=json)


def _run(options: BatchOptions, *, json: bool) -> None:
    from gliomask.cli import render
    from gliomask.jobs.fork_server import start_ahead
    from gliomask.segmentation.preload import PRELOAD

    if options.executor == "local" and all(path.exists() for path in options.predict.inputs):
        start_ahead(PRELOAD)  # it imports on another processor while this one does the same
    from gliomask.workflows.batch import BatchResult, batch

    render.run_and_show(
        lambda control: batch(options, control),
        BatchResult,
        lambda result: _show(result, json=json),
    )


def _show(result: BatchResult, *, json: bool) -> None:
    from gliomask.cli import render

    if json:
        render.as_json(result)
        return
    render.lines(f"{len(result.done)} done, {len(result.failed)} failed, by {result.model}")
    render.lines(f"written to {result.out}, for research use only")
    if result.page is not None:
        render.lines(f"open first: {result.page}")


def _show_status(out: Path, *, json: bool) -> None:
    from gliomask.cli import render
    from gliomask.results.batch.places import BatchFolder
    from gliomask.results.batch.status import read_status

    status: BatchStatus = read_status(BatchFolder(out))
    if json:
        render.as_json(status)
        return
    counts = {"done": status.done, "missing": status.missing, "failed": status.failed}
    render.lines(", ".join(f"{len(cases)} {name}" for name, cases in counts.items()))
    for case in status.missing[:_MOST_LISTED]:
        render.lines(f"missing {case}")
    if len(status.missing) > _MOST_LISTED:
        render.lines(f"... and {len(status.missing) - _MOST_LISTED} more, see --json")
    for case, reason in status.failed:
        render.lines(f"failed {case}: {reason.removeprefix(f'{case}: ')}")


def _write_job(options: BatchOptions, *, json: bool) -> None:
    from gliomask.cli import render
    from gliomask.cluster.slurm import check_folder_name, write_job
    from gliomask.workflows.batch import make_manifest

    check_folder_name(options.predict.out)
    with render.control() as control:
        make_manifest(options, control)
    out = options.predict.out
    script = write_job(out, options.job)
    submit = shlex.join(["sbatch", str(script)])
    status = shlex.join(["gliomask", "batch", "--out", str(out), "--status"])
    if json:
        render.as_json({"script": script, "submit": submit, "status": status})
        return
    render.lines(f"written: {script}", f"submit it: {submit}", f"show the status: {status}")


COMMAND = Command(
    name="batch",
    help="Segment thousands of scans. With many processes, each case once; resumes after failures.",
    options="BatchOptions",
    run=run,
    typed={
        **{f"predict.{name}": typed for name, typed in OF_PREDICT.items()},
        "predict.out": Typed(),
        "predict.engine": Typed("--runtime"),
        "executor": Typed("--engine"),
        "shard": Typed(metavar="K/N"),
        "job.more": Typed("--sbatch", metavar="OPTION"),
    },
    hidden=("predict.sequences", "predict.again"),
    extra={"status": Extra("Only list completed, missing and failed cases."), **JSON},
)
