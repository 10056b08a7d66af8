"""A plugin with households: several members keep a unit in one account. Its table, facts, rules."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel

from loyalty.effects import Effect, Emit, Grant, Reterm, Write
from loyalty.facts import ActivityRecorded, Expired, Fact, MemberRef, PurchaseRecorded
from loyalty.owners import Owner
from loyalty.plugin import (
    BurnWant,
    Connection,
    OwnerResolver,
    OwnersAsked,
    Plugin,
    PublishedFact,
    Question,
    Writer,
    WriteRow,
    on,
)
from loyalty.view import View

HOUSEHOLD = "HOUSEHOLD"
TABLE = """
set role loyalty_owner;
create table loyalty.household_member (
  tenant_id uuid not null,
  program_id uuid not null,
  member_id uuid not null,
  household_id uuid,
  foreign key (tenant_id, member_id) references loyalty.member);
alter table loyalty.household_member add primary key (tenant_id, program_id, member_id);
call loyalty.protect('household_member');
grant select, insert, update on loyalty.household_member to loyalty_app, loyalty_worker;
grant select on loyalty.household_member to loyalty_audit;
"""


class HouseholdConfig(BaseModel):
    units: list[str] = ["points"]


@dataclass(frozen=True, slots=True)
class Membership:
    """Where a member belongs from now on; nowhere: None."""

    household_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thanked(Fact):
    """Somebody is thanked with points."""

    KIND: ClassVar[str] = "households.thanked/1"
    points: int


@dataclass(slots=True)
class Heard:
    """What the plugin was asked and told."""

    asked: list[OwnersAsked] = field(default_factory=list)
    expired: list[Expired] = field(default_factory=list)


heard = Heard()


async def owners(connection: Connection, asked: OwnersAsked) -> Mapping[Question, Owner]:
    heard.asked.append(asked)
    rows = await connection.fetch(
        "select member_id, household_id from loyalty.household_member"
        " where program_id = $1 and member_id = any($2) and household_id is not null",
        asked.program_id,
        list({member for member, _ in asked.questions}),
    )
    return {
        (row["member_id"], unit): Owner(HOUSEHOLD, row["household_id"])
        for row in rows
        for unit in asked.config.units
    }


async def write_memberships(connection: Connection, rows: Sequence[WriteRow]) -> None:
    newest = {(row.program_id, row.member_id): row.row.household_id for row in rows}
    await connection.execute(
        """insert into loyalty.household_member
           select (select loyalty.tenant()), x.* from unnest($1::uuid[], $2::uuid[], $3::uuid[])
             x(program_id, member_id, household_id)
           on conflict (tenant_id, program_id, member_id)
           do update set household_id = excluded.household_id""",
        [program for program, _ in newest],
        [member for _, member in newest],
        list(newest.values()),
    )


def _lots(config: HouseholdConfig, fact: ActivityRecorded) -> list[BurnWant]:
    return [BurnWant(unit="points")] if fact.type == "extend" else []


def _act(config: HouseholdConfig, fact: ActivityRecorded, view: View) -> Iterable[Effect]:
    if fact.type == "join":
        household = fact.attributes.get("household")
        yield Write(row=Membership(UUID(household) if household else None))
    if fact.type == "extend":
        ends = fact.occurred_at + timedelta(days=fact.attributes["days"])
        for lot in view.lots.get("points", ()):
            yield Reterm(lot_id=lot.id, expires_at=ends)


def _thank(config: HouseholdConfig, fact: PurchaseRecorded, view: View) -> Iterable[Effect]:
    if (whom := fact.attributes.get("thank")) is not None:
        member = MemberRef(id=UUID(whom))
        yield Emit(fact=Thanked(member=member, occurred_at=fact.occurred_at, points=10))


def _give(config: HouseholdConfig, fact: Thanked, view: View) -> Iterable[Effect]:
    yield Grant(unit="points", wanted=fact.points, granted=fact.points, rule="thanks")


def _expired(config: HouseholdConfig, fact: Expired, view: View) -> Iterable[Effect]:
    assert view.member is None or fact.owner is None
    heard.expired.append(fact)
    return ()


plugin = Plugin(
    name="households",
    config=HouseholdConfig,
    owner_of=OwnerResolver(kinds=(HOUSEHOLD,), resolve=owners),
    reactions=(
        on(ActivityRecorded, HouseholdConfig, _act, burns=_lots),
        on(PurchaseRecorded, HouseholdConfig, _thank, emits=(Thanked,)),
        on(Thanked, HouseholdConfig, _give),
        on(Expired, HouseholdConfig, _expired),
    ),
    facts=(PublishedFact(name=Thanked.KIND, fact=Thanked),),
    writers=(Writer(row=Membership, write=write_memberships),),
)
