"""``gliomask batch``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gliomask.cli.series import SeriesOption, pairs

if TYPE_CHECKING:
    from gliomask.results.batch.status import BatchStatus
    from gliomask.workflows.batch import BatchOptions, BatchResult

_MOST_LISTED = 20


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("batch")(run)


def run(
    out: Annotated[Path, typer.Option(help="The folder to write into, and of the batch.")],
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[INPUT...]", help="As for predict; none: go on with the batch."),
    ] = None,
    engine: Annotated[str, typer.Option(help="local, or slurm: write a job script.")] = "local",
    shard: Annotated[str, typer.Option(help="Do the k-th of n parts: k/n.")] = "1/1",
    status: Annotated[
        bool, typer.Option("--status", help="List what is done, missing and failed.")
    ] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try failed cases again.")] = False,
    workers: Annotated[
        int | None, typer.Option(help="Processes with a model each (default: one a processor).")
    ] = None,
    tries: Annotated[int, typer.Option(help="Workers that a case may cost.")] = 3,
    minutes: Annotated[float, typer.Option(help="That one case may take.")] = 60.0,
    model: Annotated[
        str | None,
        typer.Option(help="A run folder, or a model of `gliomask models` (default: u2netp-lgg)."),
    ] = None,
    series: SeriesOption = None,
    write: Annotated[
        str | None,
        typer.Option(
            help="Of nifti, png, html, dicom-seg, rtstruct; all but the last where they apply."
        ),
    ] = None,
    bids: Annotated[
        Path | None,
        typer.Option(help="A BIDS data set, whose derivatives/gliomask gets the masks too."),
    ] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Write probability maps too.")
    ] = False,
    disagreement: Annotated[
        bool, typer.Option("--disagreement", help="Write where the network's maps differ.")
    ] = False,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Skip uncertainty estimation: no intervals, no flag."),
    ] = False,
    threshold: Annotated[
        float | None, typer.Option(help="Probability from which a voxel is tumour.")
    ] = None,
    keep_all: Annotated[
        bool,
        typer.Option("--keep-all", help="Keep fragments separate from the main tumour."),
    ] = False,
    reference: Annotated[
        str | None,
        typer.Option(help="The sequence onto whose grid the others are laid (default: flair)."),
    ] = None,
    no_align: Annotated[
        bool, typer.Option("--no-align", help="Refuse sequences on different grids.")
    ] = False,
    n4: Annotated[bool, typer.Option("--n4", help="Apply N4 bias-field correction first.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    runtime: Annotated[
        str,
        typer.Option(help="That runs the network: auto, mnn, openvino, onnxruntime or torch."),
    ] = "auto",
    limit_memory: Annotated[
        str | None, typer.Option(help="That a worker may hold, e.g. 2GB; refuse what needs more.")
    ] = None,
    tasks: Annotated[int, typer.Option(help="slurm: tasks of the array.")] = 1,
    at_once: Annotated[int | None, typer.Option(help="slurm: tasks that run at a time.")] = None,
    cpus: Annotated[int, typer.Option(help="slurm: processors of a task.")] = 4,
    memory: Annotated[str, typer.Option(help="slurm: memory of a task.")] = "8G",
    time: Annotated[
        str, typer.Option(help="slurm: limit of a task; it is queued again.")
    ] = "4:00:00",
    sbatch: Annotated[
        list[str] | None, typer.Option(help="slurm: another option of sbatch; several times.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Segment thousands of cases: predict by many processes, each case once, whatever dies."""
    from gliomask.config import build
    from gliomask.workflows.batch import BatchOptions

    if status:
        _show_status(out, json=json)
        return
    predict = {
        "inputs": inputs or [],
        "out": out,
        "model": model,
        "series": pairs(series),
        "write": None if write is None else [k.strip() for k in write.split(",") if k.strip()],
        "bids": bids,
        "probabilities": probabilities,
        "disagreement": disagreement,
        "thorough": not quick,
        "threshold": threshold,
        "clean_up": not keep_all,
        "reference": reference,
        "align": not no_align,
        "n4": n4,
        "device": device,
        "engine": runtime,
        "limit_memory": limit_memory,
    }
    keys = {
        "predict": predict,
        "engine": engine,
        "shard": shard,
        "workers": workers,
        "tries": tries,
        "minutes": minutes,
        "retry": retry,
    }
    options = build(BatchOptions, keys, "batch")
    if options.engine == "slurm":
        job = {"tasks": tasks, "at_once": at_once, "cpus": cpus, "memory": memory, "time": time}
        _write_job(options, {**job, "more": sbatch or []})
        return
    _run(options, json=json)


def _run(options: BatchOptions, *, json: bool) -> None:
    from gliomask.cli import render
    from gliomask.errors import BatchError
    from gliomask.workflows.batch import BatchResult, batch

    try:
        with render.control() as control:
            result = batch(options, control)
    except BatchError as failed:
        if isinstance(failed.result, BatchResult):  # the others are done
            _show(failed.result, json=json)
        raise
    _show(result, json=json)


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

    found: BatchStatus = read_status(BatchFolder(out))
    if json:
        render.as_json(found)
        return
    counts = {"done": found.done, "missing": found.missing, "failed": found.failed}
    render.lines(", ".join(f"{len(cases)} {name}" for name, cases in counts.items()))
    for case in found.missing[:_MOST_LISTED]:
        render.lines(f"missing {case}")
    if len(found.missing) > _MOST_LISTED:
        render.lines(f"... and {len(found.missing) - _MOST_LISTED} more, see --json")
    for case, reason in found.failed:
        render.lines(f"failed {case}: {reason.removeprefix(f'{case}: ')}")


def _write_job(options: BatchOptions, job: dict[str, object]) -> None:
    from gliomask.cli import render
    from gliomask.cluster.slurm import JobOptions
    from gliomask.config import build
    from gliomask.workflows.batch_job import write_job

    with render.control() as control:
        script = write_job(options, build(JobOptions, job, "batch"), control)
    out = options.predict.out
    render.lines(f"written: {script}", f"submit it: sbatch {script}")
    render.lines(f"look at it: gliomask batch --out {out} --status")
