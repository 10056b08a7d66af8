"""Issuers' keys: asked for rarely, known ones kept through floods and outages."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from loyalty_tenants.issuers import Issuer
from loyalty_tenants.jwks import COOLDOWN, FRESH_SECONDS, MISSING_MAX, MISSING_SECONDS, KeySets
from loyalty_tenants.jwks_fetch import FetchFailed

TENANT = uuid4()
ISSUER = Issuer(
    issuer="https://login.example",
    jwks_url="https://login.example/keys",
    algorithms=("ES256",),
    audience="loyalty",
)


Change = Callable[[dict[str, Any]], dict[str, Any]]


class Host:
    """A key server that can be slow, down, or have other keys than before."""

    def __init__(self) -> None:
        self.asked = 0
        self.down = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.kids = ["one"]
        self.change: Change = lambda key: key
        self.key = ec.generate_private_key(ec.SECP256R1())

    async def fetch(self, url: str) -> list[dict[str, Any]]:
        self.asked += 1
        await self.gate.wait()
        if self.down:
            raise FetchFailed(url)
        shown = jwt.get_algorithm_by_name("ES256").to_jwk(self.key.public_key(), as_dict=True)
        return [self.change({**shown, "kid": kid}) for kid in self.kids]


class Asker:
    def __init__(self) -> None:
        self.host, self.seconds = Host(), 0.0
        self.sets = KeySets(self.host, monotonic=lambda: self.seconds)

    async def knows(self, kid: str, tenant: UUID = TENANT, alg: str = "ES256") -> bool:
        return await self.sets.key(tenant, ISSUER, kid, alg) is not None


@pytest.fixture
async def asker() -> Any:
    made = Asker()
    yield made
    await made.sets.close()


async def test_a_flood_of_made_up_kids_asks_once_in_the_cooldown(asker: Asker) -> None:
    for second in range(10):
        asker.seconds = float(second)
        answers = await asyncio.gather(*(asker.knows(f"{second}-{n}") for n in range(100)))
        assert not any(answers)
        assert await asker.knows("one")
    assert asker.host.asked == 1
    asker.seconds = COOLDOWN
    await asyncio.gather(*(asker.knows(f"late-{n}") for n in range(100)))
    assert asker.host.asked == 2


async def test_known_keys_survive_an_outage(asker: Asker) -> None:
    assert await asker.knows("one")
    asker.host.down = True
    for minute in range(60):
        asker.seconds = minute * 60.0
        assert await asker.knows("one")
        assert not await asker.knows("new")
    assert 2 <= asker.host.asked <= 61


async def test_an_empty_answer_evicts_nothing(asker: Asker) -> None:
    assert await asker.knows("one")
    asker.host.kids = []
    asker.seconds = COOLDOWN
    assert not await asker.knows("two")
    assert await asker.knows("one")


async def test_a_new_key_is_found_when_the_cooldown_ends(asker: Asker) -> None:
    assert await asker.knows("one")
    asker.host.kids = ["one", "two"]
    assert not await asker.knows("two")
    asker.seconds = COOLDOWN
    assert await asker.knows("two")


async def test_a_key_that_was_withdrawn_goes_with_the_next_answer(asker: Asker) -> None:
    assert await asker.knows("one")
    asker.host.kids = ["two"]
    asker.seconds = FRESH_SECONDS
    assert await asker.knows("one")  # answered from memory, asked for in the background
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not await asker.knows("one")
    assert await asker.knows("two")


async def test_a_slow_issuer_holds_up_only_those_with_unknown_keys(asker: Asker) -> None:
    assert await asker.knows("one")
    asker.host.gate.clear()
    asker.seconds = FRESH_SECONDS
    waiting = asyncio.create_task(asker.knows("unknown"))
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        assert await asker.knows("one")
    assert not waiting.done()
    asker.host.gate.set()
    assert not await waiting


async def test_who_gives_up_waiting_does_not_end_the_request(asker: Asker) -> None:
    asker.host.gate.clear()
    impatient = asyncio.create_task(asker.knows("one"))
    patient = asyncio.create_task(asker.knows("one"))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    asker.host.gate.set()
    assert await patient
    assert asker.host.asked == 1


async def test_a_kid_that_the_issuer_denied_is_not_asked_for_again_soon(asker: Asker) -> None:
    assert not await asker.knows("stale")
    for at in (COOLDOWN, 2 * COOLDOWN, MISSING_SECONDS - 1):
        asker.seconds = at
        assert not await asker.knows("stale")
    assert asker.host.asked == 1
    asker.seconds = MISSING_SECONDS
    assert not await asker.knows("stale")
    assert asker.host.asked == 2


async def test_only_so_many_denials_are_remembered(asker: Asker) -> None:
    kids = [f"made-up-{number}" for number in range(MISSING_MAX + 1)]
    await asyncio.gather(*(asker.knows(kid) for kid in kids))
    asker.seconds = COOLDOWN
    assert not await asker.knows(kids[-1])
    assert asker.host.asked == 1
    assert not await asker.knows(kids[0])
    assert asker.host.asked == 2


async def test_tenants_share_nothing(asker: Asker) -> None:
    assert not await asker.knows("unknown")
    assert await asker.knows("one", tenant=uuid4())
    assert asker.host.asked == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda key: {**key, "use": "enc"},
        lambda key: {**key, "alg": "ES384"},
        lambda key: {**key, "kty": "oct", "k": "AAAA"},
        lambda key: {**key, "crv": "P-384"},
        lambda key: {**key, "x": "!!!"},
        lambda key: {**key, "kid": 7},
        lambda key: {name: value for name, value in key.items() if name != "kid"},
    ],
)
async def test_keys_that_do_not_fit_are_left_out(asker: Asker, change: Change) -> None:
    assert await asker.knows("one")
    asker.host.change = change
    assert not await asker.knows("one", tenant=uuid4())
    assert not await asker.knows("one", alg="RS256")


async def test_a_private_key_that_was_published_is_not_believed(asker: Asker) -> None:
    private = jwt.get_algorithm_by_name("ES256").to_jwk(asker.host.key, as_dict=True)
    asker.host.change = lambda key: {**key, **private}
    assert not await asker.knows("one")
