"""Peers: brands of other installations, where they are asked and what calls are signed with."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.plugin import Connection
from loyalty_tenants import audit
from loyalty_tenants.epoch import raise_epoch
from loyalty_tenants.principal import Actor
from loyalty_tenants.slugs import is_slug

SECRET_BYTES = 32
PEERS_MAX = 50
PREFIX = "loyp_"
OVERLAP = timedelta(minutes=15)  # calls under way, clocks that differ, processes that hear late
_COLUMNS = """id, name, url, remote, asked, secret, status, created_at, next_secret, old_secret,
  old_until"""


class PeerStatus(StrEnum):
    """How far two installations have come with each other."""

    WAITING = "WAITING"
    ACTIVE = "ACTIVE"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """`id` and `secret` are the same on both sides; `remote` is the slug of the brand there.

    `asked`: our side invited the other one. `next_secret` is one that is not in force on both sides
    yet; `old_secret` is heard until `old_until`.
    """

    id: UUID
    name: str
    url: str
    remote: str
    asked: bool
    secret: bytes = field(repr=False)
    status: PeerStatus
    created_at: datetime
    next_secret: bytes | None = field(default=None, repr=False)
    old_secret: bytes | None = field(default=None, repr=False)
    old_until: datetime | None = None

    def heard(self, now: datetime) -> Iterator[bytes]:
        """The secrets under which the other side is heard."""
        yield self.secret
        if self.next_secret is not None:
            yield self.next_secret
        if self.old_secret is not None and self.old_until is not None and now < self.old_until:
            yield self.old_secret


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def invitation(peer_id: UUID, secret: bytes) -> str:
    """What one side hands the other, once and in private: who they are to each other."""
    return PREFIX + urlsafe_b64encode(peer_id.bytes + secret).decode().rstrip("=")


def read_invitation(text: str) -> tuple[UUID, bytes]:
    """:raises Refused: BAD_USER_INPUT"""
    inner = text.removeprefix(PREFIX)
    try:
        raw = urlsafe_b64decode(inner.encode("ascii") + b"=" * (-len(inner) % 4))
    except (BadBase64, ValueError):
        raw = b""
    if not text.startswith(PREFIX) or len(raw) != 16 + SECRET_BYTES:
        raise Refused(Code.BAD_USER_INPUT, "is no invitation: copy all of it", field="invitation")
    return UUID(bytes=raw[:16]), raw[16:]


async def add_peer(connection: Connection, by: Actor, peer: Peer, *, now: datetime) -> None:
    """:raises Refused: BAD_USER_INPUT, ALREADY_EXISTS, LIMIT_EXCEEDED"""
    for name in ("name", "remote"):
        if not is_slug(getattr(peer, name)):
            raise Refused(
                Code.BAD_USER_INPUT, "2 to 40 of a-z, 0-9 and -",
                field="tenant" if name == "remote" else name,
            )  # fmt: skip
    known = await peers_of(connection)
    if any(one.name == peer.name for one in known):
        raise Refused(Code.ALREADY_EXISTS, "a partner is called so already", field="name")
    if len(known) >= PEERS_MAX:
        raise Refused(Code.LIMIT_EXCEEDED, f"a tenant has at most {PEERS_MAX} remote partners")
    await raise_epoch(connection)
    await connection.execute(
        """insert into loyalty.peer (tenant_id, id, name, url, remote, asked, secret, status,
             created_at, updated_at)
           values (loyalty.tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $8)""",
        peer.id, peer.name, peer.url, peer.remote, peer.asked, peer.secret, peer.status.value, now,
    )  # fmt: skip
    await _note(connection, by, "peer.add", peer.id, now, {"name": peer.name, "url": peer.url})


async def change_peer(
    connection: Connection, by: Actor, peer_id: UUID, *, now: datetime,
    status: PeerStatus | None = None, url: str | None = None,
) -> None:  # fmt: skip
    """Give a peer another standing or address."""
    await raise_epoch(connection)
    await connection.execute(
        """update loyalty.peer set status = coalesce($2, status), url = coalesce($3, url),
             updated_at = $4
            where tenant_id = (select loyalty.tenant()) and id = $1 and status <> 'ENDED'""",
        peer_id, status, url, now,
    )  # fmt: skip
    details = {"status": status.value} if status else {"url": url}
    await _note(connection, by, "peer.change", peer_id, now, details)


async def keep_next(
    connection: Connection, by: Actor, peer_id: UUID, secret: bytes, *, entered: bool, now: datetime
) -> None:
    """Hear the other side under another secret as well; one that waited before is forgotten.
    `entered`: the other side made it, else we hand it out."""
    await raise_epoch(connection)
    await connection.execute(
        """update loyalty.peer set next_secret = $2, updated_at = $3
            where tenant_id = (select loyalty.tenant()) and id = $1 and status <> 'ENDED'""",
        peer_id, secret, now,
    )  # fmt: skip
    await _note(connection, by, f"peer.secret.{'enter' if entered else 'rotate'}", peer_id, now, {})


async def renew(
    connection: Connection, by: Actor, peer_id: UUID, secret: bytes, *, now: datetime
) -> None:
    """The other side has the next secret: it is in force. The one before is heard for a while."""
    await raise_epoch(connection)
    done = await connection.fetchval(
        """update loyalty.peer set secret = next_secret, next_secret = null, old_secret = secret,
                  old_until = $2::timestamptz + $3::interval, updated_at = $2
            where tenant_id = (select loyalty.tenant()) and id = $1 and next_secret = $4
           returning old_until""",
        peer_id, now, OVERLAP, secret,
    )  # fmt: skip
    if done is not None:
        details = {"previousUntil": done.isoformat()}
        await _note(connection, by, "peer.secret.renew", peer_id, now, details)


async def peers_of(connection: Connection) -> Sequence[Peer]:
    """Those that have not ended, by name."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from loyalty.peer
             where tenant_id = (select loyalty.tenant()) and status <> 'ENDED' order by name"""
    )
    return [_peer(row) for row in rows]


async def peer_by_id(connection: Connection, peer_id: UUID) -> Peer | None:
    """One that has not ended."""
    row = await connection.fetchrow(
        f"""select {_COLUMNS} from loyalty.peer
             where tenant_id = (select loyalty.tenant()) and id = $1 and status <> 'ENDED'""",
        peer_id,
    )
    return None if row is None else _peer(row)


async def peer_named(connection: Connection, name: str) -> Peer | None:
    """One that both sides have accepted and that has not ended."""
    found = [one for one in await peers_of(connection) if one.name == name]
    return found[0] if found and found[0].status is PeerStatus.ACTIVE else None


def _peer(row: object) -> Peer:
    fields = dict(row)  # type: ignore[call-overload]
    return Peer(**{**fields, "status": PeerStatus(fields["status"])})


async def _note(
    connection: Connection, by: Actor, action: str, peer_id: UUID, now: datetime, details: object
) -> None:
    await audit.write(
        connection, by, action=action, subject=f"peer:{peer_id}", now=now,
        details=details,  # type: ignore[arg-type]
    )  # fmt: skip
