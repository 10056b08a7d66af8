"""What a member has of a cashback program, and when it is paid out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.cache.cached_balance import CachedBalance, balance_at
from loyalty.setup import Program, Setup
from loyalty.units import format_minor
from loyalty_cashback.config import CashbackConfig
from loyalty_cashback.payout import State
from loyalty_cashback.programs import offered
from loyalty_cashback.reading import sums_of
from loyalty_graphql.access import reached
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.members import Member
from loyalty_graphql.scalars import Decimal

NONE: Sequence[Any] = ()


@strawberry.type
@reached
class NextPayout:
    """The next day of statements, by what the member has now."""

    at: datetime
    """The begin of that day."""
    amount: Decimal
    """What will be available then, if nothing happens meanwhile."""
    minimum: Decimal
    """The least that is paid out; the smallest amount there is where the program says none."""
    reached: bool
    """Whether it is enough; otherwise it stays until the next one."""


@strawberry.type
@reached
class CashbackSummary:
    """What a member has in one currency of a cashback program."""

    program: str
    """Slug of the program."""
    currency: str
    """ISO 4217 code."""
    unit: str
    """Code of the unit that it is kept in."""
    available: Decimal
    """What can be spent or paid out now."""
    pending: Decimal
    """What is not available yet, such as within the time in which goods may come back."""
    owed: Decimal
    """What was taken back after it was paid out; what is earned next repays it first."""
    requested: Decimal
    """What payouts took that are not known to be paid."""
    paid_out: Decimal
    """What was paid out in all."""
    next_payout: NextPayout | None
    """The next statement; null where the program pays none."""
    on_request: bool
    """Whether the member may ask for a payout."""


@strawberry.field
async def cashback(
    root: strawberry.Parent[Member], info: RequestInfo, program: str | None = None
) -> list[CashbackSummary]:
    """What the member has in the tenant's cashback programs, by program and currency.

    :param program: slug of a program; default: all of them
    """
    context = info.context
    setup, now = await context.setup(), context.api.clock.now()
    sums = await context.loaders.of(sums_of, NONE).load(root.key)
    found = []
    for one, config in offered(setup, now):
        if program not in (None, one.slug):
            continue
        for currency, unit in config.units_by_currency.items():
            held = await context.loaders.holding.load((root.key, unit, 0))
            of = _by_state(sums, one.id, unit)
            found.append(_summary(setup, one, config, currency, unit, held, of, now))
    return found


def _by_state(sums: Sequence[Mapping[str, Any]], program_id: UUID, unit: str) -> Mapping[str, int]:
    mine = [row for row in sums if (row["program_id"], row["unit"]) == (program_id, unit)]
    return {row["state"]: row["amount"] for row in mine}


def _summary(
    setup: Setup,
    program: Program,
    config: CashbackConfig,
    currency: str,
    unit: str,
    held: CachedBalance,
    paid: Mapping[str, int],
    now: datetime,
) -> CashbackSummary:
    places = setup.places(unit) or 0

    def text(minor: int) -> Decimal:
        return Decimal(format_minor(minor, places))

    has, on_request = balance_at(held, now), config.payout.on_request
    following = None
    if (statement := config.payout.statement) is not None:
        at = statement.next_after(now, setup.zone)
        then, least = balance_at(held, at).available, statement.least(currency, places)
        following = NextPayout(at=at, amount=text(then), minimum=text(least), reached=then >= least)
    return CashbackSummary(
        program=program.slug,
        currency=currency,
        unit=unit,
        available=text(has.available),
        pending=text(has.pending),
        owed=text(has.deficit),
        requested=text(paid.get(State.REQUESTED, 0)),
        paid_out=text(paid.get(State.PAID, 0)),
        next_payout=following,
        on_request=on_request is not None and on_request.members,
    )
