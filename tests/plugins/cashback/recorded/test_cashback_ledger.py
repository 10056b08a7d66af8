"""Members who buy, bring back and are paid in any order: each one's sums agree with the ledger."""

from random import Random
from typing import Any

import pytest

from loyalty.facts import Fact, MemberRef
from loyalty.purchase import Line, ReturnedLine
from loyalty_cashback.payout import State
from tests.plugins.cashback.recorded.conftest import MakeBank

RULES = [
    {"id": "base", "label": "Back", "percent": "3.333", "rounding": "half_up",
     "categories": [{"category": "fuel", "percent": "7.77"}],
     "caps": [{"points": "20.00", "period": "month"}]},
    {"id": "more", "label": "More", "bonus": {"factor": "1.5"}, "rounding": "ceiling"},
]  # fmt: skip
# What was granted less what returns took of it, as the decisions say; and what the ledger has.
DECIDED = """
select coalesce((select sum((g ->> 'granted')::bigint) from loyalty.fact f
          join loyalty.decision d on d.fact_id = f.id, jsonb_array_elements(d.body -> 'grants') g
         where f.member_id = $1), 0)
     - coalesce((select sum((t ->> 2)::bigint) from loyalty.fact f
          join loyalty.decision d on d.fact_id = f.id, jsonb_array_elements(d.body -> 'taken') t
         where f.member_id = $1), 0)"""
HELD = """
select coalesce((select sum(balance - deficit) from loyalty.account
                  where owner_id = $1 and unit = 'USD'), 0)
     + coalesce((select sum(amount) from loyalty.cashback_payout
                  where member_id = $1 and state in ('REQUESTED', 'PAID')), 0)"""


@pytest.mark.parametrize("seed", [1, 2])
async def test_sums_per_member_reconcile_to_the_cent(bank: MakeBank, seed: int) -> None:
    luck = Random(seed)
    shop = await bank("2026-03-02T12:00", rules=RULES, payout={"on_request": {}})
    members = [await shop.world.member() for _ in range(4)]
    steps: list[tuple[str, Any]] = []
    for member in members:
        for _ in range(6):
            sale, pieces = _sale(luck, shop, member)
            await shop.world.record(sale)
            steps += [("back", (sale, piece)) for piece in pieces]
        steps += [("ask", member)] * 3
    steps += [("hear", state) for state in State for _ in range(3) if state is not State.REQUESTED]
    luck.shuffle(steps)

    asked = []
    for what, of in steps:
        if what == "back":
            await shop.world.record(shop.world.back(of[0], of[1]))
        elif what == "ask" and (await shop.has(of))[0] > "0.00":
            asked.append(await shop.requests(of))
        elif what == "hear" and asked:
            await shop.becomes(luck.choice(asked), of)
        await _agree(shop, members)

    assert len(asked) >= 4
    for member in members:  # all of it came back: who was paid owes it
        (row,) = await shop.world.rows(HELD, member.id)
        assert row[0] == 0


def _sale(luck: Random, shop: Any, member: MemberRef) -> tuple[Fact, list[ReturnedLine]]:
    lines = [
        Line(id=str(at), amount=luck.randint(1, 90_00), category=luck.choice([None, "fuel"]))
        for at in range(luck.randint(1, 3))
    ]
    sale = shop.world.purchase(member, sum(line.amount for line in lines), lines=lines)
    pieces: list[ReturnedLine] = []
    for line in lines:
        left = line.amount
        while left:
            part = luck.randint(1, left) if len(pieces) < 5 else left
            pieces.append(ReturnedLine(id=line.id, amount=part))
            left -= part
    return sale, pieces


async def _agree(shop: Any, members: list[MemberRef]) -> None:
    for member in members:
        ((decided,),) = await shop.world.rows(DECIDED, member.id)
        ((held,),) = await shop.world.rows(HELD, member.id)
        assert decided == held
