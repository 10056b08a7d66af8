"""Programs of many rules: what a purchase costs beside the same program with one."""

from typing import Any

from benchmarks import batches, goods, meter, purchases, result
from benchmarks.client import Load
from benchmarks.result import Result
from benchmarks.server import api, graphql, turn
from benchmarks.stand import PROGRAM, Brand, Stand, stand

RULES = 20


def many_rules() -> dict[str, Any]:
    """Twenty rules as a brand has them: a base rate, conditions, categories, promotions, a budget.

    Four of them give something for the basket that is bought here.
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


async def compared(rounds: int, seconds: float) -> Result:
    """Batches through the recorder and single purchases over HTTP, by turns."""
    async with stand() as on:
        few, many = await on.brand(), await on.brand(config=many_rules())
        ways = [await batches.warm(on, brand) for brand in (few, many)]
        one, twenty = await meter.by_turns(ways, rounds)
        single_one, single_twenty = await _singles(on, few, many, rounds, seconds)
    share, single = result.ratio(twenty, one), result.ratio(single_twenty, single_one)
    return Result(
        case="rules",
        ratio=share,
        rows=[
            result.row(f"{RULES} rules, batches", "purchases", twenty, against="1 rule", than=one),
            result.row("1 rule, batches", "purchases", one),
            result.row(
                f"{RULES} rules, one by one", "purchases", single_twenty, against="1 rule",
                than=single_one,
            ),
            result.row("1 rule, one by one", "purchases", single_one),
        ],
        bars=[],
        figures={"rules": RULES, "rounds": rounds, "singles": single, "lines": goods.LINES},
    )  # fmt: skip


async def _singles(
    on: Stand, few: Brand, many: Brand, rounds: int, seconds: float
) -> list[meter.Sample]:
    common: dict[str, Any] = {
        "item": purchases.basket(), "connections": purchases.CLIENTS, "seconds": seconds,
        "must_have": '"replayed":false',
    }  # fmt: skip
    body = f'{{"input":{goods.ITEMS}}}'
    loads: list[Load] = [graphql(brand, purchases.SINGLE, body, **common) for brand in (few, many)]
    with api(on) as process:
        return await meter.by_turns([turn(process, load) for load in loads], rounds)
