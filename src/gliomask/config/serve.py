"""Options of ``serve`` and its tokens, and the limits for clients."""

from __future__ import annotations

import getpass
import ipaddress
import os
import socket
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, ByteSize, Field, model_validator

from gliomask.config.base import Options
from gliomask.config.choices import DeviceOption, EngineOption
from gliomask.config.model import Models
from gliomask.config.shipped import find_model
from gliomask.errors import ConfigError

Scope = Literal["read", "submit", "review", "monai", "admin"]
"""``read``: see and download one's own jobs. ``submit``: upload, start, cancel and correct them.
``review``: see, correct and approve the jobs of all owners. ``monai``: the protocols of MONAI Label
and MONAIAuto3DSeg, also with the token in the address. ``admin``: all of it for the jobs of all
owners, and the metrics."""
_OWNER_LENGTH: Final = 100
LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")
_EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 (compared with, not bound to)


def default_data_folder() -> Path:
    """Default folder of the queue, below the user's data folder."""
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "gliomask" / "serve"


def login_name() -> str:
    """Name of the user who runs this process; ``this computer`` if the system has none."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may run as a number without a name
        name = ""
    return name if name.isprintable() and 0 < len(name) <= _OWNER_LENGTH else "this computer"


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("printable characters")
    return text


Owner = Annotated[str, Field(min_length=1, max_length=_OWNER_LENGTH), AfterValidator(_printable)]
DataOption = Annotated[
    Path,
    Field(
        default_factory=default_data_folder,
        description="Folder of the queue, uploads and results; on a local disk, for one server at "
        "a time.",
    ),
]


class Limits(Options):
    """Limits of the server; shown by ``GET /api/v1/limits``."""

    file_bytes: ByteSize = ByteSize(2**30)
    """Size of one uploaded file."""
    upload_bytes: ByteSize = ByteSize(2**31)
    """Total size of the files of an upload."""
    upload_files: Annotated[int, Field(ge=1, le=100_000)] = 20_000
    """Number of files in an upload."""
    open_uploads: Annotated[int, Field(ge=1)] = 20
    """Number of uploads per owner at a time."""
    client_images: Annotated[int, Field(ge=1)] = 200
    """Number of images and sessions of MONAI Label clients per owner at a time."""
    queued_jobs: Annotated[int, Field(ge=1)] = 100
    """Number of queued and running jobs of all owners."""
    queued_jobs_per_owner: Annotated[int, Field(ge=1)] = 20
    """Number of queued and running jobs per owner."""
    job_minutes: Annotated[float, Field(gt=0)] = 15.0
    """Time limit of a job."""
    tries: Annotated[int, Field(ge=1, le=10)] = 3
    """Number of crashed worker processes after which a job fails."""
    free_bytes: ByteSize = ByteSize(5 * 2**30)
    """Free disk space below which uploads are refused."""
    free_share: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Free fraction of the disk below which uploads are refused; the larger limit applies."""
    result_hours: Annotated[float, Field(gt=0)] = 24.0
    """Time after which results are deleted."""
    correction_days: Annotated[float, Field(gt=0)] = 30.0
    """Time after the last correction after which a corrected result is deleted."""
    corrections: Annotated[int, Field(ge=1)] = 50
    """Number of corrections per job."""
    upload_hours: Annotated[float, Field(gt=0)] = 1.0
    """Time after its last use after which an upload, or an image of a client, is deleted."""
    audit_days: Annotated[float, Field(ge=1)] = 365.0
    """Time after which entries of the audit log are deleted."""
    request_body_bytes: ByteSize = ByteSize(2**16)
    """Size of the body of a request without files."""
    lasting_requests: Annotated[int, Field(ge=1)] = 32
    """Maximum number of open waits, streams of events, comparisons and downloads per owner."""
    header_seconds: Annotated[float, Field(gt=0)] = 10.0
    """Time limit for the header of a request."""
    body_seconds: Annotated[float, Field(gt=0)] = 10.0
    """Time without data after which a request is aborted."""
    body_bytes_per_second: Annotated[int, Field(ge=0)] = 1024
    """Minimum transfer rate; slower requests are aborted after ``body_seconds``."""
    answer_seconds: Annotated[float, Field(gt=0)] = 30.0
    """Time after which a connection is closed if its client does not read the response."""


class ServeOptions(Options):
    """Options of ``serve``."""

    data: DataOption
    host: str = "127.0.0.1"
    """Address to listen on; any address other than localhost needs tokens and encryption."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """Port to listen on; 0 uses a free one."""
    names: tuple[str, ...] = ()
    """Additional host name under which browsers may reach the server."""
    models: Models = Field(default_factory=lambda: (find_model(),))
    """Run folder, or name of a model, to offer; the first is the default for clients."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Number of worker processes, each with a loaded model."""
    certificate: Path | None = None
    """PEM file of the TLS certificate (with its chain)."""
    key: Path | None = None
    """PEM file of the certificate's private key."""
    behind_proxy: bool = False
    """A reverse proxy in front of the server provides TLS."""
    token: bool = True
    """Require tokens; without them the server listens on localhost only."""
    owner: Owner = Field(default_factory=login_name)
    """Name of the person who opens the printed address: the owner of the jobs and the author of the
    corrections made there."""
    device: DeviceOption = "auto"
    engine: EngineOption = "auto"
    limits: Limits = Limits()
    """Another limit, for example file_bytes=500MB; /api/v1/limits lists them."""

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        """Refuse to listen on a network without tokens and encryption."""
        if (self.certificate is None) != (self.key is None):
            what = "a certificate and its key must be given together"
            raise ConfigError(what, option="certificate", found=self.certificate)
        if is_loopback(self.host):
            return self
        if not self.token:
            what, allowed = "without tokens the server only listens on this machine", "127.0.0.1"
            raise ConfigError(what, option="host", found=self.host, allowed=allowed)
        if self.certificate is None and not self.behind_proxy:
            what = "an address that other machines can reach needs encryption"
            allowed = "127.0.0.1, or any other with a certificate and its key, or behind a proxy"
            raise ConfigError(what, option="host", found=self.host, allowed=allowed)
        return self

    @property
    def encrypted(self) -> bool:
        """True if browsers use HTTPS."""
        return self.certificate is not None or self.behind_proxy

    @property
    def shown_host(self) -> str:
        """Host name of the server for users."""
        if self.names:
            return self.names[0]
        return socket.getfqdn() if self.host in _EVERYWHERE else self.host

    @property
    def host_names(self) -> frozenset[str]:
        """Names that are accepted in the ``Host`` header, in lower case."""
        own = set(LOOPBACK_NAMES) | {name.lower() for name in self.names}
        if not is_loopback(self.host):
            own |= {socket.gethostname().lower(), socket.getfqdn().lower()}
        if self.host not in _EVERYWHERE:
            own.add(self.host.lower())
        return frozenset(own)


class TokenCreateOptions(Options):
    """Options of ``serve token create``."""

    owner: Owner
    """Owner of the token, a name of your choice: jobs belong to it."""
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)] = ("read", "submit")
    """Rights of the token: read (see and download the owner's jobs), submit (upload, start and
    cancel), review (see, correct and approve the jobs of all owners), monai (the clients of MONAI
    Label and MONAIAuto3DSeg), admin (all of it for the jobs of all owners, and the metrics)."""
    days: Annotated[float, Field(gt=0, le=3660)] = 90.0
    """Days until it expires."""
    data: DataOption


class TokenListOptions(Options):
    """Options of ``serve token list``."""

    data: DataOption


class TokenRevokeOptions(Options):
    """Options of ``serve token revoke``."""

    token: str
    """Id of the token, as the list shows it."""
    data: DataOption


class AuditOptions(Options):
    """Options of ``serve audit``."""

    data: DataOption


def is_loopback(host: str) -> bool:
    """Return True for an address of this machine only, including ``localhost``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
