"""JWTs: verified by our rules, never by theirs.

Who signed decides which algorithms count. Tokens of `iss` "loyalty" are the operator's (HS256, our
secret). Those whose `iss` is the tenant's slug are signed by the tenant (HS256, its secret by kid).
Those of an issuer that the tenant lists are verified with that issuer's published keys (RS256,
ES256, EdDSA as listed). Calls of a brand of another installation are signed with the secret that
both keep (HS256), and each for its own body (`peer_calls`). So a public key is never taken for a
secret.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import jwt

from loyalty_tenants import peer_calls
from loyalty_tenants.claims import (
    LEEWAY_MAX,
    BadToken,
    check_header,
    check_identity,
    check_times,
    read_parts,
)
from loyalty_tenants.credentials import Credentials, CredentialStore
from loyalty_tenants.issuers import ALGORITHMS
from loyalty_tenants.jwks import KeySets
from loyalty_tenants.principal import Principal, Role, client_of
from loyalty_tenants.scopes import PEER

OPERATOR_ISSUER = "loyalty"
AUDIENCE = "loyalty"
SECRET_BYTES_MIN = 32
LEEWAY = timedelta(seconds=30)
PLACEHOLDERS = frozenset({"secret", "changeme", "change-me", "password", "operator", "loyalty"})

_JWS = jwt.PyJWS(algorithms=["HS256", *ALGORITHMS])


class Tokens:
    """Verifies tokens of all tenants and of operators."""

    def __init__(
        self,
        store: CredentialStore,
        key_sets: KeySets,
        *,
        operator_secret: str,
        audience: str = AUDIENCE,
        leeway: timedelta = LEEWAY,
    ) -> None:
        if not timedelta(0) <= leeway <= LEEWAY_MAX:
            raise ValueError(f"the leeway may be up to {LEEWAY_MAX}")
        self._store = store
        self._key_sets = key_sets
        self._operator_secret = check_secret(operator_secret).encode()
        self._audience = audience
        self._leeway = leeway

    async def verify(self, token: str, *, now: datetime) -> tuple[Principal, Credentials | None]:
        """Whose token it is, with the tenant it is for.

        :raises BadToken: for whatever reason
        """
        header, claims = read_parts(token)
        algorithm, kid = check_header(header)
        if claims.get("iss") == OPERATOR_ISSUER:
            _check_signature(token, self._operator_secret, "HS256")
            return await self._operator(claims, now)
        tenant = await self._tenant(claims)
        if tenant is None or kid is None:
            raise BadToken("no such tenant, or no kid")
        if claims.get("iss") == peer_calls.ISSUER:
            return self._peer(token, claims, tenant, kid, now), tenant
        audience = await self._check_tenants_signature(token, claims, tenant, algorithm, kid, now)
        return self._principal(claims, tenant, audience, now), tenant

    async def _check_tenants_signature(
        self,
        token: str,
        claims: Mapping[str, Any],
        tenant: Credentials,
        algorithm: str,
        kid: str,
        now: datetime,
    ) -> str:
        """The audience that the token must be for."""
        if claims.get("iss") == tenant.slug:
            secret = tenant.secrets.get(kid)
            if secret is None or (secret.retires_at is not None and secret.retires_at <= now):
                raise BadToken("an unknown or retired secret")
            _check_signature(token, secret.value, "HS256")
            return self._audience
        name = claims.get("iss")
        issuer = tenant.issuers.get(name) if isinstance(name, str) else None
        if issuer is None or algorithm not in issuer.algorithms:
            raise BadToken("an unknown issuer, or an algorithm it does not use")
        key = await self._key_sets.key(tenant.tenant_id, issuer, kid, algorithm)
        if key is None:
            raise BadToken("an unknown key")
        _check_signature(token, key.key, algorithm)
        return issuer.audience

    async def _operator(
        self, claims: Mapping[str, Any], now: datetime
    ) -> tuple[Principal, Credentials | None]:
        expires_at = check_times(claims, now, self._leeway)
        role, subject, scopes = check_identity(claims, self._audience)
        if role is not Role.OPERATOR:
            raise BadToken("not an operator")
        tenant = await self._tenant(claims) if "tenant" in claims else None
        if "tenant" in claims and tenant is None:
            raise BadToken("no such tenant")
        principal = Principal(
            role=role,
            tenant_id=None if tenant is None else tenant.tenant_id,
            subject=subject,
            scopes=scopes,
            client=client_of(role, subject),
            expires_at=expires_at,
        )
        return principal, tenant

    def _principal(
        self, claims: Mapping[str, Any], tenant: Credentials, audience: str, now: datetime
    ) -> Principal:
        expires_at = check_times(claims, now, self._leeway)
        role, subject, scopes = check_identity(claims, audience)
        if role is Role.OPERATOR:
            raise BadToken("a tenant makes no operators")
        return Principal(
            role=role,
            tenant_id=tenant.tenant_id,
            subject=subject,
            scopes=scopes,
            client=client_of(role, subject),
            expires_at=expires_at,
        )

    def _peer(
        self, token: str, claims: Mapping[str, Any], tenant: Credentials, kid: str, now: datetime
    ) -> Principal:
        peer = tenant.peers.get(kid)
        if peer is None:
            raise BadToken("no such peer")
        call = peer_calls.verify(token, claims, peer, now, self._leeway)
        return Principal(
            role=Role.PARTNER,
            tenant_id=tenant.tenant_id,
            subject=peer.name,
            scopes=PEER,
            client=f"peer:{peer.id}",
            expires_at=call.expires_at,
            peer=peer.id,
            body=call.body,
            signed_by=call.signed_by,
        )

    async def _tenant(self, claims: Mapping[str, Any]) -> Credentials | None:
        name = claims.get("tenant")
        if not isinstance(name, str):
            raise BadToken("no tenant")
        tenant_id = await self._store.tenant_id(name)
        return None if tenant_id is None else await self._store.of(tenant_id)


def issue_token(
    *,
    secret: str,
    issuer: str,
    tenant: str | None,
    role: Role,
    subject: str,
    now: datetime,
    lifetime: timedelta,
    kid: str | None = None,
    scopes: Sequence[str] | None = None,
    audience: str = AUDIENCE,
) -> str:
    """Sign a token: with the operator secret (issuer "loyalty"), or as a tenant (its slug, kid)."""
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "role": role.value,
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
    }
    if tenant is not None:
        claims["tenant"] = tenant
    if scopes is not None:
        claims["scopes"] = list(scopes)
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(claims, check_secret(secret), algorithm="HS256", headers=headers)


def check_secret(secret: str) -> str:
    """The secret itself.

    :raises ValueError: it is shorter than 32 bytes, or a placeholder repeated
    """
    if len(secret.encode()) < SECRET_BYTES_MIN:
        raise ValueError(f"a signing secret needs at least {SECRET_BYTES_MIN} bytes")
    plain = secret.lower()
    if len(set(plain)) < 8 or any(
        not plain.replace(word, "").strip("-_ 0123456789.") for word in PLACEHOLDERS
    ):
        raise ValueError("the signing secret is a placeholder: draw a random one")
    return secret


def _check_signature(token: str, key: Any, algorithm: str) -> None:
    """`algorithm` is the one that belongs to the key, whatever the token's header says."""
    try:
        _JWS.decode_complete(token, key, algorithms=[algorithm])
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise BadToken(f"signature: {type(error).__name__}") from None
