"""Strange values wherever something can be written: refused or kept, never a failure of ours."""

from typing import Any

import orjson
import pytest

from tests.graphql.documents import ENROLL, MEMBER
from tests.graphql.operations import operations

STRANGE = {
    "empty": "",
    "a blank": " ",
    "right to left": "\u202eada\u202c",
    "of no width": "a\u200bb\ufeff",
    "an emoji": "👩‍👩‍👧‍👦",
    "combining": "e\u0301" * 40,
    "quotes": "'\"; drop table loyalty.member; --",
    "a template": "{{7*7}} ${x} %s %(x)s {0}",
    "a path": "../../etc/passwd",
    "long": "x" * 4096,
    "a hash": "o-1#2",
    "a colon": "purchase:shop",
    "digits": "٣٤",
    "a huge number": "9" * 40,
    "not a number": "NaN",
    "the last code point": "\U0010ffff",
}


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE)
async def test_a_strange_text_everywhere_is_no_failure(brand: Any, strange: str) -> None:
    await brand.enroll("ada")
    for operation in operations(brand.server.services.schema.core):
        if operation.kind == "subscription":
            continue
        for way in ("externalId", "identifier", "id"):

            def fill(path: str, kind: str, way: str = way) -> Any:
                if ".member." in f".{path}." or path.startswith("by."):
                    return strange if path.endswith(way) else None
                if kind == "Decimal":
                    return strange[:40]
                return strange if kind in ("String", "ID") else None

            document, variables = operation.request(fill)
            answer = await brand.admin.post(document, variables)
            assert answer.status_code == 200, (operation.name, answer.text)
            assert "INTERNAL" not in answer.text, (operation.name, answer.text)
            if "member" not in str(operation.field.args):
                break


async def test_a_nul_is_refused_wherever_it_stands(brand: Any, rows: Any) -> None:
    before, tried = await rows.of(brand.tenant_id), 0
    for operation in operations(brand.server.services.schema.core):
        for place, kind in operation.leaves():
            if kind not in ("String", "ID", "JSON", "BatchItems", "Config"):
                continue
            value = {"JSON": {"a": "x\0"}, "Config": {"x\0": 1}, "BatchItems": [{"a": "\0"}]}

            def fill(path: str, at: str, place: str = place, put: Any = value) -> Any:
                return put.get(at, "x\0y") if path == place else None

            document, variables = operation.request(fill)
            answer = await brand.admin.post(document, variables)
            assert answer.status_code == 400, (operation.name, place, answer.text)
            assert "NUL" in answer.json()["errors"][0]["message"]
            tried += 1
    assert tried > 80
    assert await rows.of(brand.tenant_id) == before


@pytest.mark.parametrize("escape", [r"\ud800", r"\udc00", r"\udc00\ud800", r"a\ud83d"])
async def test_half_a_character_is_refused(brand: Any, rows: Any, escape: str) -> None:
    before = await rows.of(brand.tenant_id)
    variables = orjson.dumps({"query": ENROLL, "variables": {"input": {"externalId": "HERE"}}})
    literal = orjson.dumps(
        {"query": 'mutation { enrollMember(input: {externalId: "HERE"}) { __typename } }'}
    )

    for raw in (
        variables.replace(b"HERE", escape.encode()),
        literal.replace(b"HERE", b"\\" + escape.encode()),
    ):
        answer = await brand.http.post(
            f"{brand.service.url}/graphql",
            content=raw,
            headers={
                "authorization": f"Bearer {brand.service.credential}",
                "content-type": "application/json",
            },
        )
        assert answer.status_code in (200, 400)
        assert answer.json()["errors"][0]["extensions"]["code"] in (
            "BAD_REQUEST",
            "GRAPHQL_PARSE_FAILED",
        )
    assert await rows.of(brand.tenant_id) == before


async def test_a_nul_in_a_literal_is_refused(brand: Any) -> None:
    query = 'mutation { enrollMember(input: {externalId: "a\\u0000b"}) { __typename } }'

    answer = (await brand.service.post(query)).json()

    assert answer["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "NUL" in answer["errors"][0]["message"]


async def test_what_is_kept_is_given_back_as_it_came(brand: Any) -> None:
    for number, name in enumerate(("👍🏽", "e\u0301", "卡", "o'hara; --", "٣٤")):
        strange = f"{name}👩‍👩‍👧‍👦\u202e\U0010ffff"  # what is no id may hold anything
        attributes = {strange: [strange, {"n": 2**53 - 1, "f": 0.1, "none": None}]}
        given = {"externalId": name, "identifiers": [f"{number}-{name}"], "attributes": attributes}
        payload = (await brand.service.run(ENROLL, input=given))["enrollMember"]
        assert payload["userErrors"] == []

        member = (await brand.service.run(MEMBER, by={"externalId": name}))["member"]
        assert member["externalId"] == name
        assert member["identifiers"] == [f"{number}-{name}"]
        assert member["attributes"] == attributes


async def test_bodies_over_their_limits_are_refused_unread(brand: Any, anonymous: Any) -> None:
    too_much = {"by": {"externalId": "ada"}, "beside": "x" * 300_000}

    for client in (brand.service, anonymous):
        answer = await client.post(MEMBER, too_much)
        assert answer.status_code == 413
        assert answer.json()["errors"][0]["extensions"]["code"] == "BODY_TOO_LARGE"
    long = await brand.service.post(MEMBER, {"by": {"externalId": "x" * 4097}})
    assert long.json()["errors"][0]["extensions"]["limit"] == "text"
