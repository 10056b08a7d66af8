"""Batches that name the same few members in any order, from many sides at once: no deadlock."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from loyalty.audit import audit
from loyalty.commands import Redeem
from loyalty.facts import MemberRef, PurchaseRecorded
from loyalty.ids import new_id
from loyalty.purchase import Line, Tender, TenderKind
from loyalty.settlement.request import ClientKey, Recorded, Request
from loyalty_app.ledger import Ledger, open_ledger
from tests.faults import report
from tests.faults.brand import Brand
from tests.faults.conftest import SizeOf
from tests.faults.stand import Stand

PROCESSES = 2  # each with a pool of its own
SIDES = 6  # of each process
MEMBERS = 60
REQUESTS = 99  # of a transaction, and at least one
OFTEN = 0.4  # a redemption; else a purchase
DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"


async def test_batches_about_the_same_members_never_wait_in_a_circle(
    platform: Stand, size: SizeOf
) -> None:
    transactions = size("transactions about the same members")
    brand = await platform.brand(members=MEMBERS)
    dsn = platform.settings.need("app_database_url")
    chance, left = random.Random(50), iter(range(transactions))
    async with AsyncExitStack() as stack, platform.admin() as admin:
        opening = [open_ledger(platform.settings, dsn, pool=SIDES * 2) for _ in range(PROCESSES)]
        ledgers = [await stack.enter_async_context(one) for one in opening]
        before = await admin.fetchval(DEADLOCKS)
        done = await asyncio.gather(
            *(_go_on(ledger, brand, left, chance) for ledger in ledgers for _ in range(SIDES))
        )
        await asyncio.sleep(1.5)  # what a session counted is told within a second
        deadlocks = await admin.fetchval(DEADLOCKS) - before
    assert deadlocks == 0
    assert await audit(platform.settings.need("audit_database_url"), [brand.tenant_id]) == []
    report.note(
        report.Row(
            place=52,
            what="many transactions about the same members",
            tried=(
                f"{transactions:,} of 1 to {REQUESTS} purchases and redemptions of {MEMBERS} "
                f"members in any order, {PROCESSES * SIDES} at a time"
            ),
            held="none waits for another in a circle",
            measured=f"{sum(done):,} facts, {deadlocks} deadlocks",
        )
    )


async def _go_on(ledger: Ledger, brand: Brand, left: Iterator[int], chance: random.Random) -> int:
    """Record as long as transactions are left; answers how many facts stand."""
    stand = 0
    for _ in left:
        many = range(chance.randint(1, REQUESTS))
        requests = [_request(chance.choice(brand.members), chance) for _ in many]
        outcomes = await ledger.recorder.record_many(brand.tenant_id, requests)
        stand += sum(isinstance(outcome, Recorded) for outcome in outcomes)
    return stand


def _request(name: str, chance: random.Random) -> Request:
    now, member, key = datetime.now(UTC), MemberRef(external_id=name), new_id().hex
    if chance.random() < OFTEN:
        redeem = Redeem(
            member=member, occurred_at=now - timedelta(milliseconds=1), program="points",
            unit="points", amount=chance.randint(1, 20), capture=True,
        )  # fmt: skip
        return Request(fact=redeem, actor="faults", client_key=ClientKey("faults", key))
    cents = chance.randint(1, 50) * 100
    bought = PurchaseRecorded(
        member=member, occurred_at=now, source="faults", external_id=key, currency="USD",
        total=cents, lines=(Line(id="1", amount=cents),),
        tenders=(Tender(kind=TenderKind.OTHER, amount=cents),),
    )  # fmt: skip
    return Request(fact=bought, actor="faults")
