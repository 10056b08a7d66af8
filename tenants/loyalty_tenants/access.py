"""Who is it? Headers in, a verified principal out; every failure looks the same from outside."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from time import monotonic as system_monotonic
from uuid import UUID

from loyalty.clock import Clock
from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty.ids import NIL
from loyalty.setup import TenantStatus
from loyalty_tenants.claims import BadToken
from loyalty_tenants.credentials import Credentials, CredentialStore
from loyalty_tenants.key_text import is_key, read_key
from loyalty_tenants.keys import verify_key
from loyalty_tenants.last_used import LastUsed
from loyalty_tenants.principal import Principal, Role
from loyalty_tenants.tokens import Tokens

VERIFIED_SECONDS = 5.0
VERIFIED_MAX = 20_000
MESSAGE = "send a valid token or API key in the header Authorization: Bearer, or an x-api-key"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Verified:
    principal: Principal
    epoch: int | None  # of the tenant when it was verified: any change of it ends this
    until: float


class Authenticator:
    """Verifies credentials; remembers a verified one for seconds, for as long as its tenant's
    epoch stands."""

    def __init__(
        self,
        database: Database,
        store: CredentialStore,
        tokens: Tokens,
        clock: Clock,
        *,
        last_used: LastUsed | None = None,
        monotonic: Callable[[], float] = system_monotonic,
    ) -> None:
        self._database = database
        self._store = store
        self._tokens = tokens
        self._clock = clock
        self.last_used = last_used or LastUsed()
        self._monotonic = monotonic
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[Principal]] = {}

    async def authenticate(
        self, headers: Mapping[str, str] | Iterable[tuple[str, str]]
    ) -> Principal | None:
        """Who the headers speak for; None where they carry no credential.

        :raises Refused: UNAUTHENTICATED, TENANT_SUSPENDED (for all but operators), OVERLOADED
        """
        try:
            credential = credential_of(headers)
            return None if credential is None else await self._principal(credential)
        except BadToken as error:
            log.info("a credential was refused: %s", error)
            raise Refused(Code.UNAUTHENTICATED, MESSAGE) from None

    async def still_valid(self, principal: Principal) -> bool:
        """Whether a principal that stays connected may go on: not expired, tenant not suspended,
        key not revoked. Ask every few seconds for each open socket."""
        now = self._clock.now()
        if principal.expires_at is not None and principal.expires_at <= now:
            return False
        if principal.role is Role.OPERATOR or principal.tenant_id is None:
            return True
        tenant = await self._store.of(principal.tenant_id)
        if tenant is None or tenant.status is TenantStatus.SUSPENDED:
            return False
        return principal.key_id is None or await self._key_stands(principal, now)

    def forget(self, tenant_id: UUID) -> None:
        """The tenant was changed: everything remembered of it is asked for again."""
        self._store.forget(tenant_id)

    async def _principal(self, credential: str) -> Principal:
        digest = sha256(credential.encode()).digest()
        now = self._clock.now()
        principal = await self._remembered(digest, now)
        if principal is None:
            principal = await self._verified_once(digest, credential, now)
        if principal.key_id is not None and principal.tenant_id is not None:
            self.last_used.note(principal.tenant_id, principal.key_id, now)
        return principal

    async def _verified_once(self, digest: bytes, credential: str, now: datetime) -> Principal:
        """However many ask at once (a till's hundred sockets that connect again): one look-up."""
        if (asking := self._asking.get(digest)) is None:
            # In a context of its own: it belongs to no request, and ends with none.
            asking = asyncio.create_task(self._look_up(digest, credential, now), context=Context())
            self._asking[digest] = asking
            asking.add_done_callback(lambda done: self._asked(digest, done))
        return await asyncio.shield(asking)

    async def _look_up(self, digest: bytes, credential: str, now: datetime) -> Principal:
        principal, tenant = await self._verify(credential, now)
        self._remember(digest, principal, tenant)
        return principal

    def _asked(self, digest: bytes, done: asyncio.Task[Principal]) -> None:
        del self._asking[digest]
        if not done.cancelled():
            done.exception()  # heard here, too: everybody who asked may be gone

    async def _verify(self, credential: str, now: datetime) -> tuple[Principal, Credentials | None]:
        if not is_key(credential):
            principal, tenant = await self._tokens.verify(credential, now=now)
        else:
            principal, tenant = await self._verify_key(credential, now)
        _check_status(principal, tenant)
        return principal, tenant

    async def _verify_key(self, credential: str, now: datetime) -> tuple[Principal, Credentials]:
        if (key := read_key(credential)) is None:
            raise BadToken("a malformed key")
        found = await self._database.unscoped("select loyalty.tenant_of_key($1)", key.prefix)
        # Where nobody has such a key the same steps are gone, in the name of no tenant.
        tenant_id = NIL if found is None else UUID(str(found))
        tenant = await self._store.of(tenant_id)
        async with self._database.tenant(tenant_id, read_only=True) as connection:
            principal = await verify_key(connection, tenant_id, key, now=now)
        if principal is None or tenant is None:
            raise BadToken("nobody's key, or a revoked one")
        return principal, tenant

    async def _remembered(self, digest: bytes, now: datetime) -> Principal | None:
        kept = self._verified.get(digest)
        if kept is None or self._monotonic() >= kept.until:
            return None
        principal = kept.principal
        if principal.expires_at is not None and principal.expires_at <= now:
            return None
        if principal.tenant_id is not None:
            tenant = await self._store.of(principal.tenant_id)
            if tenant is None or tenant.epoch != kept.epoch:
                return None
            _check_status(principal, tenant)
        return principal

    def _remember(self, digest: bytes, principal: Principal, tenant: Credentials | None) -> None:
        until = self._monotonic() + VERIFIED_SECONDS
        epoch = None if tenant is None else tenant.epoch
        self._verified[digest] = _Verified(principal, epoch, until)
        self._verified.move_to_end(digest)
        if len(self._verified) > VERIFIED_MAX:
            self._verified.popitem(last=False)

    async def _key_stands(self, principal: Principal, now: datetime) -> bool:
        assert principal.tenant_id is not None, "only operators have none"
        async with self._database.tenant(principal.tenant_id, read_only=True) as connection:
            stands = await connection.fetchval(
                """select exists (select 1 from loyalty.api_key where id = $1
                     and revoked_at is null and (expires_at is null or expires_at > $2))""",
                principal.key_id,
                now,
            )
        return bool(stands)


def credential_of(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> str | None:
    """The one credential that the headers carry.

    :raises BadToken: there are two, or one that is not understood
    """
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    found = [
        _credential(name.lower(), value)
        for name, value in pairs
        if name.lower() in ("authorization", "x-api-key")
    ]
    if len(found) > 1:
        raise BadToken("more than one credential")
    return found[0] if found else None


def _credential(name: str, value: str) -> str:
    if name == "x-api-key":
        if not is_key(value):
            raise BadToken("not an API key")
        return value
    scheme, _, credential = value.partition(" ")
    if scheme.lower() != "bearer" or not credential.isascii() or not credential.strip():
        raise BadToken("not a bearer credential")
    return credential.strip()


def _check_status(principal: Principal, tenant: Credentials | None) -> None:
    if (
        tenant is not None
        and tenant.status is TenantStatus.SUSPENDED
        and principal.role is not Role.OPERATOR
    ):
        raise Refused(Code.TENANT_SUSPENDED, "this tenant is suspended: ask its operator")
