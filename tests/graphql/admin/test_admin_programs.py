"""Programs over the API: drafts, versions, refusals with paths, lost updates, who sees what."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from loyalty_tenants import program_records
from loyalty_tenants.principal import Role

from .documents import PROGRAM, asked, done, refusals, trail

RULE = {
    "id": "base",
    "label": "1 point per dollar",
    "accounting_class": "MATERIAL_RIGHT",
    "points": "1",
    "per": {"USD": "1.00"},
}
CONFIG: dict[str, Any] = {"unit": "points", "rules": [RULE]}
NEW = {"slug": "extra", "kind": "points", "name": "Extra", "config": CONFIG}
ONE = f"query($slug: String!) {{ program(slug: $slug) {{ {PROGRAM} }} }}"
RECORD = """mutation($input: RecordPurchaseInput!) { recordPurchase(input: $input) {
  purchase { earned { amount } } userErrors { code field } } }"""


async def created(brand: Any, **given: Any) -> Any:
    return (await done(brand.admin, "createProgram", **{**NEW, **given}))["program"]


def of(program: Any) -> dict[str, Any]:
    return {"id": program["id"], "expectedVersion": program["version"]}


async def test_a_program_is_drafted_changed_published_and_archived(make_brand: Any) -> None:
    brand = await make_brand(config=None)
    draft = await created(brand)
    assert (draft["status"], draft["version"], draft["versions"]) == ("DRAFT", 1, [])
    assert draft["config"] == CONFIG

    changed = {**CONFIG, "rules": [{**RULE, "points": "2"}]}
    updated = (await done(brand.admin, "updateProgram", **of(draft), name="More", config=changed))[
        "program"
    ]
    assert (updated["name"], updated["version"], updated["config"]) == ("More", 2, changed)
    assert updated["position"] == draft["position"]

    published = await done(brand.admin, "publishProgram", **of(updated))
    version = published["version"]
    assert published["program"]["versions"] == [version]
    assert (version["number"], version["state"], version["publishedBy"]) == (1, "ACTIVE", "admin")
    assert version["config"]["rules"][0]["points"] == "2"
    assert version["config"]["redemption"]["hold_for"], "defaults are filled in"
    assert version["effectiveFrom"] == version["publishedAt"] == "2026-01-01T17:00:00Z"

    archived = await done(brand.admin, "archiveProgram", **of(published["program"]))
    assert archived["program"]["status"] == "ARCHIVED"
    assert archived["program"]["archivedAt"] is not None
    assert archived["program"] == (await brand.admin.run(ONE, slug="extra"))["program"]
    assert await trail(brand.admin, first=4) == [
        ("program.archive", "program:extra"),
        ("program.publish", "program:extra"),
        ("program.update", "program:extra"),
        ("program.create", "program:extra"),
    ]


async def test_what_is_published_judges_the_very_next_purchase(brand: Any) -> None:
    await brand.enroll("ada")

    async def earned() -> list[str]:
        data = await brand.service.run(RECORD, input=brand.purchase("ada", "10.00"))
        assert data["recordPurchase"]["userErrors"] == []
        return [one["amount"] for one in data["recordPurchase"]["purchase"]["earned"]]

    assert await earned() == ["10"]
    running = (await brand.admin.run(ONE, slug="points"))["program"]
    config = {**CONFIG, "rules": [{**RULE, "points": "3"}]}
    updated = (await done(brand.admin, "updateProgram", **of(running), config=config))["program"]
    assert await earned() == ["10"], "a draft does nothing"
    published = (await done(brand.admin, "publishProgram", **of(updated)))["program"]
    assert [one["number"] for one in published["versions"]] == [2, 1]
    assert await earned() == ["30"]
    await done(brand.admin, "archiveProgram", **of(published))
    assert await earned() == []


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"slug": "Extra"}, "BAD_USER_INPUT", "slug"),
        ({"slug": "loyalty"}, "BAD_USER_INPUT", "slug"),
        ({"slug": "points"}, "ALREADY_EXISTS", "slug"),
        ({"name": " "}, "BAD_USER_INPUT", "name"),
        ({"name": "a\nb"}, "BAD_USER_INPUT", "name"),
        ({"kind": "pionts"}, "BAD_USER_INPUT", "kind"),
        ({"position": -1}, "BAD_USER_INPUT", "position"),
        ({"config": []}, "BAD_CONFIG", "config"),
        ({"config": "text"}, "BAD_CONFIG", "config"),
        ({"config": {}}, "BAD_CONFIG", "config.unit"),
        ({"config": {**CONFIG, "unit": "pionts"}}, "BAD_CONFIG", "config.unit"),
        ({"config": {**CONFIG, "rulse": []}}, "BAD_CONFIG", "config.rulse"),
        ({"config": {**CONFIG, "rules": [{**RULE, "pr": 1}]}}, "BAD_CONFIG", "config.rules.0.pr"),
        (
            {"config": {**CONFIG, "rules": [RULE, {**RULE, "per": 1}]}},
            "BAD_CONFIG",
            "config.rules.1.per",
        ),
        ({"config": {**CONFIG, "big": 2**63}}, "BAD_CONFIG", "config.big"),
        ({"kind": "punch", "config": {"unit": "points", "webhook_secret": 7}}, "BAD_CONFIG",
         "config.webhook_secret"),
    ],
)  # fmt: skip
async def test_a_bad_program_is_refused_with_its_path(
    brand: Any, rows_of: Any, given: Any, code: str, field: str
) -> None:
    before = await rows_of(brand)
    assert await refusals(brand.admin, "createProgram", **{**NEW, **given}) == [(code, field)]
    assert await rows_of(brand) == before


async def test_a_mistyped_key_is_told_with_the_nearest_known_one(brand: Any) -> None:
    rule = {**RULE, "roundng": "floor"}
    payload = await asked(
        brand.admin, "createProgram", **{**NEW, "config": {**CONFIG, "rules": [rule]}}
    )
    error = payload["userErrors"][0]
    assert (error["code"], error["field"]) == ("BAD_CONFIG", "config.rules.0.roundng")
    assert "did you mean 'rounding'?" in error["message"]
    assert error["retryable"] is False


async def test_of_two_who_saw_the_same_version_one_is_told(brand: Any, rows_of: Any) -> None:
    draft = await created(brand)
    asking = [asked(brand.admin, "updateProgram", **of(draft), name=f"Name {i}") for i in range(8)]
    payloads = await asyncio.gather(*asking)
    won = [payload["program"] for payload in payloads if payload["program"]]
    lost = [error for payload in payloads for error in payload["userErrors"]]
    assert [program["version"] for program in won] == [2]
    assert {(e["code"], e["field"], e["details"]["version"]) for e in lost} == {
        ("VERSION_CONFLICT", "expectedVersion", 2)
    }
    assert len(lost) == 7
    before = await rows_of(brand)
    for name in ("updateProgram", "publishProgram", "archiveProgram"):
        conflict = [("VERSION_CONFLICT", "expectedVersion")]
        assert await refusals(brand.admin, name, **of(draft)) == conflict
    assert await rows_of(brand) == before
    assert (await brand.admin.run(ONE, slug="extra"))["program"] == won[0]


async def test_a_bad_change_leaves_the_draft_as_it_was(brand: Any, rows_of: Any) -> None:
    draft = await created(brand)
    before = await rows_of(brand)
    wrong = {**CONFIG, "rules": [{**RULE, "points": 1.5}]}
    for given, refusal in (
        ({"config": wrong}, ("BAD_CONFIG", "config.rules.0.points")),
        ({"name": ""}, ("BAD_USER_INPUT", "name")),
        ({"position": 10**7}, ("BAD_USER_INPUT", "position")),
    ):
        assert await refusals(brand.admin, "updateProgram", **of(draft), **given) == [refusal]
    assert await rows_of(brand) == before


async def test_an_archived_program_stays_so(brand: Any, rows_of: Any) -> None:
    draft = await created(brand)
    ended = (await done(brand.admin, "archiveProgram", **of(draft)))["program"]
    before = await rows_of(brand)
    for name in ("updateProgram", "publishProgram", "archiveProgram"):
        refusal = [("PROGRAM_NOT_ACTIVE", "id")]
        assert await refusals(brand.admin, name, **of(ended)) == refusal
    assert await rows_of(brand) == before


async def test_a_version_cannot_begin_before_what_is_recorded(brand: Any, rows_of: Any) -> None:
    await brand.enroll("ada")
    await brand.service.run(RECORD, input=brand.purchase("ada", "10.00"))
    draft = await created(brand)
    before = await rows_of(brand)
    past = (brand.clock.now() - timedelta(days=1)).isoformat()
    assert await refusals(brand.admin, "publishProgram", **of(draft), effectiveFrom=past) == [
        ("TOO_LATE", "effectiveFrom")
    ]
    assert await rows_of(brand) == before
    soon = (brand.clock.now() + timedelta(days=1)).isoformat()
    later = await done(brand.admin, "publishProgram", **of(draft), effectiveFrom=soon)
    assert later["version"]["effectiveFrom"] == "2026-01-02T17:00:00Z"


async def test_new_counters_of_a_running_tenant_are_filled_first(brand: Any) -> None:
    await brand.enroll("ada")
    await brand.service.run(RECORD, input=brand.purchase("ada", "10.00"))
    draft = await created(brand, kind="punch", config={"unit": "points", "counted": ["visits"]})
    version = (await done(brand.admin, "publishProgram", **of(draft)))["version"]
    assert (version["state"], version["activatedAt"]) == ("BACKFILLING", None)


async def test_programs_are_listed_by_kind_and_status(brand: Any) -> None:
    await created(brand)
    await created(brand, slug="card", kind="punch", config={"unit": "points"})

    async def slugs(arguments: str) -> list[str]:
        data = await brand.admin.run(f"{{ programs{arguments} {{ slug }} }}")
        return [one["slug"] for one in data["programs"]]

    assert await slugs("") == ["points", "extra", "card"]
    assert await slugs('(kind: "punch")') == ["card"]
    assert await slugs("(status: DRAFT)") == ["extra", "card"]
    assert await slugs('(kind: "points", status: ACTIVE)') == ["points"]
    assert await slugs('(kind: "nothing")') == []


async def test_versions_of_all_programs_are_loaded_together(
    brand: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        draft = await created(brand, slug=f"extra-{number}")
        await done(brand.admin, "publishProgram", **of(draft))
    calls, real = [], program_records.latest_versions

    async def counted(*given: Any, **more: Any) -> Any:
        calls.append(given)
        return await real(*given, **more)

    monkeypatch.setattr(program_records, "latest_versions", counted)
    data = await brand.admin.run("{ programs { versions { number } } }")
    assert [[v["number"] for v in one["versions"]] for one in data["programs"]] == [[1]] * 5
    assert len(calls) == 1


async def test_members_and_partners_see_what_is_active_and_no_config(
    brand: Any, as_token: Any
) -> None:
    draft = await created(brand)
    active = (await brand.admin.run(ONE, slug="points"))["program"]
    key = await done(brand.admin, "createApiKey", role="PARTNER", client="airline")
    partner = replace(brand.admin, credential=key["secret"])
    for outsider in (brand.member("ada"), partner):
        listed = await outsider.run("{ programs { slug name status kind } }")
        assert [one["slug"] for one in listed["programs"]] == ["points"]
        assert (await outsider.run('{ program(slug: "extra") { slug } }'))["program"] is None
        for field in ("config", "secretsSet", "versions { number }"):
            codes = await outsider.refused(f"{{ programs {{ {field} }} }}")
            assert codes[0][0] == "FORBIDDEN"
    node = "query($id: ID!) { node(id: $id) { id ... on Program { slug } } }"
    member = brand.member("ada")
    assert (await member.run(node, id=draft["id"]))["node"] is None
    assert (await member.run(node, id=active["id"]))["node"]["slug"] == "points"
    narrow = as_token(Role.MEMBER, ["self:read"])
    assert (await narrow.run(node, id=active["id"]))["node"] is None
    assert (await brand.service.run(node, id=draft["id"]))["node"]["slug"] == "extra"


async def test_another_tenants_program_is_not_there(make_brand: Any, rows_of: Any) -> None:
    ours, theirs = await make_brand(), await make_brand(config=None)
    program = (await ours.admin.run(ONE, slug="points"))["program"]
    before = await rows_of(ours)
    for slug in ("points", "no-such", "a b", "x" * 4000):
        assert (await theirs.admin.run(ONE, slug=slug))["program"] is None
    node = "query($id: ID!) { node(id: $id) { id } }"
    assert (await theirs.admin.run(node, id=program["id"]))["node"] is None
    for name in ("updateProgram", "publishProgram", "archiveProgram"):
        for wrong in (program["id"], "nonsense", ""):
            given = {"id": wrong, "expectedVersion": program["version"]}
            assert await refusals(theirs.admin, name, **given) == [("NOT_FOUND", "id")]
    assert await rows_of(ours) == before
