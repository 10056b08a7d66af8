"""Every scope there is, what it allows, and which role may hold and holds it by default."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from loyalty_tenants.principal import Role

DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "self:read": "a member reads their own balances, statement and redemptions",
        "self:write": "a member changes what is theirs to choose",
        "self:redeem": "a member redeems their own points",
        "members:read": "read any member of the tenant and their balances",
        "members:write": "enroll, change and close members",
        "members:freeze": "freeze and unfreeze members",
        "members:export": "read all that is held about a member, for the member",
        "members:erase": "erase members for good",
        "purchases:read": "read purchases and returns",
        "purchases:write": "record purchases and returns",
        "activities:read": "read activities",
        "activities:write": "record activities",
        "redemptions:read": "read redemptions",
        "redemptions:write": "redeem, capture, release and reverse for a member",
        "balances:adjust": "correct a member's balance by hand",
        "approvals:write": "approve and reject what others asked for under the two-person rule",
        "decisions:read": "read why something was or was not granted",
        "programs:read": "read programs, their configs and the tenant's units",
        "programs:write": "create, change, publish and archive programs, create units",
        "tenant:write": "change the tenant's settings, signing secrets and token issuers",
        "keys:write": "create and revoke the tenant's API keys",
        "partners:read": "read agreements with partners, movements, statements and packs",
        "partners:write": "agree with partners, settle with them, sell them packs",
        "partner:self": "an outside brand sees its own agreements and what came of them, and gives "
        "and takes back points",
        "partner:remote": "a brand of another installation does its part of what both agreed on",
        "webhooks:read": "read webhook endpoints, their deliveries and the topics there are",
        "webhooks:write": "create, change and delete webhook endpoints, replay deliveries",
        "audit:read": "read who changed what",
        "tenants:read": "read the settings of any tenant",
        "tenants:write": "create, suspend and resume tenants",
    }
)

_MEMBER = frozenset({"self:read", "self:write", "self:redeem", "programs:read"})
_SERVICE = frozenset(
    {
        "members:read",
        "members:write",
        "purchases:read",
        "purchases:write",
        "activities:read",
        "activities:write",
        "redemptions:read",
        "redemptions:write",
        "programs:read",
    }
)
_OPERATOR_ONLY = frozenset({"tenants:read", "tenants:write"})
_SELF_ONLY = frozenset({"self:read", "self:write", "self:redeem"})
_PEERS_ONLY = frozenset({"partner:remote"})
_ADMIN = frozenset(DESCRIPTIONS) - _OPERATOR_ONLY - _SELF_ONLY - _PEERS_ONLY
# What calls of a peer hold: no key and no other token does.
PEER = _PEERS_ONLY

# What a credential holds that names no scopes.
DEFAULT: Mapping[Role, frozenset[str]] = MappingProxyType(
    {
        Role.OPERATOR: frozenset(DESCRIPTIONS) - _SELF_ONLY - _PEERS_ONLY,
        Role.ADMIN: _ADMIN,
        Role.SERVICE: _SERVICE,
        Role.MEMBER: _MEMBER,
        Role.PARTNER: frozenset(
            {"purchases:write", "activities:write", "programs:read", "partner:self"}
        ),
    }
)

# What a credential of a role may hold at most.
ALLOWED: Mapping[Role, frozenset[str]] = MappingProxyType(
    {
        **DEFAULT,
        Role.SERVICE: _SERVICE
        | {
            "members:freeze",
            "members:export",
            "members:erase",
            "balances:adjust",
            "decisions:read",
            "audit:read",
        },
        Role.PARTNER: _SERVICE - {"members:write"} | {"partner:self"},
    }
)


def granted(role: Role, asked: Iterable[str] | None) -> frozenset[str]:
    """The scopes a credential gets: its role's, narrowed to what it asks for; never wider."""
    if asked is None:
        return DEFAULT[role]
    return frozenset(asked) & ALLOWED[role]
