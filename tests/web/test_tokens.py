"""Tokens: scopes, expiry, revocation; and the audit log."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gliomask.config import build
from gliomask.config.serve import TokenCreateOptions
from gliomask.errors import ConfigError, InputError
from gliomask.web import tokens as module
from gliomask.web.audit import Audit
from gliomask.web.database import Database, now
from gliomask.web.tokens import Access, Tokens


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "serve.sqlite")


def test_a_token_allows_its_scopes_until_it_expires_or_is_revoked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = Tokens(database)
    token = tokens.create("ann", ["read"], 2.0)
    access = tokens.access(token)
    assert access == Access("ann", frozenset(("read",)))
    assert access.allows("read")
    assert not access.allows("submit")
    assert not access.may_view_all
    assert tokens.access(token[:-1]) is None
    assert tokens.access("") is None
    (row,) = tokens.rows()
    assert (row.owner, row.scopes, row.state) == ("ann", ("read",), "valid")
    assert row.used is not None
    start = now()
    monkeypatch.setattr(module, "now", lambda: start + 2 * module.DAY_S + 1)
    assert tokens.access(token) is None
    assert tokens.rows()[0].state == "expired"
    monkeypatch.undo()
    tokens.revoke(row.id)
    assert tokens.access(token) is None
    with pytest.raises(InputError, match="no valid token"):
        tokens.revoke(row.id)


def test_a_start_revokes_the_printed_tokens_of_earlier_starts_only(database: Database) -> None:
    tokens = Tokens(database)
    own, earlier = tokens.create("ann", ["read"], 1.0), tokens.printed("ann", 1.0)
    now_printed = tokens.printed("bob", 1.0)
    assert tokens.access(earlier) is None
    assert tokens.access(own) == Access("ann", frozenset(("read",)))
    assert tokens.access(now_printed) == Access("bob", frozenset(("read", "submit", "admin")))


def test_admin_is_everything(database: Database) -> None:
    tokens = Tokens(database)
    access = tokens.access(tokens.create("boss", ["admin"], 1.0))
    assert access is not None
    assert access.may_view_all
    assert access.allows("read")
    assert access.allows("submit")


@pytest.mark.parametrize(
    ("owner", "scopes", "days"),
    [
        ("", ["read"], 1),
        ("a\nb", ["read"], 1),
        ("a", [], 1),
        ("a", ["root"], 1),
        ("a", ["read"], 0),
    ],
)
def test_no_token_without_sense(tmp_path: Path, owner: str, scopes: list[str], days: float) -> None:
    keys = {"owner": owner, "scopes": scopes, "days": days, "data": tmp_path}
    with pytest.raises(ConfigError):
        build(TokenCreateOptions, keys, "serve token create")


def test_tokens_are_not_stored(database: Database) -> None:
    token = Tokens(database).create("ann", ["read"], 1.0)
    stored = b"".join(path.read_bytes() for path in database.path.parent.iterdir())
    assert token.encode() not in stored
    assert token.removeprefix(module.PREFIX).encode() not in stored


def test_the_audit_log_shows_changes(database: Database) -> None:
    audit = Audit(database)
    for job in ("a", "b", "c"):
        audit.add("ann", "job.create", job)
    assert [entry.object for entry in audit.entries()] == ["a", "b", "c"]
    assert audit.broken_at() is None
    with sqlite3.connect(database.path) as other:
        other.execute("UPDATE audit SET actor='bob' WHERE object='b'")
    other.close()
    assert audit.broken_at() == 2
    with sqlite3.connect(database.path) as other:
        other.execute("DELETE FROM audit WHERE object='b'")
    other.close()
    assert audit.broken_at() == 3
