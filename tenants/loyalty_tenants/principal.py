"""Who asks: the verified identity behind a request, and how it is named in the audit trail."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What somebody is to the platform. Scopes say what of it this credential may do."""

    OPERATOR = "OPERATOR"  # runs the platform, for all tenants
    ADMIN = "ADMIN"  # sets up one tenant
    SERVICE = "SERVICE"  # a shop, an app, a till of one tenant
    MEMBER = "MEMBER"  # one member of one tenant
    PARTNER = "PARTNER"  # another brand that works with the tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who did something, as the audit trail keeps it; `noted` is the newest entry of it."""

    role: str
    subject: str
    request_id: str | None = None
    noted: list[UUID] = field(default_factory=list, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A verified caller. `tenant_id` is None only for an operator that named no tenant.

    `subject` is the member's external id for a MEMBER, else the account's name. `client` scopes
    idempotency keys: it stays the same when a key or a token is replaced. A brand of another
    installation is a `peer`, and signs each call: `body` is the digest (SHA-256) of what it sent,
    `signed_by` that of the secret which signed it.
    """

    role: Role
    tenant_id: UUID | None
    subject: str
    scopes: frozenset[str]
    client: str
    expires_at: datetime | None = None
    key_id: UUID | None = None
    peer: UUID | None = None
    body: str | None = None
    signed_by: str | None = None

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def actor(self, request_id: str | None = None) -> Actor:
        return Actor(role=self.role, subject=self.subject, request_id=request_id)


def client_of(role: Role, name: str) -> str:
    """The client that a credential of this role and name acts for."""
    return f"{role.lower()}:{name}"


def is_same_person(client: str, other: str) -> bool:
    """Whether two clients are one person: one name is one person, whatever role they come in."""
    return client.partition(":")[2] == other.partition(":")[2]
