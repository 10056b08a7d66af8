"""A lot that ends at another time is a change of the balance: told, cached and read as one."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from loyalty.effects import Effect, Reterm
from loyalty.facts import ActivityRecorded
from loyalty.plugin import BurnWant, Plugin, on
from loyalty.view import View
from loyalty_points.plugin import plugin as points
from tests.graphql.documents import ACTIVITY, BALANCE, BALANCE_OF, RECORD
from tests.graphql.watcher import watching

ADA = {"externalId": "ada"}
WATCH = f"""subscription($member: MemberRef!) {{
  balanceChanged(member: $member) {{ cause balance {{ {BALANCE} }} }} }}"""


class Ending(BaseModel):
    """Activities move the end of all lots."""


def _all_lots(config: Ending, fact: ActivityRecorded) -> list[BurnWant]:
    return [BurnWant(unit="points")]


def _extend(config: Ending, fact: ActivityRecorded, view: View) -> Iterable[Effect]:
    for lot in view.lots["points"]:
        yield Reterm(lot_id=lot.id, expires_at=fact.occurred_at + timedelta(days=400))


ending = Plugin(
    name="ending",
    config=Ending,
    reactions=(on(ActivityRecorded, Ending, _extend, burns=_all_lots),),
)


@pytest.fixture
async def brand(make_own_server: Callable[..., Any], make_brand: Callable[..., Any]) -> Any:
    made = await make_brand(on=await make_own_server(plugins=(points, ending)))
    await made.run_program("ending", {}, kind="ending")
    await made.enroll("ada")
    await made.service.run(RECORD, input=made.purchase("ada", "7.00"))
    return made


async def test_a_cached_balance_shows_the_new_term_at_once(brand: Any) -> None:
    first = await _balance(brand.service)
    assert first["expiries"] == [{"at": "2027-01-01T17:00:00Z", "amount": "7"}]
    assert await _balance(brand.service) == first  # from the cache

    [moved] = (await _extended(brand))["versions"]

    balance = await _balance(brand.service)
    assert balance["expiries"] == [{"at": "2027-02-05T17:00:00Z", "amount": "7"}]
    assert moved == {"unit": "points", "version": balance["version"]}
    assert int(balance["version"]) == int(first["version"]) + 1


async def test_elsewhere_too_where_the_version_is_asked_for(
    brand: Any, make_own_server: Callable[..., Any]
) -> None:
    """The other process has a cache of its own, which nobody told."""
    there = await make_own_server(redis_url="", plugins=(points, ending))
    old = await _balance(brand.service)
    data = await _extended(brand, brand.service.at(there.url))
    [moved] = data["versions"]
    assert await _balance(brand.service) == old

    balance = await _balance(brand.service, minVersion=moved["version"])

    assert balance["version"] == moved["version"]
    assert balance["expiries"] == [{"at": "2027-02-05T17:00:00Z", "amount": "7"}]


async def test_listeners_hear_of_it(brand: Any) -> None:
    async with watching(brand.member("ada")) as watcher:
        await watcher.watch(brand, WATCH, {"member": ADA})
        [moved] = (await _extended(brand))["versions"]
        while (heard := (await watcher.next())["balanceChanged"])["cause"] != "ActivityRecorded":
            pass  # the purchase

    assert heard["balance"]["version"] == moved["version"]
    assert heard["balance"]["expiries"] == [{"at": "2027-02-05T17:00:00Z", "amount": "7"}]


async def test_as_of_an_instant_before_it_is_the_version_before_it(brand: Any) -> None:
    old = await _balance(brand.service)
    before = brand.clock.now().isoformat()
    brand.clock.advance(timedelta(minutes=1))
    await _extended(brand)

    then = await _balance(brand.service, asOf=before)
    now = await _balance(brand.service, asOf=brand.clock.now().isoformat())

    assert (then["version"], then["expiries"]) == (old["version"], old["expiries"])
    assert int(now["version"]) == int(old["version"]) + 1


async def _extended(brand: Any, client: Any = None) -> Any:
    given = {
        "member": ADA, "source": "app", "externalId": brand.key(), "type": "visit",
        "occurredAt": brand.clock.now().isoformat(),
    }  # fmt: skip
    data = await (client or brand.service).run(ACTIVITY, input=given)
    assert not data["recordActivity"]["userErrors"]
    return data["recordActivity"]


async def _balance(client: Any, **variables: Any) -> Any:
    data = await client.run(BALANCE_OF, by=ADA, unit="points", **variables)
    return data["member"]["balance"]
