"""An exchange carried on to its end, from the side where the points left.

What the partner did is asked, never guessed: as long as nobody answers, it stays as it is. The
partner decides whether an exchange is CREDITED or VOIDED, once and for good, so asking twice, or
from two places at once, comes to the same.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from loyalty.errors import Refused
from loyalty.facts import MemberRef
from loyalty.ids import NIL
from loyalty.jobs.errands import Outside
from loyalty.settlement.request import Request
from loyalty.setup import Setup
from loyalty.units import currency_places, format_minor
from loyalty_graphql.ids import node_id
from loyalty_partners.config import PartnersConfig
from loyalty_partners.facts import SendingUndone, SendingVoided, WriteOffEnded
from loyalty_partners.legs import LegState
from loyalty_partners.movement import reversal_key, void_key
from loyalty_partners.remote import documents
from loyalty_partners.remote.leg_row import LegRow
from loyalty_partners.remote.speaking import SECONDS, Silence, say
from loyalty_partners.terms import terms_of
from loyalty_tenants.peers import Peer

ACTOR = "partner:{name}"
AGREEMENT, EXCHANGE, LINK = "PartnerAgreement", "PartnerExchange", "PartnerLink"

_CREDITED = """
update loyalty.partners_leg set state = 'CREDITED', changed_at = $2, due_at = $2, attempts = 0,
       problem = null
 where tenant_id = (select loyalty.tenant()) and id = $1 and state in ('PENDING', 'WRITTEN_OFF')
"""
_PROBLEM = """
update loyalty.partners_leg set problem = $2
 where tenant_id = (select loyalty.tenant()) and id = $1
"""
_SAID = """
update loyalty.partners_leg set due_at = null, attempts = 0, problem = null
 where tenant_id = (select loyalty.tenant()) and id = $1 and reversal = 'TAKEN'
"""
REDEMPTION = """
select (f.answer ->> 'redemptionId')::uuid from loyalty.fact f
 where f.tenant_id = (select loyalty.tenant()) and f.id = $1
"""


class Patience(NamedTuple):
    """After how long without a word a program has an exchange called off, and lets people write it
    off: no sooner."""

    gives_up: timedelta
    written_off_after: timedelta


def patience(setup: Setup, program_id: UUID, now: datetime) -> Patience:
    """That of a program; where it runs no more, as it would be by itself."""
    program = setup.program_by_id(program_id)
    version = None if program is None else program.at(now)
    names, fields = Patience._fields, PartnersConfig.model_fields
    found = Patience(
        *(fields[n].default if version is None else getattr(version.config, n) for n in names)
    )
    return found._replace(written_off_after=max(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """Carries legs of one tenant on. `gives_up` is after how long a brand that has not answered is
    asked to call an exchange off."""

    out: Outside
    tenant_id: UUID
    peer: Peer
    gives_up: timedelta
    seconds: float = SECONDS

    async def bring(self, leg: LegRow) -> None:
        """Have it credited, or called off: whichever the partner says is done here, too.

        :raises Silence: it is not known
        """
        now = self.out.clock.now()
        over = leg.giving_up or now >= leg.happened_at + self.gives_up
        field, document, given = self._call_off(leg) if over else self._credit(leg)
        payload = await self.say(field, document, given)
        state = payload["state"]
        if state == LegState.CREDITED:
            await self._write(_CREDITED, leg.id, now)
        elif state == LegState.VOIDED:
            await self._voided(leg)
        else:
            raise Silence(f"answered {payload['userErrors']}"[:300])

    async def tell_reversal(self, leg: LegRow) -> None:
        """What was credited here is taken back: have the lots there as they were.

        :raises Silence: it is not known whether they are
        """
        assert leg.reversed_at is not None, "it was taken back"
        payload = await self.say(
            "restoreExchange", documents.RESTORE,
            {"exchange": node_id(EXCHANGE, leg.id), "at": leg.reversed_at.isoformat()},
        )  # fmt: skip
        if not payload["done"]:
            raise Silence(f"answered {payload['userErrors']}"[:300])
        await self._write(_SAID, leg.id)

    async def say(self, field: str, document: str, given: Any) -> Any:
        return await say(
            self.out.way, self.peer, field, document, {"input": given},
            now=self.out.clock.now(), seconds=self.seconds,
        )  # fmt: skip

    async def failed(self, leg: LegRow, why: Exception) -> None:
        """Keep why, for whoever asks; when it is tried again was said when it was claimed."""
        await self._write(_PROBLEM, leg.id, str(why)[:300])

    def _credit(self, leg: LegRow) -> tuple[str, str, Any]:
        flow, money = terms_of(leg.plain).give, currency_places(leg.currency) or 0
        assert flow is not None, "the points left under it"
        return (
            "creditExchange",
            documents.CREDIT,
            {
                "agreement": node_id(AGREEMENT, leg.agreement_id),
                "exchange": node_id(EXCHANGE, leg.id),
                "link": node_id(LINK, leg.link_id or NIL),
                "terms": leg.terms,
                "burned": format_minor(leg.points_out, flow.giver_places),
                "credited": format_minor(leg.partner_points, flow.places),
                "amount": format_minor(-leg.amount, money),
                "charge": format_minor(-leg.charge, money),
                "at": leg.happened_at.isoformat(),
            },
        )

    def _call_off(self, leg: LegRow) -> tuple[str, str, Any]:
        return (
            "voidExchange",
            documents.VOID,
            {
                "agreement": node_id(AGREEMENT, leg.agreement_id),
                "exchange": node_id(EXCHANGE, leg.id),
                "at": leg.happened_at.isoformat(),
            },
        )

    async def _voided(self, leg: LegRow) -> None:
        """Nothing was credited there and nothing will be: the points go back into their lots,
        where they are since it was written off."""
        if leg.written_off:
            await self._record(self._write_off_ended(leg, voided=True), void_key(leg.id))
            return
        fact = SendingVoided(
            member=MemberRef(id=leg.member_id), occurred_at=self.out.clock.now(),
            redemption_id=await self.redemption(leg), reason="the partner credited nothing",
            movement_id=leg.id,
        )  # fmt: skip
        await self._record(fact, void_key(leg.id))

    async def restore(self, leg: LegRow, at: datetime) -> None:
        """The partner took back what it had credited, at an instant that both sides write."""
        if leg.written_off:
            ended = self._write_off_ended(leg, voided=False, at=at)
            await self._record(ended, reversal_key(leg.id))
            return
        fact = SendingUndone(
            member=MemberRef(id=leg.member_id), occurred_at=at,
            redemption_id=await self.redemption(leg), movement_id=leg.id,
        )  # fmt: skip
        await self._record(fact, reversal_key(leg.id))

    def _write_off_ended(
        self, leg: LegRow, *, voided: bool, at: datetime | None = None
    ) -> WriteOffEnded:
        return WriteOffEnded(
            member=MemberRef(id=leg.member_id), occurred_at=at or self.out.clock.now(),
            movement_id=leg.id, voided=voided,
        )  # fmt: skip

    async def redemption(self, leg: LegRow) -> UUID:
        """What the points left by."""
        async with self.out.database.tenant(self.tenant_id, read_only=True) as connection:
            found: UUID | None = await connection.fetchval(REDEMPTION, leg.fact_id)
        return found or NIL

    async def _record(self, fact: Any, key: Any) -> None:
        request = Request(
            fact=fact, actor=ACTOR.format(name=self.peer.name), key=key, any_time=True,
            while_suspended=True,
        )  # fmt: skip
        (outcome,) = await self.out.record(self.tenant_id, [request])
        if isinstance(outcome, Refused) and not await self._known(key):
            raise outcome

    async def _known(self, key: Any) -> bool:
        """Somebody else did the same meanwhile, at another instant."""
        async with self.out.database.tenant(self.tenant_id, read_only=True) as connection:
            return bool(
                await connection.fetchval(
                    """select exists (select from loyalty.fact
                        where tenant_id = (select loyalty.tenant()) and scope = $1 and key = $2)""",
                    key.scope, key.key,
                )
            )  # fmt: skip

    async def _write(self, query: str, *args: Any) -> None:
        async with self.out.database.tenant(self.tenant_id) as connection:
            await connection.execute(query, *args)
