"""A client of one tenant: sends a call of the journal to an API and reads what came back."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.faults.brand import Brand
from tests.faults.journal import RETRYABLE, Answer, Call, Fate, Journal, Kind

SOURCE = "till"
ERRORS = "userErrors { code field message }"
DOCUMENTS: Mapping[Kind, str] = {
    Kind.PURCHASE: f"""mutation($input: RecordPurchaseInput!) {{ answer: recordPurchase(
        input: $input) {{ replayed purchase {{ id externalId total earned {{ unit amount }}
        versions {{ unit version }} }} {ERRORS} }} }}""",
    Kind.REDEMPTION: f"""mutation($input: RedeemPointsInput!) {{ answer: redeemPoints(
        input: $input) {{ replayed redemption {{ id state amount }} {ERRORS} }} }}""",
    Kind.BALANCE: """query($by: MemberRef!, $least: String) { answer: member(by: $by) {
        balance(unit: "points", minVersion: $least) { available pending held version } } }""",
}


class Caller:
    """`begun` is the monotonic second from which the journal counts."""

    def __init__(self, brand: Brand, journal: Journal, *, timeout: float = 10.0) -> None:
        self.brand = brand
        self.journal = journal
        self.begun = time.monotonic()
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
        self._http = httpx.AsyncClient(trust_env=False, timeout=timeout, limits=limits)
        self._headers = {"authorization": f"Bearer {brand.api_key}"}

    async def close(self) -> None:
        await self._http.aclose()

    @property
    def now(self) -> float:
        return time.monotonic() - self.begun

    async def send(self, call: Call, url: str) -> Answer:
        """Send it once; the answer is in the journal, too."""
        at = self.now
        body = {"query": DOCUMENTS[call.kind], "variables": call.variables}
        try:
            response = await self._http.post(f"{url}/graphql", json=body, headers=self._headers)
        except httpx.HTTPError as error:
            seen: tuple[int, str, Fate, Any] = (0, type(error).__name__, Fate.UNKNOWN, None)
            advice = None
        else:
            seen = (response.status_code, *_read(call.kind, response))
            advice = response.headers.get("retry-after")
        status, code, fate, payload = seen
        answer = Answer(
            at=at, seconds=self.now - at, status=status, code=code, fate=fate, payload=payload,
            retry_after=advice,
        )  # fmt: skip
        self.journal.answered(call, answer)
        return answer


def _read(kind: Kind, response: httpx.Response) -> tuple[str, Fate, Any]:
    """The code, what it means for the call, and the payload."""
    try:
        body = response.json()
    except ValueError:
        return f"HTTP {response.status_code}", Fate.UNKNOWN, None
    if errors := body.get("errors"):
        return _refused(errors[0]["extensions"]["code"])
    payload = body["data"]["answer"]
    if kind is not Kind.BALANCE and payload["userErrors"]:
        return _refused(payload["userErrors"][0]["code"])
    return "OK", Fate.DONE, payload


def _refused(code: str) -> tuple[str, Fate, Any]:
    return code, Fate.UNKNOWN if code in RETRYABLE else Fate.REFUSED, None


def purchase(key: str, member: str, dollars: int) -> Call:
    given = {
        "member": {"externalId": member},
        "source": SOURCE,
        "externalId": key,
        "occurredAt": datetime.now(UTC).isoformat(),
        "currency": "USD",
        "total": f"{dollars}.00",
    }
    return Call(
        kind=Kind.PURCHASE, key=key, member=member, amount=dollars, variables={"input": given}
    )


def redemption(key: str, member: str, points: int) -> Call:
    given = {
        "member": {"externalId": member},
        "amount": str(points),
        "unit": "points",
        "program": "points",
        "idempotencyKey": key,
        "capture": True,
    }
    return Call(
        kind=Kind.REDEMPTION, key=key, member=member, amount=points, variables={"input": given}
    )


def balance(member: str, least: str | None = None) -> Call:
    """A read; `least` is a version that its client has seen already."""
    variables = {"by": {"externalId": member}, "least": least}
    return Call(kind=Kind.BALANCE, key="", member=member, amount=0, variables=variables)
