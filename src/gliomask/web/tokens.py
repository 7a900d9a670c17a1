"""Access tokens: shown once, stored as a hash.

A token has 256 random bits, so its plain SHA-256 can't be searched. Jobs belong to the token's
owner, a name, so a token can be replaced by another one of the same owner.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from gliomask.config.serve import Scope
from gliomask.errors import InputError, MachineError
from gliomask.web.database import Database, now

PREFIX: Final = "gliomask_"
"""Prefix of tokens, to find leaked ones."""
DAY_S: Final = 86_400.0
_USED_EVERY_S: Final = 60.0


@dataclass(frozen=True)
class Access:
    """Identity and scopes of a client.

    Attributes:
        owner: owner of the token.
        scopes: permissions.
    """

    owner: str
    scopes: frozenset[str]

    def allows(self, scope: Scope) -> bool:
        """Return True for an allowed scope, also as part of ``admin``."""
        return scope in self.scopes or "admin" in self.scopes

    @property
    def may_view_all(self) -> bool:
        """True if jobs of all owners are visible."""
        return "admin" in self.scopes or "review" in self.scopes

    def may_view(self, owner: str) -> bool:
        """Return True if the jobs of an owner are visible."""
        return self.may_view_all or owner == self.owner

    def may_change(self, owner: str) -> bool:
        """Return True if data of an owner may be used, cancelled and deleted."""
        return "admin" in self.scopes or owner == self.owner


WITHOUT_TOKEN: Final = Access("everybody", frozenset(("read", "submit", "monai")))
"""Client of a server without tokens."""


@dataclass(frozen=True)
class TokenRow:
    """Facts about a token, without the token itself.

    Attributes:
        id: to revoke it by.
        owner, scopes: see ``Access``.
        created, expires, used: seconds since 1970; the latter None if it never was used.
        state: ``valid``, ``expired`` or ``revoked``.
    """

    id: str
    owner: str
    scopes: tuple[str, ...]
    created: float
    expires: float
    used: float | None
    state: str


class Tokens:
    """Tokens of a server.

    Args:
        database: database of the tokens.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, owner: str, scopes: Sequence[Scope], days: float) -> str:
        """Create a token, which is shown only once; for the limits see its options."""
        with self._database.change() as change:
            return _insert(change, owner, scopes, days, printed=False)

    def printed(self, owner: str, days: float) -> str:
        """Create the token of the printed address, and revoke those of earlier starts."""
        with self._database.change() as change:
            statement = "UPDATE token SET revoked=? WHERE printed=1 AND revoked IS NULL"
            change.execute(statement, (now(),))
            return _insert(change, owner, ("read", "submit", "admin"), days, printed=True)

    def access(self, token: str) -> Access | None:
        """Access of a token; None if it is unknown, expired or revoked."""
        row = self._database.row("SELECT * FROM token WHERE hash=?", (_hash(token),))
        moment = now()
        if row is None or row["revoked"] is not None or row["expires"] <= moment:
            return None
        if row["used"] is None or moment - row["used"] > _USED_EVERY_S:
            # On a full disk, users can still view their results.
            with suppress(MachineError), self._database.change() as change:
                change.execute("UPDATE token SET used=? WHERE id=?", (moment, row["id"]))
        return Access(row["owner"], frozenset(row["scopes"].split()))

    def rows(self) -> list[TokenRow]:
        """All tokens, oldest first."""
        matches = self._database.rows("SELECT * FROM token ORDER BY created, id")
        return [
            TokenRow(
                id=row["id"],
                owner=row["owner"],
                scopes=tuple(row["scopes"].split()),
                created=row["created"],
                expires=row["expires"],
                used=row["used"],
                state=_state(row["revoked"], row["expires"]),
            )
            for row in matches
        ]

    def revoke(self, token: str) -> None:
        """Revoke a token.

        Args:
            token: its id.

        Raises:
            InputError: it does not exist, or is revoked already.
        """
        with self._database.change() as change:
            statement = "UPDATE token SET revoked=? WHERE id=? AND revoked IS NULL"
            if not change.execute(statement, (now(), token)).rowcount:
                raise InputError("no valid token of this id", field="id", found=token)


def _insert(
    change: sqlite3.Connection, owner: str, scopes: Sequence[Scope], days: float, *, printed: bool
) -> str:
    token, moment = PREFIX + secrets.token_urlsafe(32), now()
    row = (secrets.token_hex(4), _hash(token), owner, " ".join(dict.fromkeys(scopes)))
    change.execute(
        "INSERT INTO token(id, hash, owner, scopes, created, expires, printed) "
        "VALUES (?,?,?,?,?,?,?)",
        (*row, moment, moment + days * DAY_S, printed),
    )
    return token


def _state(revoked: float | None, expires: float) -> str:
    if revoked is not None:
        return "revoked"
    return "valid" if expires > now() else "expired"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
