"""``gliomask serve`` and ``gliomask serve token``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gliomask.web.tokens import Tokens

_DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of the queue (default: ~/.local/share/gliomask/serve)."),
]

app = typer.Typer(help="Serve a page and an API.", invoke_without_command=True)
token_app = typer.Typer(help="Make, list and revoke tokens.", no_args_is_help=True)
app.add_typer(token_app, name="token")


def add_to(parent: typer.Typer) -> None:
    """Adds the command to the application."""
    parent.add_typer(app, name="serve")


@app.callback()
def run(
    context: typer.Context,
    data: _DataOption = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; another than this machine's needs TLS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8000,
    name: Annotated[
        list[str] | None, typer.Option(help="A name under which browsers reach the server.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="A model to offer, once for each; the first is the default."),
    ] = None,
    workers: Annotated[int, typer.Option(help="Examinations to segment at the same time.")] = 1,
    certificate: Annotated[Path | None, typer.Option(help="PEM file of a certificate.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM file of its private key.")] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A reverse proxy in front does TLS.")
    ] = False,
    no_token: Annotated[
        bool, typer.Option("--no-token", help="Ask for no token; on this machine's address only.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    engine: Annotated[
        str, typer.Option(help="auto (the fastest), mnn, openvino, onnxruntime or torch.")
    ] = "auto",
    limit: Annotated[
        list[str] | None,
        typer.Option(help="Another limit, e.g. file_bytes=500MB; /api/v1/limits lists them."),
    ] = None,
) -> None:
    """Serve a page in the browser and an API: upload scans, watch, look, download."""
    if context.invoked_subcommand is not None:
        return
    _require()
    from gliomask.config import build
    from gliomask.web.run import serve
    from gliomask.web.settings import ServeOptions

    keys = {
        "data": data,
        "host": host,
        "port": port,
        "names": name,
        "models": model,
        "workers": workers,
        "certificate": certificate,
        "key": key,
        "behind_proxy": behind_proxy,
        "token": not no_token,
        "device": device,
        "engine": engine,
        "limits": _limits(limit or []),
    }
    options = build(ServeOptions, keys, "serve")
    serve(options, _tell)


@token_app.command("create")
def create(
    owner: Annotated[str, typer.Argument(help="Whose jobs it may see: a name of your choice.")],
    scopes: Annotated[
        str, typer.Option(help="Of read, submit, admin (all jobs, metrics).")
    ] = "read,submit",
    days: Annotated[float, typer.Option(help="Days until it expires.")] = 90.0,
    data: _DataOption = None,
) -> None:
    """Make a token and show it, this once."""
    tokens = _tokens(data)
    made = tokens.create(owner, [scope.strip() for scope in scopes.split(",")], days)
    typer.echo(made)


@token_app.command("list")
def listing(
    data: _DataOption = None,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Show which tokens there are, though not the tokens themselves."""
    from gliomask.cli import render

    rows = _tokens(data).rows()
    if json:
        render.as_json(rows)
        return
    columns = ["id", "owner", "scopes", "state", "expires", "last used"]
    cells = [
        (one.id, one.owner, ", ".join(one.scopes), one.state, _day(one.expires), _day(one.used))
        for one in rows
    ]
    render.table("tokens", columns, cells)


@token_app.command("revoke")
def revoke(
    token: Annotated[str, typer.Argument(help="Its id, see list.")], data: _DataOption = None
) -> None:
    """Make a token worthless, from its next request on."""
    _tokens(data).revoke(token)


def _tokens(data: Path | None) -> Tokens:
    from gliomask.web.database import open_database
    from gliomask.web.settings import default_data_folder
    from gliomask.web.tokens import Tokens

    return Tokens(open_database(data or default_data_folder()))


def _limits(changes: list[str]) -> dict[str, str]:
    from gliomask.errors import ConfigError

    limits = {}
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise ConfigError(f"{change!r} is not name=value", field="limit", found=change)
        limits[name] = value
    return limits


def _tell(address: str) -> None:
    typer.echo(f"open {address}")
    typer.echo("for research use only; Ctrl-C stops the server, jobs go on at its next start")


def _day(seconds: float | None) -> str:
    from datetime import datetime

    return "never" if seconds is None else f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}"


def _require() -> None:
    """Raises MachineError where the extra is not installed."""
    from importlib.util import find_spec

    from gliomask.errors import MachineError

    missing = [name for name in ("fastapi", "uvicorn") if find_spec(name) is None]
    if missing:
        hint = "pip install 'gliomask[serve]'"
        raise MachineError(f"not installed: {', '.join(missing)}", hint=hint)
