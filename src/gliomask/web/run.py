"""Running of a server until it is stopped."""

from __future__ import annotations

import logging
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final
from urllib.parse import quote

import uvicorn

from gliomask.config.serve import ServeOptions
from gliomask.errors import InputError, MachineError, StoppedError
from gliomask.web.app import make_app
from gliomask.web.database import open_database
from gliomask.web.folder import DataFolder
from gliomask.web.models import served_models
from gliomask.web.protocol import protocol
from gliomask.web.service import make_service

_DAYS: Final = 30.0
_GRACE_S: Final = 3
_CONNECTIONS: Final = 65_536


def serve(options: ServeOptions, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        options: of the server.
        ready: gets the address of the page, with a token, once connections are taken.

    Raises:
        InputError: another server uses the data folder; ModelError: a model.
        MachineError: the address, the certificate, the data folder.
        StoppedError: it was stopped by a signal, the normal end.
    """
    models = served_models(options.models)
    database = open_database(options.data)
    _allow_many_connections()
    with DataFolder(options.data).lock(), _listening(options) as door:
        options = options.model_copy(update={"port": door.getsockname()[1]})
        service = make_service(options, models, database)
        server = _Server(_config(options, make_app(service)))
        _load(server.config)
        service.corrections.repair()
        service.supervisor.start()
        try:
            token = service.tokens.printed(options.owner, _DAYS) if options.token else ""
            ready(address(options, token))
            server.run(sockets=[door])
        finally:
            service.supervisor.stop()
            database.close()
    raise StoppedError("the server was stopped", signal_number=server.came or signal.SIGTERM)


def address(options: ServeOptions, token: str) -> str:
    """Address of the page."""
    host = options.shown_host
    host = f"[{host}]" if ":" in host else host
    scheme = "https" if options.encrypted else "http"
    port = "" if options.behind_proxy else f":{options.port}"
    return f"{scheme}://{host}{port}/" + (f"?token={quote(token)}" if token else "")


class _Server(uvicorn.Server):
    """Stops cleanly on the first signal and stores it; uvicorn would raise it again."""

    came: int = 0

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """See uvicorn."""
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {
            signal_number: signal.signal(signal_number, self._note) for signal_number in signals
        }
        try:
            yield
        finally:
            for signal_number, handler in before.items():
                signal.signal(signal_number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.came = self.came or number
        self.handle_exit(number, frame)


def _config(options: ServeOptions, app: Any) -> uvicorn.Config:
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # its texts contain data from clients
    return uvicorn.Config(
        app,
        http=protocol(options.limits.header_seconds, options.limits.answer_seconds),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_S,
        ssl_certfile=options.certificate,
        ssl_keyfile=options.key,
    )


def _allow_many_connections() -> None:
    """Raises the number of files and sockets that this process may open to what the system allows.

    Shells allow 1024: as many connections that are half open would block all other clients.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, _CONNECTIONS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _load(config: uvicorn.Config) -> None:
    """Read the certificate before the address is shown."""
    try:
        config.load()
    except OSError as problem:  # of ssl, too
        where = f"{config.ssl_certfile}, {config.ssl_keyfile}"
        raise InputError(f"no certificate with its key: {problem.strerror}", path=where) from None


@contextmanager
def _listening(options: ServeOptions) -> Iterator[socket.socket]:
    try:
        family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
        door = socket.create_server((options.host, options.port), family=family, backlog=2048)
    except OSError as problem:
        what = f"can't listen there: {problem.strerror or problem}"
        place = f"{options.host}:{options.port}"
        raise MachineError(what, field="host:port", found=place, hint="use another port") from None
    try:
        yield door
    finally:
        door.close()
