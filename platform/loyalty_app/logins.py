"""The login roles of the serving processes: their passwords and their addresses."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import asyncpg

from loyalty_app.problem import Problem
from loyalty_app.settings import Settings

ROLES = ("loyalty_app", "loyalty_worker", "loyalty_audit")
ITERATIONS = 4096  # PostgreSQL's own default


@dataclass(frozen=True, slots=True)
class Addresses:
    """One database, by the login that uses it."""

    admin: str
    app: str
    worker: str
    audit: str


def verifier(password: str, salt: bytes | None = None) -> str:
    """What PostgreSQL keeps of a password (SCRAM-SHA-256, RFC 5803).

    Sent in place of the password itself, which would show in the server's log and statistics.
    """
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    server = hmac.digest(salted, b"Server Key", "sha256")
    parts = (salt, hashlib.sha256(client).digest(), server)
    salt_text, stored_text, server_text = (base64.b64encode(part).decode() for part in parts)
    return f"SCRAM-SHA-256${ITERATIONS}:{salt_text}${stored_text}:{server_text}"


async def set_passwords(admin_dsn: str, passwords: Mapping[str, str]) -> None:
    """Give each role its password. The names are ours, so they need no quoting."""
    connection = await asyncpg.connect(admin_dsn)
    try:
        async with connection.transaction():
            # Two processes that set passwords at once would find the role "concurrently updated".
            await connection.execute("select pg_advisory_xact_lock(hashtext('loyalty.logins'))")
            for role, password in passwords.items():
                await connection.execute(f"alter role {role} password '{verifier(password)}'")
    finally:
        await connection.close()


def given_passwords(settings: Settings) -> dict[str, str]:
    """The passwords that the addresses of the serving logins hold, by role.

    :raises Problem: an address that is set is not its role's, or holds no password
    """
    found = {}
    for role in ROLES:
        name = f"{role.removeprefix('loyalty_')}_database_url"
        if (url := getattr(settings, name)) is not None:
            user, _, password = urlsplit(url).netloc.rpartition("@")[0].partition(":")
            if unquote(user) != role or not password:
                raise Problem(
                    f"LOYALTY_{name.upper()} holds no password for the login {role}",
                    f"Give it the form postgresql://{role}:<password>@<host>:<port>/<database>",
                )
            found[role] = unquote(password)
    return found


def address(admin_dsn: str, role: str, password: str, database: str | None = None) -> str:
    """The same server as another login, in the same database unless one is named."""
    parts = urlsplit(admin_dsn)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(
        parts._replace(
            netloc=f"{role}:{quote(password, safe='')}@{place}",
            path=parts.path if database is None else f"/{database}",
        )
    )
