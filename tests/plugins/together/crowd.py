"""Members of a brand with all kinds of programs, and books that are kept beside the ledger.

The books know only what each purchase was granted when it was recorded, what came back of it, and
what was paid out. Whatever else happens must leave the ledger, and the tiers, at what follows.
"""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from loyalty.days import local_day
from loyalty.errors import Refused
from loyalty.facts import MemberFrozen, MemberUnfrozen, PurchaseRecorded
from loyalty.purchase import Line, ReturnedLine
from loyalty.settlement.request import Recorded
from loyalty.units import UnitKind
from loyalty_cashback.commands import RecordPayout, RequestPayout
from loyalty_cashback.payout import State, payout_id
from loyalty_cashback.plugin import plugin as cashback
from loyalty_points.plugin import plugin as points
from loyalty_subscriptions.commands import Cancel, Subscribe
from loyalty_subscriptions.plugin import plugin as subscriptions
from loyalty_tenants.programs import update_program
from loyalty_tenants.publishing import publish_program
from loyalty_tenants.units import create_unit
from loyalty_tiers.plugin import plugin as tiers
from tests.kernel.conftest import BOSS, World
from tests.kernel.jobs.conftest import Hands
from tests.plugins.together.bought import Bought, Member
from tests.plugins.together.programs import CLUB, backing, climbing, pointing, summing

PLUGINS = (points, tiers, cashback, subscriptions)
NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 1, 10, 17, tzinfo=UTC)
CATEGORIES = (None, "fuel", "garden")


class Crowd:
    """Two members, and two workers that come by now and then.

    `by_sums`: points follow sums of periods, so the books know them again only once all is back.
    """

    def __init__(
        self, world: World, hands: Hands, random: Random, *, by_sums: bool = False
    ) -> None:
        self.world, self.hands, self.random, self.by_sums = world, hands, random, by_sums
        self.members: list[Member] = []
        self.steps = {"silver": "100", "gold": "200"}
        self.reached: Counter[str] = Counter()
        self.log: list[str] = []

    async def begin(self) -> None:
        world = self.world
        world.clock.at = START
        async with world.database.tenant(world.tenant_id) as connection:
            await create_unit(
                connection, BOSS, code="USD", name="Cash", kind=UnitKind.MONEY, now=START
            )
        await world.run_program("points", summing("1") if self.by_sums else pointing("1"))
        await world.run_program("status", climbing("100", "200"), kind="tiers")
        await world.run_program("cash", backing("5"), kind="cashback")
        await world.run_program("club", CLUB, kind="subscriptions")
        self.members = [Member(await world.member()) for _ in range(2)]

    # --- what happens ----------------------------------------------------------------------------

    async def happens(self) -> None:
        what = self.random.choices(
            ["buys", "late", "returns", "corrects", "asks", "hears", "passes", "publishes",
             "freezes", "joins", "leaves", "works"],
            [10, 3, 9, 3, 3, 3, 6, 2, 1, 1, 1, 4],
        )[0]  # fmt: skip
        member = self.random.choice(self.members)
        if await getattr(self, what)(member) is not False:
            self.reached[what] += 1
            self.log.append(f"{self.world.clock.now():%m-%d %H:%M} {what}")

    def _lines(self) -> tuple[Line, ...]:
        return tuple(
            Line(id=str(at), amount=self.random.choice([99, 1_050, 4_999, 12_000]),
                 category=self.random.choice(CATEGORIES))
            for at in range(self.random.randint(1, 3))
        )  # fmt: skip

    async def buys(self, member: Member, at: datetime | None = None) -> None:
        lines = self._lines()
        total = sum(line.amount for line in lines)
        purchase = self.world.purchase(member.ref, total, lines=lines, at=at)
        await self._bought(member, purchase)

    async def late(self, member: Member) -> None:
        earlier = self.world.clock.now() - timedelta(hours=self.random.randint(1, 24 * 6))
        await self.buys(member, max(earlier, START))

    async def corrects(self, member: Member) -> bool:
        whole = [one for one in member.bought.values() if not one.back.total()]
        if not whole:
            return False
        before = self.random.choice(whole)
        lines = self._lines()
        purchase = replace(
            before.fact, lines=lines, total=sum(line.amount for line in lines),
            revision=before.fact.revision + 1, tenders=(),
        )  # fmt: skip
        total = sum(line.amount for line in lines)
        purchase = replace(purchase, tenders=(replace(before.fact.tenders[0], amount=total),))
        await self._bought(member, purchase)
        return True

    async def _bought(self, member: Member, purchase: PurchaseRecorded) -> None:
        recorded = await self.world.record(purchase)
        (row,) = await self.world.rows(
            "select body from loyalty.decision where fact_id = $1 union all"
            " select null where not exists (select from loyalty.decision where fact_id = $1)",
            recorded.fact_id,
        )
        grants = (row["body"] or {}).get("grants", [])
        member.bought[purchase.external_id] = Bought(purchase, grants)

    async def returns(self, member: Member) -> bool:
        some = [one for one in member.bought.values() if one.spent]
        if not some:
            return False
        await self.brings_back(self.random.choice(some), whole=self.random.random() < 0.3)
        return True

    async def brings_back(self, one: Bought, *, whole: bool) -> None:
        parts = {}
        for line in one.fact.lines:
            if left := line.amount - one.back[line.id]:
                part = (
                    left if whole else self.random.choice([0, left, self.random.randint(1, left)])
                )
                if part:
                    parts[line.id] = part
        if not parts:
            return
        lines = [ReturnedLine(id=line, amount=part) for line, part in parts.items()]
        await self.world.record(self.world.back(one.fact, *lines))
        one.back.update(parts)

    async def asks(self, member: Member) -> bool:
        key = f"p{next(self.world.keys)}"
        payout = payout_id(self.world.tenant_id, "till", key)
        available = (await self.world.balance(member.ref, "USD")).available
        (outcome,) = await self.world.records(
            RequestPayout(
                member=member.ref, occurred_at=self.world.clock.now(), program="cash",
                unit="USD", payout=payout,
            ),
            key=key,
        )  # fmt: skip
        if isinstance(outcome, Refused):
            return False
        member.payouts[payout] = (available, State.REQUESTED)
        return True

    async def hears(self, member: Member) -> bool:
        if not member.payouts:
            return False
        payout = self.random.choice(list(member.payouts))
        amount, before = member.payouts[payout]
        state = self.random.choice([State.PAID, State.FAILED, State.RETURNED])
        (row,) = await self.world.rows(
            """select r.id from loyalty.cashback_payout p
                 join loyalty.redemption r on r.hold_fact_id = p.fact_id where p.id = $1""", payout
        )  # fmt: skip
        await self.world.record(
            RecordPayout(
                member=member.ref, occurred_at=self.world.clock.now(), program="cash",
                payout=payout, redemption=row["id"], state=state,
            )
        )  # fmt: skip
        if state.follows(before):
            member.payouts[payout] = (amount, state)
        return True

    async def passes(self, member: Member) -> None:
        self.world.pass_time(hours=self.random.choice([1, 24, 24 * 5, 24 * 21]))

    async def publishes(self, member: Member) -> None:
        # What a rule by sums gave under two tables in one period is another matter.
        which = self.random.choice(["status", "cash"] + ["points"] * (not self.by_sums))
        if which == "points":
            config = pointing(self.random.choice(["1", "2", "0.75"]))
        elif which == "cash":
            config = backing(self.random.choice(["5", "3.3"]))
        else:
            silver = self.random.choice([80, 100, 150])
            self.steps = {"silver": str(silver), "gold": str(silver * 2)}
            config = climbing(**self.steps)
        await self._publish(which, config)
        self.world.pass_time(minutes=6)
        await self.works(member)

    async def _publish(self, slug: str, config: dict[str, Any]) -> None:
        world, now = self.world, self.world.clock.now()
        async with world.database.tenant(world.tenant_id) as connection:
            row = await connection.fetchrow(
                "select id, version from loyalty.program where slug = $1", slug
            )
            changed = await update_program(
                connection, world.configs, BOSS, row["id"], expected_version=row["version"],
                config=config, now=now,
            )  # fmt: skip
            await publish_program(
                connection, world.configs, BOSS, row["id"], expected_version=changed.version,
                now=now,
            )  # fmt: skip

    async def freezes(self, member: Member) -> None:
        now = self.world.clock.now()
        (outcome,) = await self.world.records(
            MemberFrozen(member=member.ref, occurred_at=now, reason="looked into")
        )
        if isinstance(outcome, Refused):
            await self.world.record(MemberUnfrozen(member=member.ref, occurred_at=now))

    async def joins(self, member: Member) -> bool:
        return await self._says(member, Subscribe, plan="club")

    async def leaves(self, member: Member) -> bool:
        return await self._says(member, Cancel)

    async def _says(self, member: Member, command: Any, **more: Any) -> bool:
        (outcome,) = await self.world.records(
            command(member=member.ref, occurred_at=self.world.clock.now(), program="club", **more)
        )
        return isinstance(outcome, Recorded)

    async def works(self, member: Member) -> None:
        workers = [self.hands.worker(self.world) for _ in range(2)]
        await asyncio.gather(*(worker.run_due(self.world.tenant_id) for worker in workers))
        await self.hands.run(self.world)

    # --- what must be so -------------------------------------------------------------------------

    async def agrees(self) -> None:
        """What there is follows from what was bought and stayed, and from what was paid."""
        self.world.pass_time(minutes=6)  # what lasts while it is met goes with the job's next turn
        await self.works(self.members[0])
        for member in self.members:
            for unit in ("points", "USD"):
                found = await self.world.balance(member.ref, unit)
                has = found.total + found.held - found.deficit
                left = sum(one.left(unit) for one in member.bought.values())
                if unit == "USD" or not self.by_sums or not self._spent(member):
                    due = left + await self._moved(member, unit)
                    assert has == due, (unit, has, due, self.log)
            if not self.by_sums:
                tier, sums = await self._tier(member), self._sums(member)
                assert tier == self._deserved(*sums), (tier, sums, self.steps, self.log)

    def _spent(self, member: Member) -> int:
        return sum(one.spent for one in member.bought.values())

    async def _moved(self, member: Member, unit: str) -> int:
        if unit == "USD":
            return -sum(amount for amount, state in member.payouts.values() if not state.gives_back)
        (row,) = await self.world.rows(
            """select coalesce(sum(5 - amount), 0)::int as n from loyalty.subscription_payment
                where member_id = $1""", member.ref.id
        )  # fmt: skip
        return int(row["n"])

    async def _tier(self, member: Member) -> str:
        rows = await self.world.rows(
            """select value from loyalty.trait where member_id = $1 and name = 'status.tier'
                and since <= $2 order by since desc, recorded_at desc, fact_id desc limit 1""",
            member.ref.id, self.world.clock.now(),
        )  # fmt: skip
        return rows[0]["value"] if rows else "basic"

    def _sums(self, member: Member) -> tuple[int, int, int]:
        """What the member spent, how often, and earned in the quarter that is under way."""
        quarter = _quarter(local_day(self.world.clock.now(), NEW_YORK))
        mine = [
            one for one in member.bought.values()
            if _quarter(local_day(one.fact.occurred_at, NEW_YORK)) == quarter
        ]  # fmt: skip
        spent = sum(one.spent for one in mine)
        visits = sum(one.spent > 0 for one in mine)
        return spent, visits, sum(one.left("points", "points") for one in mine)

    def _deserved(self, spent: int, visits: int, earned: int) -> str:
        if (spent >= 100 * int(self.steps["gold"]) and visits >= 3) or earned >= 250:
            return "gold"
        return "silver" if spent >= 100 * int(self.steps["silver"]) else "basic"


def _quarter(day: date) -> tuple[int, int]:
    return day.year, (day.month - 1) // 3
