"""``batch`` with SLURM: the manifest, and the script of an array job that goes by it."""

from __future__ import annotations

import sys
from pathlib import Path

from gliomask.cluster.slurm import JobOptions, job_script
from gliomask.core.atomic import write_text, writing
from gliomask.jobs.control import SILENT, Control
from gliomask.results.batch.places import BatchFolder
from gliomask.workflows.batch import BatchOptions, make_manifest


def write_job(options: BatchOptions, job: JobOptions, control: Control = SILENT) -> Path:
    """Makes the manifest and writes the script; submits nothing.

    Args:
        options: of the batch; its folder is shared by all nodes.
        job: what to ask SLURM for.
        control: is told of the hashing.

    Returns:
        the script, for ``sbatch``.

    Raises:
        InputError, MachineError: see ``make_manifest``.
    """
    make_manifest(options, control)
    out = options.predict.out.absolute()
    folder = BatchFolder(out)
    with writing(folder.logs):
        folder.logs.mkdir(parents=True, exist_ok=True)
    command = (sys.executable, "-P", "-m", "gliomask")
    write_text(folder.script, job_script(command, out, folder.logs, job))
    return folder.script
