"""A tenant's identity provider fails in every way: members whose keys are known are served."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import quantiles

import httpx

from loyalty_app.ledger import open_ledger
from loyalty_tenants.issuers import Issuer, set_issuer
from tests.faults import report
from tests.faults.api import Api
from tests.faults.brand import BY, Brand
from tests.faults.conftest import SizeOf
from tests.faults.key_host import AUDIENCE, KeyHost, key_host
from tests.faults.stand import Stand
from tests.faults.trusting_api import COOLDOWN_SECONDS

AT_ONCE = 50
READ = "{ viewer { member { externalId } } }"
P99_SECONDS = 0.3
SPELL_SECONDS = 4.0  # each trouble, twice as long as the provider is left in peace
PAUSE_SECONDS = 0.1  # a member who asks without a pause is refused for their rate
BEHAVIOURS = ("fails", "dawdles", "floods", "hangs up")


class TrustingApi(Api):
    def program(self) -> tuple[str, ...]:
        return ("-m", "tests.faults.trusting_api")


async def test_a_key_host_fails(platform: Stand, brand: Brand, size: SizeOf) -> None:
    made_up = size("made-up keys")
    api = TrustingApi("trusting", settings=platform.settings.environment(), folder=platform.folder)
    async with key_host() as host, httpx.AsyncClient(trust_env=False, timeout=30.0) as http:
        await _accept(platform, brand, host)
        api.start()
        await api.serves()
        try:
            begun = time.monotonic()
            took, refused = await _all(api, brand, host, http, made_up)
            lasted = time.monotonic() - begun
        finally:
            await api.stop()
        asked = host.requests
    p99 = quantiles(took, n=100)[98]
    assert refused == made_up
    assert len(BEHAVIOURS) <= asked <= 2 + lasted / COOLDOWN_SECONDS, asked
    report.within(P99_SECONDS, p99, "a member whose key is known")
    report.note(
        report.Row(
            place=120,
            what="a tenant's identity provider fails, dawdles, floods, hangs up",
            tried=f"each in turn, beside {made_up:,} tokens with made-up key ids",
            held=(
                "members whose key is known are served, 99 of 100 within "
                f"{1000 * P99_SECONDS:g} ms; made-up keys cost one request per issuer in half a "
                f"minute (here: {COOLDOWN_SECONDS:g} s)"
            ),
            measured=(
                f"{len(took)} calls, p99 {1000 * p99:.0f} ms; {asked} requests to the provider in "
                f"{lasted:.0f} s"
            ),
        )
    )


async def _accept(platform: Stand, brand: Brand, host: KeyHost) -> None:
    dsn = platform.settings.need("app_database_url")
    issuer = Issuer(issuer=host.url, jwks_url=host.url, algorithms=("EdDSA",), audience=AUDIENCE)
    async with (
        open_ledger(platform.settings, dsn, pool=1) as ledger,
        ledger.database.tenant(brand.tenant_id) as connection,
    ):
        await set_issuer(connection, BY, issuer, insecure=True, now=datetime.now(UTC))


async def _all(
    api: Api, brand: Brand, host: KeyHost, http: httpx.AsyncClient, made_up: int
) -> tuple[list[float], int]:
    """Seconds of members' calls, and how many made-up tokens were refused."""
    took: list[float] = []
    refused = 0
    await _read(api, host.token(brand.members[0], brand.slug), http)
    for behaviour in BEHAVIOURS:
        host.behaviour = behaviour
        tokens = [
            host.token(brand.members[0], brand.slug, kid=f"{behaviour}-{n}")
            for n in range(made_up // len(BEHAVIOURS))
        ]
        flood, until = asyncio.create_task(_flood(api, tokens, http)), time.monotonic()
        while not flood.done() or time.monotonic() < until + SPELL_SECONDS:
            for member in brand.members:
                begun = time.monotonic()
                status = await _read(api, host.token(member, brand.slug), http)
                took.append(time.monotonic() - begun)
                assert status == 200
            await asyncio.sleep(PAUSE_SECONDS)
        refused += await flood
    return took, refused


async def _flood(api: Api, tokens: Sequence[str], http: httpx.AsyncClient) -> int:
    refused = 0
    for start in range(0, len(tokens), AT_ONCE):
        statuses = await asyncio.gather(
            *(_read(api, token, http) for token in tokens[start : start + AT_ONCE])
        )
        refused += statuses.count(401)
    return refused


async def _read(api: Api, token: str, http: httpx.AsyncClient) -> int:
    headers = {"authorization": f"Bearer {token}"}
    answer = await http.post(f"{api.url}/graphql", json={"query": READ}, headers=headers)
    return answer.status_code
