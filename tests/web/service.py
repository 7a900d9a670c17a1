"""A service without its workers, and clients of it, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from gliomask.config.serve import Limits, Scope, ServeOptions
from gliomask.web.app import make_app
from gliomask.web.database import open_database
from gliomask.web.models import served_models
from gliomask.web.service import Service, make_service

API = "/api/v1"


def options(data: Path, **changes: Any) -> ServeOptions:
    """Options of a server in a folder; the disk may be as full as it likes."""
    limits = Limits.model_validate({"free_bytes": 0, "free_share": 0, **changes.pop("limits", {})})
    return ServeOptions.model_validate({"data": data, "port": 0, "limits": limits, **changes})


@contextmanager
def running(data: Path, **changes: Any) -> Iterator[Service]:
    """A service whose jobs stay in the queue."""
    chosen = options(data, **changes)
    database = open_database(chosen.data)
    try:
        yield make_service(chosen, served_models(chosen.models), database)
    finally:
        database.close()


def client(service: Service, token: str | None = None) -> TestClient:
    """A client with a token, or without one."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return TestClient(
        make_app(service), base_url="http://127.0.0.1", headers=headers, follow_redirects=False
    )


def token_of(service: Service, owner: str = "ann", *scopes: Scope) -> str:
    """A new token."""
    return service.tokens.create(owner, scopes or ("read", "submit"), 1.0)


def revoke(service: Service, owner: str) -> None:
    """Revokes the valid tokens of an owner."""
    for row in service.tokens.rows():
        if row.owner == owner and row.state == "valid":
            service.tokens.revoke(row.id)


def upload(one: TestClient, **files: bytes) -> str:
    """A new upload with these files; ``__`` in a name stands for a dot."""
    made: str = one.post(f"{API}/uploads").json()["id"]
    for number, (name, content) in enumerate(files.items()):
        named = {"name": name.replace("__", ".")}
        answer = one.put(f"{API}/uploads/{made}/files/{number}", params=named, content=content)
        assert answer.status_code == 200, answer.text
    return made
