"""What a batch does, and all that is remembered and told of it, is one transaction: whoever sees a
part of it sees the rest, wherever a process dies."""

from typing import Any

WRITTEN = """
select 'fact' as what, xmin::text as by from loyalty.fact where kind = 'Redeem'
union all
select 'key', xmin::text from loyalty.command_key
union all
select 'decision', d.xmin::text from loyalty.decision d join loyalty.fact f on f.id = d.fact_id
 where f.kind = 'Redeem'
union all
select 'posting', p.xmin::text from loyalty.posting p join loyalty.fact f on f.id = p.fact_id
 where f.kind = 'Redeem'
union all
select 'lot use', u.xmin::text from loyalty.lot_use u join loyalty.fact f on f.id = u.fact_id
 where f.kind = 'Redeem'
union all
select 'balance', xmin::text from loyalty.account where kind = 'main' and stored
union all
select 'redemption', xmin::text from loyalty.redemption
union all
select 'outbox', o.xmin::text from loyalty.outbox o join loyalty.fact f on f.id = o.fact_id
 where f.kind = 'Redeem'
"""


async def test_a_command_with_all_that_is_remembered_and_told_of_it(world: Any) -> None:
    member = await world.member()
    await world.record(world.purchase(member, 1_000))

    await world.redeem(member, 4, key="k-1")

    rows = await world.rows(WRITTEN)
    assert {row["what"] for row in rows} == {
        "fact", "key", "decision", "posting", "lot use", "balance", "redemption", "outbox",
    }  # fmt: skip
    assert len({row["by"] for row in rows}) == 1
