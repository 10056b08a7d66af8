"""Purchases over HTTP: one a request, and many."""

from datetime import UTC, datetime
from typing import Any

import orjson

from benchmarks import batches, goods, meter, result
from benchmarks.client import Load
from benchmarks.result import Bar, Result
from benchmarks.server import api, bare, graphql, plain, turn
from benchmarks.stand import stand

CLIENTS = 32
SINGLE = (
    "mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) {"
    " purchase { id earned { amount } versions { unit version } } replayed"
    " userErrors { code field message } } }"
)
RECORDED = '"replayed":false,"userErrors":[]'  # what is refused is not replayed either
BATCH = (
    "mutation ($items: BatchItems!) { recordPurchases(items: $items) { outcomes { replayed"
    " purchase { earned { amount } } userErrors { code field message } } } }"
)


def basket(lines: int = goods.LINES) -> str:
    return orjson.dumps(goods.item(goods.NUMBER, goods.MEMBER, datetime.now(UTC), lines)).decode()


async def singles(rounds: int, seconds: float) -> Result:
    """One purchase a request: by GraphQL, by a plain endpoint on the same recorder, and by hand
    with a transaction for each."""
    async with stand() as on:
        first, second, third = await on.brand(), await on.brand(), await on.brand()
        for brand in (first, second, third):
            await batches.warm(on, brand)
        common: dict[str, Any] = {"item": basket(), "connections": CLIENTS, "seconds": seconds}
        mine = graphql(first, SINGLE, f'{{"input":{goods.ITEMS}}}', must_have=RECORDED, **common)
        ours = Load(
            port=0, path="/purchase", body=goods.ITEMS, must_have='"replayed":false', **common
        )
        theirs = Load(port=0, path="/purchase", body=goods.ITEMS, must_have="[]", **common)
        with api(on) as one, plain(on, second) as two, bare(on, third) as three:
            ways = [turn(one, mine), turn(two, ours), turn(three, theirs)]
            by_graphql, by_plain, by_hand = await meter.by_turns(ways, rounds)
    return _singles(by_graphql, by_plain, by_hand, {"connections": CLIENTS, "rounds": rounds})


def _singles(
    mine: meter.Sample, plainly: meter.Sample, hand: meter.Sample, figures: dict[str, Any]
) -> Result:
    share, plain_share = result.ratio(mine, hand), result.ratio(plainly, hand)
    than: dict[str, Any] = {"against": "bare endpoint", "than": hand}
    return Result(
        case="b",
        ratio=share,
        rows=[
            result.row("recordPurchase over HTTP", "purchases", mine, **than),
            result.row("recorder behind plain JSON", "purchases", plainly, **than),
            result.row("bare endpoint, one transaction each", "purchases", hand),
        ],
        bars=[
            Bar(figure="GraphQL of the bare endpoint", value=share, limit=0.8),
            Bar(figure="plain JSON of the bare endpoint", value=plain_share, limit=1.0),
        ],
        figures=figures,
    )


async def many(rounds: int, seconds: float) -> Result:
    """Batches of purchases, two requests in flight."""
    rows = []
    async with stand() as on:
        brand = await on.brand()
        await batches.warm(on, brand)
        with api(on) as server:
            for items, lines in ((200, goods.LINES), (500, goods.LINES), (200, 10)):
                load = graphql(
                    brand, BATCH, f'{{"items":[{goods.ITEMS}]}}', item=basket(lines), times=items,
                    must_have='"replayed":false', connections=2, seconds=seconds,
                )  # fmt: skip
                (sample,) = await meter.by_turns([turn(server, load)], rounds)
                case = f"recordPurchases over HTTP, {items} x {lines} lines"
                rows.append(result.row(case, "purchases", sample))
    return Result(case="many", rows=rows)
