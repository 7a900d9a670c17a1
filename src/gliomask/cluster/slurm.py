"""The job script of a batch for SLURM: an array, a task for each shard.

A task that meets its time limit is warned by SIGUSR1, stops its workers in good order and is queued
again; so is one that SLURM itself requeues (preemption, a lost node). SIGTERM alone, as ``scancel``
sends it, ends a task for good. What is done is in the shared folder, so a task may run any number
of times.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gliomask.config.batch import JobOptions as JobOptions
from gliomask.core.atomic import write_text, writing
from gliomask.errors import ConfigError
from gliomask.results.batch.places import BatchFolder

WARNING_S: Final = 120
"""Seconds before the time limit at which a task is warned; it needs about twenty to stop."""


def write_job(out: Path, job: JobOptions) -> Path:
    """Write the script into the folder of a batch, which has its manifest; submits nothing.

    Args:
        out: the folder, shared by all nodes.
        job: resources to request from SLURM.

    Returns:
        the script, for ``sbatch``.

    Raises:
        ConfigError: the folder's name can't be written into a script.
    """
    folder = BatchFolder(out.absolute())
    command = (sys.executable, "-P", "-m", "gliomask")
    text = job_script(command, folder.out, folder.logs, job)
    with writing(folder.logs):
        folder.logs.mkdir(parents=True, exist_ok=True)
    write_text(folder.script, text)
    return folder.script


def check_folder_name(out: Path) -> None:
    """Check the name of the folder of a batch before anything is written into it.

    Raises:
        ConfigError: it can't be written into a script.
    """
    _escaped(BatchFolder(out.absolute()).logs)


def job_script(command: Sequence[str], out: Path, logs: Path, job: JobOptions) -> str:
    """The script.

    Args:
        command: the words that start gliomask on a node.
        out: the folder of the batch, shared by all nodes.
        logs: an existing folder for what the tasks print.
        job: resources to request.
    """
    limit = "" if job.at_once is None else f"%{job.at_once}"
    options = [
        "--job-name=gliomask",
        f"--array=1-{job.tasks}{limit}",
        "--nodes=1",
        "--ntasks=1",
        f"--cpus-per-task={job.cpus}",
        f"--mem={job.memory}",
        f"--time={job.time}",
        "--requeue",
        "--open-mode=append",
        f"--signal=B:USR1@{WARNING_S}",
        f'--output="{_escaped(logs)}/%A_%a.log"',
        *map(_quoted, job.more),
    ]
    words = [*command, "batch", "--out", str(out), "--workers", str(job.cpus)]
    return _SCRIPT.format(
        options="\n".join(f"#SBATCH {option}" for option in options),
        command=shlex.join(words),
        tasks=job.tasks,
    )


def _quoted(more: str) -> str:
    """Option of sbatch as it stands in a script, where values end at a space or ``#``.

    >>> _quoted("--partition=my long"), _quoted("--partition long"), _quoted("--exclusive")
    ('--partition="my long"', '--partition=long', '--exclusive')
    """
    name, *values = re.split("[= ]", more, maxsplit=1)
    if not values:
        return name
    value = values[0].strip()
    return f"{name}={value}" if re.fullmatch(r"[^\s#']+", value) else f'{name}="{value}"'


def _escaped(path: Path) -> str:
    """Escape a path for a quoted file name in a SLURM script, in which ``%`` starts a placeholder.

    Raises:
        ConfigError: its name can't be written into a script.
    """
    text = str(path)
    if not text.isprintable() or any(sign in text for sign in '"\\'):
        allowed = "a path without quotes, backslashes and control characters"
        raise ConfigError("SLURM can't write there", option="out", found=text, allowed=allowed)
    return text.replace("%", "%%")


_SCRIPT: Final = """\
#!/bin/bash
{options}

again=
child=
stopping=
stop() {{ stopping=1; if [ -n "$child" ]; then kill -TERM "$child" 2>/dev/null; fi; }}
trap 'again=1; stop' USR1
trap stop TERM

{command} --shard "$SLURM_ARRAY_TASK_ID/{tasks}" &
child=$!
if [ -n "$stopping" ]; then stop; fi  # a signal came before the number of the process was known
# A signal ends a wait; the task is waited for until it has ended itself.
while kill -0 "$child" 2>/dev/null; do
    wait "$child"
done
wait "$child"
code=$?
if [ -n "$again" ] && [ "$code" -eq 143 ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
"""
