"""SLURM on this machine alone, for tests: its controller, a node, and munge, all on loopback.

Debian's packages ``slurmctld slurmd slurm-client munge`` do; unpacked elsewhere they do too, with
their folders on the PATH.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "sinfo", "squeue", "scancel")
_SETTINGS = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.pid
SlurmctldPort={controller}
SlurmdPort={node}
SlurmctldLogFile={place}/slurmctld.log
SlurmdLogFile={place}/slurmd.log
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={place}/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
KillWait=5
ReturnToService=2
{plugins}
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=1000 State=UNKNOWN
PartitionName=test Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str:
    """What keeps SLURM from running here; empty if nothing does."""
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed"
    return "" if os.geteuid() == 0 else "only root may start SLURM's daemons"


class Slurm:
    """A running cluster.

    Args:
        environment: in which its commands find it.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def submit(self, script: Path, *more: str) -> str:
        """Submits a job: its number."""
        return self.run("sbatch", "--parsable", *more, str(script)).strip()

    def run(self, *words: str) -> str:
        """The output of one of SLURM's commands."""
        pipe = subprocess.PIPE
        with subprocess.Popen(
            words, env=self.environment, stdout=pipe, stderr=pipe, text=True
        ) as process:
            out, err = process.communicate(timeout=60)
        assert process.returncode == 0, f"{words}: {err}"
        return out

    def states(self, job: str) -> list[str]:
        """The states of a job's tasks that are not over."""
        return self.run("squeue", "--noheader", "--array", "--format=%T", f"--jobs={job}").split()

    def wait(self, job: str, most_s: float = 300) -> None:
        """Until no task of a job is left."""
        end = time.monotonic() + most_s
        while self.states(job):
            assert time.monotonic() < end, self.run("squeue", "--long")
            time.sleep(0.5)


@contextmanager
def cluster(place: Path) -> Iterator[Slurm]:
    """Starts SLURM with all that it writes in a folder; ends it afterwards."""
    for name in ("state", "spool"):
        (place / name).mkdir(parents=True)
    (place / "key").write_bytes(secrets.token_bytes(1024))
    (place / "key").chmod(0o600)
    environment = {**os.environ, "SLURM_CONF": str(place / "slurm.conf")}
    (place / "slurm.conf").write_text(_settings(place))
    munge = [f"--{name}={place / f'munge.{name}'}" for name in ("socket", "log-file", "seed-file")]
    munge = [*munge, f"--key-file={place / 'key'}", f"--pid-file={place / 'munge.pid'}"]
    stepd = Path(str(shutil.which("slurmd"))).with_name("slurmstepd")
    started = [["munged", "--force", "--foreground", *munge], ["slurmctld", "-D"]]
    started.append(["slurmd", "-D", *(["-d", str(stepd)] if stepd.exists() else [])])
    daemons = []
    try:
        for words in started:
            nowhere = subprocess.DEVNULL
            daemons.append(subprocess.Popen(words, env=environment, stdout=nowhere, stderr=nowhere))
            time.sleep(1)
        slurm = Slurm(environment)
        _wait_for_node(slurm)
        yield slurm
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
            daemon.wait(30)


def _wait_for_node(slurm: Slurm) -> None:
    end = time.monotonic() + 60
    while True:
        done = subprocess.run(
            [str(shutil.which("sinfo")), "--noheader", "--format=%T"],
            env=slurm.environment,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.stdout.strip() == "idle":
            return
        assert time.monotonic() < end, done.stdout + done.stderr
        time.sleep(0.5)


def _settings(place: Path) -> str:
    """Packages that are unpacked elsewhere have their plugins there."""
    home = Path(str(shutil.which("sbatch"))).parents[1]
    plugins = next((home / "lib").glob("*/slurm-wlm"), None)
    elsewhere = plugins is not None and not home.samefile("/usr")
    return _SETTINGS.format(
        host=socket.gethostname(),
        place=place,
        controller=_free_port(),
        node=_free_port(),
        plugins=f"PluginDir={plugins}" if elsewhere else "",
    )


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port
