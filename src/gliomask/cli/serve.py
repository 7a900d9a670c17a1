"""``gliomask serve``, and the commands for its tokens and its audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from gliomask.cli.command import Command, add_group_to, add_to
from gliomask.cli.fields import Typed
from gliomask.cli.serve_corrections import EXPORT
from gliomask.config.shipped import DEFAULT

if TYPE_CHECKING:
    from pathlib import Path

    from gliomask.config.serve import (
        AuditOptions,
        ServeOptions,
        TokenCreateOptions,
        TokenListOptions,
        TokenRevokeOptions,
    )
    from gliomask.web.tokens import Tokens

_DATA = Typed(default="~/.local/share/gliomask/serve")


def add_group(app: typer.Typer) -> None:
    """Adds the command and its group."""
    group = add_group_to(app, COMMAND)
    add_to(group, AUDIT, "audit")
    add_to(group, EXPORT, "export-corrections")
    tokens = typer.Typer(help="Create, list and revoke tokens.", no_args_is_help=True)
    for command in (CREATE, LIST, REVOKE):
        add_to(tokens, command, command.name.rpartition(" ")[2])
    group.add_typer(tokens, name="token")


def run(options: ServeOptions) -> None:
    """Runs the server."""
    from gliomask.web.run import serve

    def announce(address: str) -> None:
        typer.echo(f"open {address}")
        typer.echo(
            "for research use only; Ctrl-C stops the server, jobs continue at the next start"
        )

    serve(options, announce)


def create(options: TokenCreateOptions) -> None:
    """Create a token and show it, only once."""
    tokens = _tokens(options.data)
    typer.echo(tokens.create(options.owner, options.scopes, options.days))


def show(options: TokenListOptions, *, json: bool) -> None:
    """List the tokens."""
    from gliomask.cli import render

    rows = _tokens(options.data).rows()
    if json:
        render.as_json(rows)
        return
    columns = ["id", "owner", "scopes", "state", "expires", "last used"]
    cells = [
        (
            row.id,
            row.owner,
            ", ".join(row.scopes),
            row.state,
            _time(row.expires),
            _time(row.used),
        )
        for row in rows
    ]
    render.table("tokens", columns, cells)


def revoke(options: TokenRevokeOptions) -> None:
    """Revokes a token."""
    _tokens(options.data).revoke(options.token)


def audit(options: AuditOptions, *, json: bool) -> None:
    """Show the audit log; fails if it was changed."""
    from gliomask.cli import render
    from gliomask.errors import InputError
    from gliomask.web.audit import Audit
    from gliomask.web.database import open_database

    database = open_database(options.data)
    log = Audit(database)
    entries, broken = log.entries(), log.broken_at()
    if json:
        render.as_json({"entries": entries, "broken_at": broken})
    else:
        columns = ["entry", "when", "who", "action", "on", "outcome"]
        cells = [
            (
                entry.number,
                _time(entry.at),
                entry.actor,
                entry.action,
                entry.object,
                entry.outcome,
            )
            for entry in entries
        ]
        render.table("audit log", columns, cells)
    if broken is not None:
        what = "an entry was changed, or one before it was deleted"
        raise InputError(what, path=database.path, field="entry", found=broken)


def _tokens(data: Path) -> Tokens:
    from gliomask.web.database import open_database
    from gliomask.web.tokens import Tokens

    return Tokens(open_database(data))


def _time(seconds: float | None) -> str:
    from datetime import datetime

    return "never" if seconds is None else f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}"


COMMAND = Command(
    name="serve",
    help="Start a web page and an API. Upload scans, follow the progress, view and download masks.",
    options="ServeOptions",
    run=run,
    typed={
        "data": _DATA,
        "names": Typed("--name", metavar="NAME"),
        "models": Typed("--model", metavar="MODEL", default=DEFAULT),
        "limits": Typed("--limit"),
        "owner": Typed(metavar="OWNER", default="your login name"),
    },
    extra={},
)
CREATE = Command(
    name="serve token create",
    module="serve",
    help="Create a token and print it, only once.",
    options="TokenCreateOptions",
    run=create,
    typed={
        "owner": Typed(metavar="OWNER", argument=True),
        "scopes": Typed(metavar="SCOPE,SCOPE,...", commas=True),
        "data": _DATA,
    },
    extra={},
)
LIST = Command(
    name="serve token list",
    module="serve",
    help="List tokens: their ids, owners, scopes and states, not the tokens themselves.",
    options="TokenListOptions",
    run=show,
    typed={"data": _DATA},
)
REVOKE = Command(
    name="serve token revoke",
    module="serve",
    help="Revoke a token: it is refused from its next request on.",
    options="TokenRevokeOptions",
    run=revoke,
    typed={"token": Typed(metavar="ID", argument=True), "data": _DATA},
    extra={},
)
AUDIT = Command(
    name="serve audit",
    module="serve",
    help="Show the audit log. Fails if entries were changed, or deleted before later ones.",
    options="AuditOptions",
    run=audit,
    typed={"data": _DATA},
)
COMMANDS = (COMMAND, CREATE, LIST, REVOKE, AUDIT, EXPORT)
