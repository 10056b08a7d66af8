"""The context of one operation: who asks, what may be called, and loaders of its own."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

from strawberry import Info

from loyalty.cache.balances import Balances
from loyalty.cache.hub import Hints
from loyalty.clock import Clock
from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty.facts import Fact, MemberRef
from loyalty.ledger.balances import Want
from loyalty.lookups import Lookups
from loyalty.outside import Way
from loyalty.plugin_set import PluginSet
from loyalty.recorder.lane import Lanes
from loyalty.recorder.pair_lane import PairLanes
from loyalty.recorder.recorder import Outcome, Recorder
from loyalty.recorder.setups import Setups
from loyalty.retention import Retention
from loyalty.settlement.request import ClientKey, Recorded, Request, moved
from loyalty.setup import Setup
from loyalty_graphql.caller import caller, tenant_of
from loyalty_graphql.input_paths import in_input_words
from loyalty_graphql.loaders import Loaders
from loyalty_graphql.paging import Paging
from loyalty_graphql.reads import Reads
from loyalty_tenants.configs import Configs
from loyalty_tenants.principal import Actor, Principal, Role
from loyalty_tenants.privacy.erasures import Erasures
from loyalty_tenants.webhooks.endpoints import Rules as WebhookRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What resolvers may call, the same for all operations of a process."""

    database: Database
    recorder: Recorder
    lanes: Lanes
    lookups: Lookups
    pairs: PairLanes
    setups: Setups
    plugins: PluginSet
    configs: Configs
    cache: Balances
    hints: Hints
    paging: Paging
    clock: Clock
    webhooks: WebhookRules
    erasures: Erasures
    retention: Retention
    way: Way
    forget: Callable[[UUID], None]
    """The tenant was changed: nothing remembered of it is believed any more."""


@dataclass(kw_only=True)
class Context:
    principal: Principal | None
    request_id: str
    api: Api
    reads: Reads = field(init=False)
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self._read_anew({})

    @property
    def who(self) -> Principal:
        """The caller; the guards let nobody in without."""
        return caller(self.principal)

    @cached_property
    def tenant_id(self) -> UUID:
        """The tenant of the caller.

        :raises Refused: FORBIDDEN for an operator whose token names no tenant
        """
        return tenant_of(self.principal)

    @cached_property
    def actor(self) -> Actor:
        """One for the operation: it knows whether anything was noted of what it did."""
        return self.who.actor(self.request_id)

    @property
    def actor_name(self) -> str:
        return f"{self.who.role.lower()}:{self.who.subject}"

    @property
    def is_member(self) -> bool:
        return self.who.role is Role.MEMBER

    async def setup(self) -> Setup:
        return await self.api.setups.current(self.tenant_id)

    def request(self, fact: Fact, key: str | None = None, *, any_time: bool = False) -> Request:
        """What the caller asks to be recorded; a command under their client and this key."""
        return Request(
            fact=fact,
            actor=self.actor_name,
            request_id=self.request_id,
            client_key=None if key is None else ClientKey(self.who.client, key),
            while_suspended=self.who.role is Role.OPERATOR,
            any_time=any_time,
        )

    async def record(self, request: Request) -> Recorded:
        """Record one request; what is read after it is at least as new.

        :raises Refused: as its own outcome, or OVERLOADED
        """
        try:
            recorded = await self.api.lanes.record(self.tenant_id, request)
        except Refused as refused:
            raise in_input_words(refused) from None
        self.written([recorded])
        return recorded

    async def record_many(self, requests: Sequence[Request]) -> list[Outcome]:
        """Record requests in their order, each with its own outcome, in the same place.

        :raises Refused: OVERLOADED; none of them was recorded
        """
        outcomes = await self.api.lanes.record_many(self.tenant_id, requests)
        self.written(outcome for outcome in outcomes if not isinstance(outcome, Refused))
        return outcomes

    def written(self, recorded: Iterable[Recorded] = ()) -> None:
        """Something was written: what was loaded before is forgotten, and no cache that missed it
        is believed about the balances that it moved."""
        least = dict(self.reads.least)
        for holder, unit, version in (m for one in recorded for m in moved(one.answer)):
            least[holder, unit] = max(version, least.get((holder, unit), 0))
        self._read_anew(least)

    def _read_anew(self, least: Mapping[Want, int]) -> None:
        self.reads = Reads(self.api, self.principal, least)
        self.loaders = Loaders(self.reads)

    async def own(self, ref: MemberRef, field: str = "member") -> MemberRef:
        """The reference, if the caller may act on that member: a member on themselves only.

        :raises Refused: MEMBER_NOT_FOUND, the same as for a member who does not exist
        """
        if not self.is_member or ref.external_id == self.who.subject:
            return ref
        own = await self.loaders.member.load(MemberRef(external_id=self.who.subject))
        named = await self.loaders.member.load(ref)
        if own is None or named is None or own.id != named.id:
            raise Refused(Code.MEMBER_NOT_FOUND, "there is no such member", field=field)
        return MemberRef(id=own.id)


RequestInfo = Info[Context, None]
