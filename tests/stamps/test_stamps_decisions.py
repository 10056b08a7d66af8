"""What decisions keep suffices: rules run again on it come to the same grants."""

from collections.abc import Mapping
from typing import Any

import pytest

from loyalty.effects import Grant
from loyalty.facts import Fact
from loyalty.kept import Noted, NotKept, view_of
from loyalty.settlement import granting
from loyalty.settlement.granting import Staged
from loyalty.settlement.request import Recorded, Request

BUDGETED = {"budget_per_month": 25, "first_card": 7, "cards_per_month": 5}
NEITHER = {"extra_percent": 10}


async def body_of(shop: Any, recorded: Recorded) -> Mapping[str, Any]:
    (row,) = await shop.rows(
        "select body from loyalty.decision where fact_id = $1", recorded.fact_id
    )
    body: Mapping[str, Any] = row["body"]
    return body


async def granted_again(shop: Any, fact: Fact, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The decision's grants, recomputed from what it keeps by every rule that loads nothing."""
    setup = await shop.recorder.setups.get(shop.tenant_id)
    load = shop.plugins.codec.load
    facts = [fact, *(load(e["kind"], e["payload"], fact.member) for e in body.get("emitted", ()))]
    rows = []
    for of, one in enumerate(facts):
        staged: list[Staged] = []
        for turn, seen in shop.plugins.shown(one, shop.plugins.stretch(setup, fact.occurred_at)):
            if turn.reaction.needs:
                continue
            before = [item.view() for item in staged]
            view = view_of(body, turn.program.slug, setup, grants=before)
            for effect in turn.reaction.decide(turn.version.config, seen, view):
                if isinstance(effect, Grant):
                    granting.stage(staged, turn, effect, fact)
        rows += [{**granting._decided(item), **({"of": of} if of else {})} for item in staged]
    return rows


def plain(grants: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what only the booking adds."""
    return [{k: v for k, v in row.items() if k not in ("lot", "owner")} for row in grants]


@pytest.mark.parametrize("at_once", [True, False])
async def test_rules_run_again_on_what_is_kept_come_to_the_same_grants(
    shop: Any, at_once: bool
) -> None:
    await shop.run("shop", kind="points")
    await shop.run("card", **BUDGETED)
    await shop.run("other", **NEITHER, reward=4)
    members = [await shop.member(), await shop.member()]
    purchases = [shop.coffees(members[n % 2], n) for n in (3, 4, 5, 1, 3, 3)]

    if at_once:
        outcomes = await shop.records(*purchases)
    else:
        outcomes = [await shop.record(purchase) for purchase in purchases]
    bodies = [await body_of(shop, outcome) for outcome in outcomes]

    again = [
        await granted_again(shop, fact, body) for fact, body in zip(purchases, bodies, strict=True)
    ]
    assert again == [plain(body["grants"]) for body in bodies]
    fired = {(row["program"], row["rule"], row.get("cutBy")) for rows in again for row in rows}
    assert fired >= {
        ("card", "card", None), ("card", "card", "BUDGET"), ("card", "first-card", None),
        ("other", "card", None), ("other", "extra", None), ("shop", "base", None),
    }  # fmt: skip


async def test_what_was_read_is_kept_as_it_was_before_the_fact_and_nothing_else(shop: Any) -> None:
    await shop.run("shop", kind="points")
    await shop.run("card", **BUDGETED)
    member = await shop.member()

    filled = await shop.records(*(shop.coffees(member, 3) for _ in range(3)))
    (short,) = await shop.records(shop.coffees(member, 1))
    kept = [(await body_of(shop, outcome)).get("read") for outcome in (*filled, short)]

    at = "2026-01-10T12:00:00Z"
    assert kept == [
        {
            "card": {
                "version": 1,
                "traits": {"card.cards_filled": before and [before, at, None]},
                "counters": {"filled": before or 0, "paid": 10 * (before or 0)},
            }
        }
        for before in (None, 1, 2)
    ] + [{"card": {"version": 1, "counters": {"filled": 3}}}]


async def test_where_nothing_was_read_nothing_is_kept(shop: Any) -> None:
    await shop.run("shop", kind="points")
    await shop.run("card")
    member = await shop.member()

    recorded = await shop.record(shop.coffees(member, 1, category="tea"))

    assert "read" not in await body_of(shop, recorded)


async def test_a_replay_a_preview_and_a_return_leave_what_is_kept_as_it_is(shop: Any) -> None:
    program_id = await shop.run("card", first_card=7)
    member = await shop.member()
    purchase = shop.coffees(member, 3)
    recorded = await shop.record(purchase)
    before = await body_of(shop, recorded)

    preview = await shop.recorder.preview(
        shop.tenant_id, Request(fact=shop.coffees(member, 3), actor="test")
    )
    shop.pass_time(days=1)
    await shop.change(program_id, reward=500)
    again = await shop.record(purchase)
    returned = await shop.record(shop.back(purchase, "cup-0", "cup-1", "cup-2"))

    assert isinstance(preview, Recorded)
    assert again.replayed
    assert await body_of(shop, recorded) == before
    assert before["read"]["card"]["version"] == 1
    # What the first version granted is taken back; its rules, not the second's, had judged.
    assert sum(taken["amount"] for taken in returned.answer["takenBack"]) == 17
    assert "read" not in await body_of(shop, returned)


def test_what_is_not_kept_is_not_taken_for_nothing(setup: Any) -> None:
    read = {"card": {"version": 1, "traits": {"vip.tier": None}, "counters": {"paid": 3}}}
    view = view_of({"read": read}, "card", setup)

    assert view.traits.get("vip.tier") is None
    assert (view.counters["paid"], dict(view.counters)) == (3, {"paid": 3})
    for ask in (
        lambda: view.traits.get("card.cards_filled"),
        lambda: view.counters.get("filled"),
        lambda: view.needs["card"],
        lambda: view.balance("points"),
        lambda: view.chance("lucky stamp"),
        lambda: view_of({}, "card", setup).counters["paid"],
    ):
        with pytest.raises(NotKept):
            ask()


@pytest.fixture
async def setup(shop: Any) -> Any:
    return await shop.recorder.setups.get(shop.tenant_id)


@pytest.mark.parametrize(
    ("ask", "read"),
    [
        (lambda values: values["a"], {"a": 1}),
        (lambda values: values.get("c"), {"c": None}),
        (lambda values: "a" in values and "c" not in values, {"a": 1, "c": None}),
        (list, {"a": 1, "b": 2}),
        (lambda values: dict(values.items()), {"a": 1, "b": 2}),
        (len, {"a": 1, "b": 2}),
        (bool, {"a": 1, "b": 2}),
        (lambda values: values == {}, {"a": 1, "b": 2}),
        (lambda values: None, {}),
    ],
)
def test_whatever_way_of_asking_is_noted(ask: Any, read: dict[str, int | None]) -> None:
    values = Noted({"a": 1, "b": 2})

    ask(values)

    assert values.read == read
