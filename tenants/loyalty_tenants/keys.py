"""API keys: issued once, stored as a hash, replaced in pairs, revoked at once."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.given_id import check_id
from loyalty.ids import new_id
from loyalty.orm import bound
from loyalty.plugin import Connection
from loyalty_tenants import audit, models, scopes
from loyalty_tenants.config_errors import unknown_key
from loyalty_tenants.epoch import raise_epoch
from loyalty_tenants.key_text import KeyText, draw_key
from loyalty_tenants.principal import Actor, Principal, Role, client_of
from loyalty_tenants.slugs import check_name

ACTIVE_MAX = 2  # per client: the one in use and the one that replaces it
ROLES = (Role.ADMIN, Role.SERVICE, Role.PARTNER)
NO_HASH = bytes(32)  # compared where no key was found, so that this takes as long


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A key as admins see it: everything but the secret."""

    id: UUID
    prefix: str
    role: Role
    scopes: frozenset[str]
    client: str
    label: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key; its text is shown this once."""

    record: KeyRecord
    text: str = field(repr=False)


async def issue_key(
    connection: Connection,
    by: Actor,
    *,
    role: Role,
    client: str,
    label: str = "",
    asked: Sequence[str] | None = None,
    expires_at: datetime | None = None,
    within: frozenset[str] | None = None,
    now: datetime,
) -> IssuedKey:
    """Issue a key for a client (a service account that outlives its keys).

    `within` are the scopes of who asks: nobody makes a key that may do more than they may.

    :raises Refused: BAD_USER_INPUT, FORBIDDEN (a scope that the role, or who asks, cannot hold),
        LIMIT_EXCEEDED (the client has two active keys)
    """
    client = check_id(client, field="client", longest=60)
    label = check_name(label, field="label") if label else ""
    granted = _check_scopes(role, asked, within)
    if expires_at is not None and expires_at <= now:
        raise Refused(Code.BAD_USER_INPUT, "must be in the future", field="expiresAt")
    await raise_epoch(connection)
    await _check_room(connection, client, now)
    key = draw_key()
    record = KeyRecord(
        id=new_id(),
        prefix=key.prefix,
        role=role,
        scopes=granted,
        client=client,
        label=label,
        created_at=now,
        expires_at=expires_at,
        revoked_at=None,
        last_used_at=None,
    )
    await _insert(connection, record, key)
    await _note(connection, by, "key.create", record, now)
    return IssuedKey(record=record, text=key.text)


async def revoke_key(
    connection: Connection, by: Actor, key_id: UUID, *, now: datetime
) -> KeyRecord:
    """Revoke a key; one that is revoked already stays as it is.

    :raises Refused: NOT_FOUND
    """
    await raise_epoch(connection)
    row = await connection.fetchrow(
        """update loyalty.api_key set revoked_at = coalesce(revoked_at, $2)
            where id = $1 returning *""",
        key_id,
        now,
    )
    if row is None:
        raise Refused(Code.NOT_FOUND, "there is no such key", field="id")
    record = _record(row)
    await _note(connection, by, "key.revoke", record, now)
    return record


async def keys(connection: Connection) -> Sequence[KeyRecord]:
    """The tenant's keys, newest first, revoked ones too."""
    asked = models.ApiKey.all().using_db(bound(connection)).order_by("-id")
    return [_record(row) for row in await asked.values()]


async def page(
    connection: Connection, *, beyond: UUID | None, count: int, backward: bool = False
) -> Sequence[KeyRecord]:
    """`count` keys older than the one of an id, newest first; backward: newer, oldest first."""
    side, order = ("gt", "id") if backward else ("lt", "-id")
    asked = models.ApiKey.all().using_db(bound(connection)).order_by(order)
    if beyond is not None:
        asked = asked.filter(**{f"id__{side}": beyond})
    return [_record(row) for row in await asked.limit(count).values()]


async def verify_key(
    connection: Connection, tenant_id: UUID, key: KeyText, *, now: datetime
) -> Principal | None:
    """Who holds this key. A wrong one takes the same statement and comparison as a right one."""
    row = await connection.fetchrow("select * from loyalty.api_key where prefix = $1", key.prefix)
    right = hmac.compare_digest(NO_HASH if row is None else row["hash"], key.hash)
    if row is None or not right or row["revoked_at"] is not None:
        return None
    record = _record(row)
    if record.expires_at is not None and record.expires_at <= now:
        return None
    return Principal(
        role=record.role,
        tenant_id=tenant_id,
        subject=record.client,
        scopes=record.scopes,
        client=client_of(record.role, record.client),
        expires_at=record.expires_at,
        key_id=record.id,
    )


def _check_scopes(
    role: Role, asked: Sequence[str] | None, within: frozenset[str] | None
) -> frozenset[str]:
    if role not in ROLES:
        raise Refused(Code.BAD_USER_INPUT, "a key is for ADMIN, SERVICE or PARTNER", field="role")
    for index, scope in enumerate(asked or ()):
        field = f"scopes.{index}"
        if scope not in scopes.DESCRIPTIONS:
            raise Refused(Code.BAD_USER_INPUT, unknown_key(scope, scopes.DESCRIPTIONS), field=field)
        if scope not in scopes.ALLOWED[role]:
            raise Refused(Code.FORBIDDEN, f"{role} cannot hold the scope {scope}", field=field)
        if within is not None and scope not in within:
            raise Refused(Code.FORBIDDEN, f"you do not hold the scope {scope}", field=field)
    granted = scopes.granted(role, asked)
    return granted if within is None else granted & within


async def _check_room(connection: Connection, client: str, now: datetime) -> None:
    active = await connection.fetchval(
        """select count(*) from loyalty.api_key where client = $1 and revoked_at is null
              and (expires_at is null or expires_at > $2)""",
        client,
        now,
    )
    if active >= ACTIVE_MAX:
        raise Refused(
            Code.LIMIT_EXCEEDED,
            f"{client!r} has {ACTIVE_MAX} active keys: revoke one of them first",
            field="client",
        )


async def _insert(connection: Connection, record: KeyRecord, key: KeyText) -> None:
    await connection.execute(
        """insert into loyalty.api_key
             (tenant_id, id, prefix, hash, role, scopes, client, label, created_at, expires_at)
           values (loyalty.tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        record.id,
        record.prefix,
        key.hash,
        record.role.value,
        sorted(record.scopes),
        record.client,
        record.label,
        record.created_at,
        record.expires_at,
    )


async def _note(
    connection: Connection, by: Actor, action: str, record: KeyRecord, now: datetime
) -> None:
    await audit.write(
        connection,
        by,
        action=action,
        subject=f"api_key:{record.id}",
        details={"client": record.client, "role": record.role, "scopes": sorted(record.scopes)},
        now=now,
    )


def _record(row: Any) -> KeyRecord:
    return KeyRecord(
        id=row["id"],
        prefix=row["prefix"],
        role=Role(row["role"]),
        scopes=frozenset(row["scopes"]),
        client=row["client"],
        label=row["label"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
    )
