"""Programs of many rules: what a purchase costs beside its rows by hand, and beside one rule."""

from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg

from benchmarks import alike, batches, goods, meter, purchases, result
from benchmarks.client import Load
from benchmarks.result import Bar, Result
from benchmarks.server import api, bare, graphql, turn
from benchmarks.stand import PROGRAM, Brand, Stand, stand

RULES = 20


def many_rules() -> dict[str, Any]:
    """Twenty rules as a brand has them: a base rate, conditions, categories, promotions, a budget.

    Three of them give something for the basket that is bought here, as `grants` has it.
    """
    base = PROGRAM["rules"][0]
    marketing = {"accounting_class": "MARKETING", "per": {"USD": "1.00"}, "points": "1"}
    rules: list[dict[str, Any]] = [base]
    rules += [
        marketing | {"id": f"aisle-{n}", "label": f"Aisle {n}", "points": "0",
                     "categories": [{"category": f"grocery/aisle-{n}", "points": "0.5"}]}
        for n in range(3, 8)
    ]  # fmt: skip
    rules += [
        marketing | {"id": f"large-{n}", "label": f"Over {n} dollars",
                     "when": f'purchase.total >= amount("{n}.00") && purchase.currency == "USD"'}
        for n in range(50, 110, 10)
    ]  # fmt: skip
    rules += [
        marketing | {"id": f"brand-{n}", "label": f"Brand {n}", "include": {"brands": [f"b{n}"]}}
        for n in range(4)
    ]
    rules += [
        {"id": f"double-{n}", "label": f"Double {n}", "accounting_class": "MARKETING",
         "bonus": {"factor": "2"}, "when": condition, "limits": [{"times": 5, "period": "day"}]}
        for n, condition in enumerate(
            ('member.tier == "gold"', '"shoes" in purchase.categories',
             'local.weekday == "NODAY"', "purchase.quantity > 99.0")
        )
    ]  # fmt: skip
    assert len(rules) == RULES
    budget = {"points": "100000000", "period": "year", "per": "member"}
    return {**PROGRAM, "currency": "USD", "rules": rules, "caps": [budget]}


async def compared(rounds: int, single_rounds: int, seconds: float) -> Result:
    """Batches through the recorder and by hand, and single purchases over HTTP, by turns."""
    async with stand() as on:
        few, many, other = [await on.brand(config=program) for program in _programs()]
        ours, theirs, _ = [await batches.warm(on, brand) for brand in (many, few, other)]
        await on.analyze()
        connection = await asyncpg.connect(on.admin)
        try:
            hand = batches.ByHand(on, connection, other, RULES)
            in_batches = await meter.by_turns([ours, theirs, hand], rounds)
            await alike.look(connection, many, other)
        finally:
            await connection.close()
        next_one = goods.MEMBERS + rounds * batches.BATCH
        singly = await _singles(on, (many, few, other), next_one, single_rounds, seconds)
    return _result(in_batches, singly, {"rounds": rounds, "single_rounds": single_rounds})


def _programs() -> Iterable[dict[str, Any]]:
    return PROGRAM, many_rules(), many_rules()


def _result(
    in_batches: list[meter.Sample], singly: list[meter.Sample], figures: dict[str, Any]
) -> Result:
    """Of samples of 20 rules, of one, and of the rows of the 20 by hand."""
    (twenty, one, hand), (single, single_one, bare_one) = in_batches, singly
    share, single_share = result.ratio(twenty, hand), result.ratio(single, bare_one)
    many, unit = f"{RULES} rules", "purchases"
    return Result(
        case="rules",
        ratio=share,
        rows=[
            result.row(f"{many}, batches", unit, twenty, against="by hand", than=hand),
            result.row("the same rows by hand", unit, hand),
            result.row(f"{many}, batches", unit, twenty, against="1 rule", than=one),
            result.row("1 rule, batches", unit, one),
            result.row(f"{many}, one by one", unit, single, against="bare endpoint", than=bare_one),
            result.row("bare endpoint, the same rows", unit, bare_one),
            result.row(f"{many}, one by one", unit, single, against="1 rule", than=single_one),
            result.row("1 rule, one by one", unit, single_one),
        ],
        bars=[
            Bar(figure=f"{many}, of the same rows by hand", value=share, limit=0.65),
            Bar(figure=f"{many}, GraphQL of the bare endpoint", value=single_share, limit=0.45),
        ],
        figures={
            "rules": RULES, "batch": batches.BATCH, "lines": goods.LINES, **figures,
            "of_one_rule": result.ratio(twenty, one),
            "singles_of_one_rule": result.ratio(single, single_one),
        },
    )  # fmt: skip


async def _singles(
    on: Stand, brands: Sequence[Brand], first: int, rounds: int, seconds: float
) -> list[meter.Sample]:
    """Over HTTP, of two brands; the rows of the third by the bare endpoint."""
    many, few, other = brands
    common: dict[str, Any] = {
        "item": purchases.basket(), "connections": purchases.CLIENTS, "seconds": seconds,
        "first": first,
    }  # fmt: skip
    body, new = f'{{"input":{goods.ITEMS}}}', purchases.RECORDED
    loads = [
        graphql(brand, purchases.SINGLE, body, must_have=new, **common) for brand in (many, few)
    ]
    theirs = Load(port=0, path="/purchase", body=goods.ITEMS, must_have="[]", **common)
    with api(on) as process, bare(on, other, RULES) as by_hand:
        ways = [*(turn(process, load) for load in loads), turn(by_hand, theirs)]
        return await meter.by_turns(ways, rounds)
