"""Stories with a clock of their own, told to the same real server over HTTP as tests of the API."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.graphql.admin.documents import done
from tests.graphql.brand import POINTS, Brand, Server
from tests.graphql.conftest import (
    anonymous,
    brand,
    http,
    make_brand,
    make_server,
    operator,
    rows,
    work,
)
from tests.scenarios.subscribing import PUBLISH, TEMPLATE, Subscriber, member_only
from tests.scenarios.teller import Teller

Change = Callable[[Any], None]

__all__ = [
    "anonymous",
    "brand",
    "http",
    "make_brand",
    "make_server",
    "operator",
    "rows",
    "work",
]


@pytest.fixture(scope="session")
async def server(make_server: Callable[..., Awaitable[Server]]) -> Server:
    """A server of these stories: each moves its clock by years, and `make_brand` sets it back."""
    return await make_server()


@pytest.fixture
def tell(
    make_brand: Callable[..., Awaitable[Brand]], work: Callable[[Brand], Awaitable[int]]
) -> Callable[..., Awaitable[Teller]]:
    """Begins a story: the points program's config, the instant, and the places of its unit."""

    async def begin(
        at: str, config: Any = POINTS, places: int = 0, units: Mapping[str, int] | None = None
    ) -> Teller:
        brand = await make_brand(config=None, backdating=timedelta(days=400))
        teller = Teller(brand, work, config["unit"])
        if teller.unit != "points":
            await brand.make_unit(teller.unit, places)
        for code, others in (units or {}).items():
            await brand.make_unit(code, others)
        brand.clock.at = teller.instant(at)
        await brand.run_program("points", config)
        await brand.enroll("ada")
        return teller

    return begin


@pytest.fixture
def starts(
    make_brand: Callable[..., Awaitable[Brand]], work: Callable[[Brand], Awaitable[int]]
) -> Callable[..., Awaitable[Teller]]:
    """Begins a story with a program that ships with the product, started over the API.

    `change` alters the template's config before it is published, as an admin would.
    """

    async def begin(template: str, at: str, change: Change | None = None) -> Teller:
        brand = await make_brand(config=None, backdating=timedelta(days=400))
        asked = {"template": template, "slug": "points", "createUnits": True}
        draft = (await done(brand.admin, "startProgram", **asked))["program"]
        teller = Teller(brand, work, draft["config"]["unit"])
        brand.clock.at = teller.instant(at)
        if change is not None:
            change(draft["config"])
            of = {"id": draft["id"], "expectedVersion": draft["version"]}
            done_so = await done(brand.admin, "updateProgram", **of, config=draft["config"])
            draft = done_so["program"]
        of = {"id": draft["id"], "expectedVersion": draft["version"]}
        await done(brand.admin, "publishProgram", **of)
        await brand.enroll("ada")
        return teller

    return begin


@pytest.fixture
def subscriber(
    make_brand: Callable[..., Awaitable[Brand]], work: Callable[[Brand], Awaitable[int]]
) -> Callable[..., Awaitable[Subscriber]]:
    """Begins a story with a program of subscriptions as `club`, one that ships with the product or
    a config; beside it points per dollar (`dividend`: for who has a plan alone)."""

    async def begin(template: Any, at: str, *, dividend: bool = False) -> Subscriber:
        brand = await make_brand(config=None, backdating=timedelta(days=400))
        teller = Teller(brand, work)
        brand.clock.at = teller.instant(at)
        config: Any = POINTS
        rule = {**config["rules"][0], "label": "Points"}
        if dividend:
            rule |= {"label": "For members", "when": member_only("club")}
        await brand.run_program("points", {**config, "rules": [rule]})
        await brand.enroll("ada")
        if not isinstance(template, str):
            await brand.run_program("club", template, kind="subscriptions")
            return Subscriber(teller)
        given = {"template": template, "slug": "club", "createUnits": True}
        made = (await brand.admin.run(TEMPLATE, input=given))["startProgram"]
        assert made["userErrors"] == [], made
        draft = {"id": made["program"]["id"], "expectedVersion": made["program"]["version"]}
        published = (await brand.admin.run(PUBLISH, input=draft))["publishProgram"]
        assert published["userErrors"] == [], published
        return Subscriber(teller)

    return begin
