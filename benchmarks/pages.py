"""A page of members with their balances and last movements, against two statements by hand."""

from typing import Any

import asyncpg

from benchmarks import batches, meter, result
from benchmarks.client import Load
from benchmarks.result import Bar, Result
from benchmarks.server import api, bare, graphql, turn
from benchmarks.stand import Brand, Stand, stand

CLIENTS = 4
SIZE = 50
ENTRIES = 5
BESIDE_POOL = 1  # the session by which a pool asks whether the server is there
LOOKS_MAX = 200
PURCHASES = 6  # of each member: a page of movements that is full
PAGE = """{ members(first: %d) { edges { node { id externalId
  balances { unit available pending version }
  statement(unit: "points", first: %d) { edges { node {
    kind amount balanceAfter label occurredAt } } } } } } }"""
SESSIONS = "select count(*) from pg_stat_activity where usename = 'loyalty_app'"
COMMITS = "select xact_commit from pg_stat_database where datname = current_database()"


async def members(rounds: int, seconds: float) -> Result:
    async with stand() as on:
        brand = await on.brand()
        await batches.Ours(on, brand)(PURCHASES * len(brand.members))
        await on.analyze()
        common: dict[str, Any] = {"item": "", "connections": CLIENTS, "seconds": seconds}
        mine = _page(brand, SIZE, **common)
        theirs = Load(port=0, path="/members", body="{}", must_have='"balanceAfter"',
                      count=SIZE * ENTRIES, **common)  # fmt: skip
        with api(on) as ours, bare(on, brand) as hand:
            one, two = await meter.by_turns([turn(ours, mine), turn(hand, theirs)], rounds)
        counts = {size: await _transactions(on, brand, size) for size in (10, SIZE)}
    return _members(one, two, counts, {"connections": CLIENTS, "rounds": rounds})


def _page(brand: Brand, size: int, **common: Any) -> Load:
    """Which is right if it holds every movement of every member."""
    query = PAGE % (size, ENTRIES)
    return graphql(brand, query, must_have='"balanceAfter"', count=size * ENTRIES, **common)


async def _transactions(on: Stand, brand: Brand, size: int) -> float:
    """Transactions a page, each of one statement, beyond those of a server that shows none."""
    load = _page(brand, size, item="", connections=1, seconds=3.0)
    before = await _commits(on)
    with api(on):
        pass
    idle = await _commits(on)
    with api(on) as server:
        report = server.end(server.begin(load))
    busy = await _commits(on)
    return round((busy - idle - (idle - before)) / float(report["all_requests"]), 1)


async def _commits(on: Stand) -> int:
    """Once the sessions of a server have ended, and so told of theirs: those that stay are ours."""
    connection = await asyncpg.connect(on.admin)
    try:
        for _ in range(LOOKS_MAX):
            if await connection.fetchval(SESSIONS) <= on.ledger.database.size + BESIDE_POOL:
                break
            await connection.execute("select pg_sleep(0.05)")
        return int(await connection.fetchval(COMMITS))
    finally:
        await connection.close()


def _members(
    mine: meter.Sample, hand: meter.Sample, counts: dict[int, float], figures: dict[str, Any]
) -> Result:
    share = result.ratio(mine, hand)
    case = f"members(first: {SIZE}) {{ balances statement(first: {ENTRIES}) }}"
    growth = round(counts[SIZE] / counts[10], 2)
    note = f"transactions a page of 10: {counts[10]}, of {SIZE}: {counts[SIZE]}"
    return Result(
        case="d",
        ratio=share,
        rows=[
            result.row(case, "pages", mine, against="bare endpoint", than=hand, note=note),
            result.row("bare endpoint, two statements", "pages", hand),
        ],
        bars=[
            Bar(figure="of two statements by hand", value=share, limit=0.5),
            Bar(figure=f"transactions of {SIZE} members to those of 10", value=growth, limit=1.5,
                most=True),
        ],
        figures={**figures, "transactions": {str(n): count for n, count in counts.items()}},
    )  # fmt: skip
