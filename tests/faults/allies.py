"""Two brands under an exchange in force, each member of the one linked with one of the other."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from loyalty.commands import AdjustBalance
from loyalty.facts import MemberRef
from loyalty.ids import new_id
from loyalty.recorder.pair import both
from loyalty.settlement.request import ClientKey, Recorded, Request
from loyalty_app.ledger import Ledger, open_ledger
from loyalty_app.settings import Settings
from loyalty_partners.agreements import AgreementKind
from loyalty_partners.graphql import agreeing
from loyalty_partners.terms import Flow, Terms
from loyalty_tenants.programs import create_program
from loyalty_tenants.publishing import publish_program
from tests.faults.brand import BY, Brand

START = 30_000
FLOW = Flow(burn=1, credit=1, places=0, giver_places=0, price="0.0080", per_member_per_day=10**9)
TERMS = Terms(currency="USD", give=FLOW, take=FLOW)
CONFIG: dict[str, Any] = {"units": {"points": {}}}
_LINK = """
insert into loyalty.partners_link (tenant_id, id, agreement_id, member_id, state, created_at)
select loyalty.tenant(), $1, $2, m.id, 'ACTIVE', $4 from loyalty.member m
 where m.tenant_id = loyalty.tenant() and m.external_id = $3
"""


@dataclass(frozen=True, slots=True)
class Allies:
    """The brands, the agreement, and the link of each pair of members of one name."""

    brands: tuple[Brand, Brand]
    agreement_id: UUID
    links: dict[str, UUID]


async def make_allies(settings: Settings, one: Brand, other: Brand) -> Allies:
    """Have two brands agree, link their members by name, and give all something to exchange."""
    now = datetime.now(UTC)
    async with open_ledger(settings, settings.need("app_database_url"), pool=4) as ledger:
        programs = [await partners_program(ledger, brand, now) for brand in (one, other)]
        agreement = await _agree(ledger, (one, other), programs, now)
        links = {}
        for name in one.members:
            links[name] = new_id()
            async with both(ledger.database, one.tenant_id, other.tenant_id) as sides:
                for brand in (one, other):
                    connection = await sides.of(brand.tenant_id)
                    await connection.execute(_LINK, links[name], agreement, name, now)
        for brand in (one, other):
            await give(ledger, brand, now)
    return Allies((one, other), agreement, links)


async def partners_program(ledger: Ledger, brand: Brand, now: datetime) -> UUID:
    async with ledger.database.tenant(brand.tenant_id) as connection:
        made = await create_program(
            connection, ledger.configs, BY, slug="partners", kind="partners", name="Partners",
            config=CONFIG, now=now,
        )  # fmt: skip
        await publish_program(
            connection, ledger.configs, BY, made.id, expected_version=made.version, now=now
        )
    return made.id


async def _agree(
    ledger: Ledger, brands: tuple[Brand, Brand], programs: list[UUID], now: datetime
) -> UUID:
    ident = new_id()
    one, other = brands
    async with both(ledger.database, one.tenant_id, other.tenant_id) as sides:
        for here, there, program, terms in (
            (one, other, programs[0], TERMS), (other, one, programs[1], TERMS.mirrored()),
        ):  # fmt: skip
            half = agreeing.Half(
                tenant_id=here.tenant_id, partner=there.slug, partner_tenant_id=there.tenant_id,
                program_id=program, unit="points", partner_unit="points", terms=terms.plain(),
                proposed_here=here is one,
            )  # fmt: skip
            await agreeing.insert(
                await sides.of(here.tenant_id), ident, AgreementKind.EXCHANGE, half,
                effective_from=now, now=now,
            )  # fmt: skip
        half_there = await agreeing.locked(sides, other.tenant_id, ident, one.tenant_id)
        await agreeing.accept(sides, BY, other.tenant_id, half_there, 1, now)
    return ident


async def give(ledger: Ledger, brand: Brand, now: datetime) -> None:
    requests: list[Any] = [
        Request(
            fact=AdjustBalance(
                member=MemberRef(external_id=name), occurred_at=now, unit="points", amount=START,
                reason_code="START",
            ),
            actor="faults", client_key=ClientKey("faults", f"start-{name}"),
        )
        for name in brand.members
    ]  # fmt: skip
    outcomes = await ledger.recorder.record_many(brand.tenant_id, requests)
    assert all(isinstance(outcome, Recorded) for outcome in outcomes), outcomes
