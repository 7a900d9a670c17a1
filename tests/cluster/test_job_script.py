"""The job script of SLURM, run by bash with a stand-in for gliomask and for ``scontrol``."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from gliomask.cluster.slurm import JobOptions, job_script
from gliomask.errors import ConfigError

STAND_IN = """#!/bin/bash
printf '%s\\n' "$@" > "{place}/words"
trap 'sleep 0.2; exit {code}' TERM
touch "{place}/began"
for n in $(seq {seconds}0); do sleep 0.1; done
exit 5
"""
SCONTROL = """#!/bin/bash
printf '%s\\n' "$*" > "{place}/requeued"
"""


def script(place: Path, job: JobOptions, code: int = 143, seconds: int = 30) -> Path:
    """Writes the script and its stand-ins."""
    for name, text in (("gliomask", STAND_IN), ("scontrol", SCONTROL)):
        (place / name).write_text(text.format(place=place, code=code, seconds=seconds))
        (place / name).chmod(0o755)
    out = place / "the results"
    path = place / "job.sh"
    path.write_text(job_script([str(place / "gliomask")], out, place / "logs", job))
    return path


def run(path: Path, **names: str) -> subprocess.Popen[bytes]:
    where = f"{path.parent}{os.pathsep}{os.environ['PATH']}"
    names = {"SLURM_ARRAY_TASK_ID": "3", "SLURM_JOB_ID": "77", "PATH": where, **names}
    return subprocess.Popen(["/bin/bash", path], env={**os.environ, **names})


def start(path: Path) -> subprocess.Popen[bytes]:
    """Runs the script until gliomask has begun."""
    place, process = path.parent, run(path)
    end = time.monotonic() + 60
    while not (place / "began").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    return process


def test_what_it_asks_for(tmp_path: Path) -> None:
    job = JobOptions(tasks=8, at_once=2, cpus=4, more=("--partition=long",))
    lines = script(tmp_path, job).read_text().splitlines()
    assert lines[0] == "#!/bin/bash"
    options = [line.removeprefix("#SBATCH ") for line in lines if line.startswith("#SBATCH ")]
    assert options == [
        "--job-name=gliomask",
        "--array=1-8%2",
        "--nodes=1",
        "--ntasks=1",
        "--cpus-per-task=4",
        "--mem=8G",
        "--time=4:00:00",
        "--requeue",
        "--open-mode=append",
        "--signal=B:USR1@120",
        f'--output="{tmp_path}/logs/%A_%a.log"',
        "--partition=long",
    ]


@pytest.mark.parametrize(
    ("number", "code", "ends", "requeued"),
    [
        (signal.SIGUSR1, 143, 143, True),  # the time limit: it stopped, and is queued again
        (signal.SIGUSR1, 0, 0, False),  # ... but it had just done all
        (signal.SIGUSR1, 4, 4, False),  # ... or the disk is full, which another time doesn't mend
        (signal.SIGTERM, 143, 143, False),  # scancel
    ],
)
def test_signals(tmp_path: Path, number: int, code: int, ends: int, requeued: bool) -> None:
    process = start(script(tmp_path, JobOptions(tasks=8), code))
    process.send_signal(number)
    assert process.wait(60) == ends
    assert (tmp_path / "requeued").exists() == requeued
    if requeued:
        assert (tmp_path / "requeued").read_text() == "requeue 77\n"


def test_a_signal_before_the_number_of_the_process_is_known(tmp_path: Path) -> None:
    """Bash sends it to itself, before the line that notes the number."""
    early = tmp_path / "early"
    early.write_text(
        """trap 'if [ "$BASH_COMMAND" = "child=\\$!" ]; then kill -USR1 $$; fi' DEBUG\n"""
    )
    process = run(script(tmp_path, JobOptions(tasks=8)), BASH_ENV=str(early))
    assert process.wait(60) == 143
    assert (tmp_path / "requeued").exists()


def test_an_end_by_itself(tmp_path: Path) -> None:
    process = start(script(tmp_path, JobOptions(tasks=8, cpus=2), seconds=0))
    assert process.wait(60) == 5
    words = (tmp_path / "words").read_text().splitlines()
    out = str(tmp_path / "the results")
    assert words == ["batch", "--out", out, "--workers", "2", "--shard", "3/8"]


@pytest.mark.parametrize(
    "bad",
    [{"time": "1\n#SBATCH --uid=0"}, {"memory": "8G 9G"}, {"more": ("-p long",)}, {"tasks": 0}],
)
def test_options_stay_on_their_line(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        JobOptions.model_validate(bad)


def test_a_folder_that_slurm_can_not_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SLURM can't write there"):
        job_script(["gliomask"], tmp_path, tmp_path / 'a"b', JobOptions())
    text = job_script(["gliomask"], tmp_path, tmp_path / "100%", JobOptions())
    assert "100%%/%A_%a.log" in text


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ("--partition=my long", '--partition="my long"'),
        ("--partition long", "--partition=long"),
        ("--comment=a#b", '--comment="a#b"'),
        ("--comment=it's", '--comment="it\'s"'),
        ("--comment=", '--comment=""'),
        ("--exclusive", "--exclusive"),
        ("--gres=gpu:1,tmp:5G", "--gres=gpu:1,tmp:5G"),
    ],
)
def test_values_are_quoted_for_sbatch(tmp_path: Path, more: str, line: str) -> None:
    lines = script(tmp_path, JobOptions(more=(more,))).read_text().splitlines()
    assert f"#SBATCH {line}" in lines


@pytest.mark.parametrize(
    "more", ['--comment="a b"', "--comment=a\\b", "--qos=high --partition=long", "--comment=a\tb"]
)
def test_values_that_sbatch_can_not_read_are_refused(more: str) -> None:
    with pytest.raises(ValidationError, match="one option without double quotes and backslashes"):
        JobOptions(more=(more,))
