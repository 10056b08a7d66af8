"""Agreements as they come about and end: what is written is written in both halves, or in none."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.ids import new_id
from loyalty.plugin import Connection
from loyalty_partners.agreements import Agreement, AgreementKind, AgreementState, by_id
from loyalty_tenants import audit
from loyalty_tenants.principal import Actor

RATES_LOCK = 0x70617274  # one change of rates at a time, or two together might gain
OPEN_MAX = 200  # agreements of a tenant that have not ended
OPEN_WITH_ONE = 20  # of these with one partner, so that none keeps all others out


class Sides(Protocol):
    """A transaction of two tenants, speaking for one of them at a time."""

    async def of(self, tenant_id: UUID) -> Connection: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """What one side of a new agreement is written with."""

    tenant_id: UUID
    partner: str
    partner_tenant_id: UUID | None
    program_id: UUID
    unit: str | None
    partner_unit: str | None
    terms: Mapping[str, Any]
    proposed_here: bool
    peer_id: UUID | None = None


def gone(field: str = "agreement") -> Refused:
    """The one answer for what is not there, not ours and not for us."""
    return Refused(Code.NOT_FOUND, "there is no such agreement", field=field)


def no_partner() -> Refused:
    return Refused(
        Code.PARTNER_NOT_AVAILABLE,
        "there is no such partner, or it takes no part in this",
        field="partner",
    )


async def insert(
    connection: Connection,
    agreement_id: UUID,
    kind: AgreementKind,
    half: Half,
    *,
    effective_from: datetime,
    now: datetime,
) -> None:
    """One half with its first terms. `connection` speaks for that side."""
    in_all, with_one = await connection.fetchrow(
        """select count(*), count(*) filter (where partner = $1) from loyalty.partners_agreement
            where tenant_id = (select loyalty.tenant()) and state <> 'ENDED'""",
        half.partner,
    )
    if with_one >= OPEN_WITH_ONE:
        raise Refused(
            Code.LIMIT_EXCEEDED, f"at most {OPEN_WITH_ONE} agreements with one partner are open",
            field="partner",
        )  # fmt: skip
    if in_all >= OPEN_MAX:
        raise (
            Refused(Code.LIMIT_EXCEEDED, f"a tenant has at most {OPEN_MAX} agreements")
            if half.proposed_here
            else no_partner()
        )
    await connection.execute(
        """insert into loyalty.partners_agreement
             (tenant_id, id, kind, partner, partner_tenant_id, program_id, unit, partner_unit,
              proposed_here, state, created_at, peer_id, compare_at)
           values (loyalty.tenant(), $1, $2, $3, $4, $5, $6, $7, $8, 'PROPOSED', $9, $10,
                   case when $10::uuid is not null then $9::timestamptz end)""",
        agreement_id, kind.value, half.partner, half.partner_tenant_id, half.program_id, half.unit,
        half.partner_unit, half.proposed_here, now, half.peer_id,
    )  # fmt: skip
    await insert_terms(
        connection, agreement_id, 1, half.terms, effective_from=effective_from,
        proposed_here=half.proposed_here, now=now,
    )  # fmt: skip


async def insert_terms(
    connection: Connection,
    agreement_id: UUID,
    number: int,
    terms: Mapping[str, Any],
    *,
    effective_from: datetime,
    proposed_here: bool,
    now: datetime,
) -> None:
    await connection.execute(
        """insert into loyalty.partners_terms
             (tenant_id, agreement_id, number, terms, effective_from, state, proposed_here,
              proposed_at)
           values (loyalty.tenant(), $1, $2, $3, $4, 'PROPOSED', $5, $6)""",
        agreement_id, number, dict(terms), effective_from, proposed_here, now,
    )  # fmt: skip


async def locked(sides: Sides, ours: UUID, agreement_id: UUID, partner: UUID | None) -> Agreement:
    """Lock all halves of an agreement, those of the lower tenant first; ours is answered.

    :raises Refused: NOT_FOUND
    """
    found = None
    for tenant_id in sorted({ours, partner or ours}):
        half = await by_id(await sides.of(tenant_id), agreement_id, lock=True)
        if half is None:
            raise gone()
        if tenant_id == ours:
            found = half
    assert found is not None, "ours is one of them"
    return found


async def accept(
    sides: Sides, by: Actor, ours: UUID, half: Agreement, number: int, now: datetime,
    *, there: bool = False,
) -> None:  # fmt: skip
    """Accept terms that the partner proposed; the first ones bring the agreement into force.

    `there`: an outside brand, or one of another installation, accepts what our half says that we
    proposed.

    They apply from when they say, and not before they were accepted.

    :raises Refused: AGREEMENT_STATE, NOT_FOUND, RATES_GAIN
    """
    if half.state is AgreementState.ENDED:
        raise wrong_state(half, "accept terms of")
    connection = await sides.of(ours)
    await connection.execute("select pg_advisory_xact_lock($1)", RATES_LOCK)
    row = await connection.fetchrow(_TERMS, half.id, number)
    if row is None:
        raise Refused(Code.NOT_FOUND, "there are no such terms", field="number")
    if row["state"] == "ACCEPTED":
        return
    own = row["proposed_here"] is not there
    if row["state"] != "PROPOSED" or own:
        whose = "your own" if own else "withdrawn"
        raise Refused(Code.AGREEMENT_STATE, f"cannot accept {whose} terms", field="number")
    for tenant_id in both_of(ours, half):
        connection = await sides.of(tenant_id)
        await connection.execute(_ACCEPT_TERMS, half.id, number, now)
        await connection.execute(_ACTIVATE, half.id, now)
    if await connection.fetchval("select loyalty.partners_gain($1, $2)", half.id, now):
        raise Refused(
            Code.RATES_GAIN,
            "with these rates a round of exchanges would end with more than it began",
            field="number",
        )
    await note(await sides.of(ours), by, "partnership.accept", half, now, {"number": number})


async def withdraw(
    sides: Sides, by: Actor, ours: UUID, half: Agreement, number: int, now: datetime,
    *, there: bool = False,
) -> None:  # fmt: skip
    """Withdraw terms that nobody has accepted. `there`: a brand elsewhere withdraws its own.

    :raises Refused: AGREEMENT_STATE, NOT_FOUND
    """
    row = await (await sides.of(ours)).fetchrow(_TERMS, half.id, number)
    if row is None:
        raise Refused(Code.NOT_FOUND, "there are no such terms", field="number")
    if row["state"] == "WITHDRAWN":
        return
    if row["state"] != "PROPOSED" or row["proposed_here"] is there:
        whose = "accepted" if row["state"] != "PROPOSED" else "the partner's"
        raise Refused(Code.AGREEMENT_STATE, f"cannot withdraw {whose} terms", field="number")
    for tenant_id in both_of(ours, half):
        await (await sides.of(tenant_id)).execute(_WITHDRAW, half.id, number, now)
    await note(await sides.of(ours), by, "partnership.withdraw", half, now, {"number": number})


async def change_state(
    sides: Sides, by: Actor, ours: UUID, half: Agreement, wanted: str, now: datetime,
    *, there: bool = False,
) -> None:  # fmt: skip
    """Suspend, resume or end it. Suspended by both it must be resumed by both.

    `there`: the brand of another installation says so, whose half is kept there.

    :raises Refused: AGREEMENT_STATE
    """
    if half.state is AgreementState.ENDED:
        if wanted == "end":
            return
        raise wrong_state(half, wanted)
    if half.state is AgreementState.PROPOSED and wanted != "end":
        raise wrong_state(half, wanted)
    if wanted == "end":
        for tenant_id in both_of(ours, half):
            await (await sides.of(tenant_id)).execute(_END, half.id, now)
            await (await sides.of(tenant_id)).execute(_END_LINKS, half.id, now)
    else:
        for tenant_id in both_of(ours, half):
            here = tenant_id == ours and not there
            column = "suspended_here" if here else "suspended_there"
            await (await sides.of(tenant_id)).execute(
                _SUSPEND.format(column=column), half.id, wanted == "suspend"
            )
    await note(await sides.of(ours), by, f"partnership.{wanted}", half, now, {})


def both_of(ours: UUID, half: Agreement) -> list[UUID]:
    """The tenants that keep a half, in the order in which they are locked."""
    return sorted({ours, half.partner_tenant_id or ours})


def wrong_state(half: Agreement, verb: str) -> Refused:
    return Refused(
        Code.AGREEMENT_STATE,
        f"cannot {verb} an agreement that is {half.state}",
        field="agreement",
        details={"state": half.state.value},
    )


async def note(
    connection: Connection, by: Actor, action: str, half: Agreement, now: datetime, details: Any
) -> None:
    await audit.write(
        connection, by, action=action, subject=f"partnership:{half.id}", now=now,
        details={"partner": half.partner, **details},
    )  # fmt: skip


def new_agreement() -> UUID:
    return new_id()


_TERMS = """
select state, proposed_here from loyalty.partners_terms
 where tenant_id = (select loyalty.tenant()) and agreement_id = $1 and number = $2
"""
_WITHDRAW = """
update loyalty.partners_terms set state = 'WITHDRAWN', decided_at = $3
 where tenant_id = (select loyalty.tenant()) and agreement_id = $1 and number = $2
"""
_ACCEPT_TERMS = """
update loyalty.partners_terms set state = 'ACCEPTED', decided_at = $3,
       effective_from = greatest(effective_from, $3)
 where tenant_id = (select loyalty.tenant()) and agreement_id = $1 and number = $2
"""
_ACTIVATE = """
update loyalty.partners_agreement set state = 'ACTIVE', accepted_at = $2
 where tenant_id = (select loyalty.tenant()) and id = $1 and state = 'PROPOSED'
"""
_END = """
update loyalty.partners_agreement set state = 'ENDED', ended_at = $2
 where tenant_id = (select loyalty.tenant()) and id = $1
"""
_END_LINKS = """
update loyalty.partners_link set state = 'ENDED', ended_at = $2
 where tenant_id = (select loyalty.tenant()) and agreement_id = $1 and state = 'ACTIVE'
"""
_SUSPEND = """
update loyalty.partners_agreement
   set {column} = $2,
       state = case when $2 or suspended_here and '{column}' <> 'suspended_here'
                      or suspended_there and '{column}' <> 'suspended_there'
                    then 'SUSPENDED' else 'ACTIVE' end
 where tenant_id = (select loyalty.tenant()) and id = $1
"""
