"""What ``serve`` is asked to do, and how much anybody may ask of it."""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import ByteSize, Field, model_validator

from gliomask.config import Options
from gliomask.config.choices import Device, EngineName
from gliomask.config.model import Models
from gliomask.config.shipped import find_model
from gliomask.errors import ConfigError

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")
_EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 (compared with, not bound to)


def default_data_folder() -> Path:
    """Where uploads and results are kept if nobody says: below the user's own data folder."""
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "gliomask" / "serve"


class Limits(Options):
    """How much the server takes, keeps and waits for; shown by ``GET /api/v1/limits``."""

    file_bytes: ByteSize = ByteSize(2**30)
    """Of one uploaded file."""
    upload_bytes: ByteSize = ByteSize(2**31)
    """Of all files of an upload together."""
    upload_files: Annotated[int, Field(ge=1, le=100_000)] = 20_000
    """Files in an upload."""
    open_uploads: Annotated[int, Field(ge=1)] = 20
    """Uploads that one owner may have at a time."""
    queued_jobs: Annotated[int, Field(ge=1)] = 100
    """Jobs that wait or run, of all owners."""
    queued_jobs_per_owner: Annotated[int, Field(ge=1)] = 20
    """Jobs of one owner that wait or run."""
    job_minutes: Annotated[float, Field(gt=0)] = 15.0
    """A job that takes longer is ended."""
    tries: Annotated[int, Field(ge=1, le=10)] = 3
    """Worker processes that a job may cost before it counts as failed."""
    free_bytes: ByteSize = ByteSize(5 * 2**30)
    """Free disk below which nothing is taken in."""
    free_share: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """The same as a share of the disk; whichever is more holds."""
    result_hours: Annotated[float, Field(gt=0)] = 24.0
    """After so long results are deleted."""
    upload_hours: Annotated[float, Field(gt=0)] = 1.0
    """After so long without use an upload is deleted."""
    audit_days: Annotated[float, Field(ge=1)] = 365.0
    """After so long entries of the audit log are deleted."""
    request_body_bytes: ByteSize = ByteSize(2**20)
    """Of a request that is no file."""
    header_seconds: Annotated[float, Field(gt=0)] = 10.0
    """Within which the header of a request must have come."""
    body_seconds: Annotated[float, Field(gt=0)] = 10.0
    """Without a byte of the body after which a request is given up."""
    body_bytes_per_second: Annotated[int, Field(ge=0)] = 1024
    """Slower bodies are given up as well, after ``body_seconds``."""


class ServeOptions(Options):
    """What ``serve`` is asked to do."""

    data: Path = Field(default_factory=default_data_folder)
    """The folder of the queue, uploads and results; on a local disk, for one server at a time."""
    host: str = "127.0.0.1"
    """The address to listen on; another than this machine's own needs a token and encryption."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """The port to listen on; 0 takes a free one."""
    names: tuple[str, ...] = ()
    """Names under which browsers may reach the server, besides the address and this machine's."""
    models: Models = Field(default_factory=lambda: (find_model(),))
    """Folders or names of the models that are offered; the first is used where none is named."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes that segment, each with its model loaded."""
    certificate: Path | None = None
    """PEM file of the TLS certificate (with its chain)."""
    key: Path | None = None
    """PEM file of its private key."""
    behind_proxy: bool = False
    """A reverse proxy in front of the server does TLS."""
    token: bool = True
    """Ask for a token; without one only on this machine's own address."""
    device: Device = "auto"
    """What computes."""
    engine: EngineName = "auto"
    """What runs the network; ``auto`` takes the fastest that is there."""
    limits: Limits = Limits()
    """How much anybody may ask of it."""

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        """Nobody listens to a network without a token and encryption."""
        if (self.certificate is None) != (self.key is None):
            what = "a certificate and its key, or neither"
            raise ConfigError(what, field="certificate", found=self.certificate)
        if is_loopback(self.host):
            return self
        if not self.token:
            what, allowed = "without a token nobody else may come", "127.0.0.1"
            raise ConfigError(what, field="host", found=self.host, allowed=allowed)
        if self.certificate is None and not self.behind_proxy:
            what = "an address that others reach needs encryption"
            allowed = "127.0.0.1, or another with a certificate and its key, or behind a proxy"
            raise ConfigError(what, field="host", found=self.host, allowed=allowed)
        return self

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, keys: Any) -> Any:
        """An option that was not given takes its default."""
        if not isinstance(keys, dict):
            return keys
        return {name: value for name, value in keys.items() if value is not None}

    @property
    def encrypted(self) -> bool:
        """Whether browsers see HTTPS."""
        return self.certificate is not None or self.behind_proxy

    @property
    def shown_host(self) -> str:
        """The name by which people reach it."""
        if self.names:
            return self.names[0]
        return socket.getfqdn() if self.host in _EVERYWHERE else self.host

    @property
    def host_names(self) -> frozenset[str]:
        """The names in the ``Host`` header that are answered, in lower case."""
        own = set(LOOPBACK_NAMES) | {name.lower() for name in self.names}
        if not is_loopback(self.host):
            own |= {socket.gethostname().lower(), socket.getfqdn().lower()}
        if self.host not in _EVERYWHERE:
            own.add(self.host.lower())
        return frozenset(own)


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine only; a name is, if it is ``localhost``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
