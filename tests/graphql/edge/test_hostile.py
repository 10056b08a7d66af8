"""Hostile documents against the platform's own schema: each refused for what it is, none runs.

How long that takes is measured where time may be measured, in tests/faults.
"""

from typing import Any

from .hostile import HARMLESS, HOSTILE, Hostile


async def _sent(brand: Any, hostile: Hostile) -> Any:
    return await brand.http.post(
        f"{brand.server.url}/graphql",
        content=hostile.body,
        headers={
            "authorization": f"Bearer {brand.admin.credential}",
            "content-type": "application/json",
        },
    )


def told(answer: Any) -> str:
    """The limit or the code by which it was refused."""
    if "errors" not in answer:
        return HARMLESS
    extensions = answer["errors"][0]["extensions"]
    return str(extensions.get("limit", extensions["code"]))


async def test_each_is_refused_for_what_it_is(brand: Any, rows: Any) -> None:
    before = await rows.of(brand.tenant_id)

    answers = {name: (await _sent(brand, one)).json() for name, one in HOSTILE.items()}

    assert {name: told(answer) for name, answer in answers.items()} == {
        name: one.expected for name, one in HOSTILE.items()
    }
    assert await rows.of(brand.tenant_id) == before


async def test_a_refusal_is_short_and_repeats_little_of_what_was_sent(brand: Any) -> None:
    long = {}
    for name, one in HOSTILE.items():
        length = len((await _sent(brand, one)).content)
        if one.expected != HARMLESS and length > 2_000:
            long[name] = length
    assert long == {}


async def test_a_stranger_is_refused_as_well(anonymous: Any, brand: Any) -> None:
    for name, one in HOSTILE.items():
        response = await brand.http.post(
            f"{anonymous.url}/graphql",
            content=one.body,
            headers={"content-type": "application/json"},
        )
        assert response.status_code in (200, 400, 413), name
        assert "errors" in response.json(), name


def test_there_are_enough_of_them() -> None:
    assert len(HOSTILE) >= 45
    assert len({one.body for one in HOSTILE.values()}) == len(HOSTILE)
