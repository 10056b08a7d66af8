"""Tokens are verified by our rules, not by theirs: what must be let in, and all that must not.

Every vector differs from an accepted token in one thing. All are answered alike: UNAUTHENTICATED.
"""

import asyncio
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty_tenants.access import VERIFIED_SECONDS
from loyalty_tenants.issuers import Issuer, set_issuer
from loyalty_tenants.jwks import FRESH_SECONDS
from loyalty_tenants.principal import Actor, Role
from loyalty_tenants.scopes import ALLOWED, DEFAULT
from loyalty_tenants.signing import rotate_secret
from loyalty_tenants.tenants import TenantRecord
from loyalty_tenants.tokens import issue_token

ISSUER = "https://login.brand.example"
ALGORITHMS = ("RS256", "ES256", "EdDSA")
KEYS: dict[str, Any] = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
FOREIGN = rsa.generate_private_key(65537, 2048)
WEAK = rsa.generate_private_key(65537, 1024)

Claims = dict[str, Any]


def jwk_of(key: Any, kid: str, algorithm: str) -> dict[str, Any]:
    shown = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
    return {**shown, "kid": kid, "use": "sig", "alg": algorithm}


class Published:
    """The issuers' key sets, and how often they were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.withdrawn: set[str] = set()

    async def fetch(self, url: str) -> list[dict[str, Any]]:
        self.asked.append(url)
        if url.endswith("/other"):
            return [jwk_of(FOREIGN, "foreign", "RS256")]
        keys = [jwk_of(KEYS[algorithm], algorithm, algorithm) for algorithm in ALGORITHMS]
        keys.append(jwk_of(WEAK, "weak", "RS256"))
        keys.append({**jwk_of(FOREIGN, "encrypts", "RS256"), "use": "enc"})
        keys.append({"kty": "oct", "kid": "oct", "k": "c2VjcmV0", "alg": "HS256"})
        return [key for key in keys if key["kid"] not in self.withdrawn]


def encoded(value: Any) -> str:
    raw = (
        value
        if isinstance(value, bytes)
        else (value if isinstance(value, str) else json.dumps(value)).encode()
    )
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Forge:
    """Signs anything. `hs` is signed by the tenant, `rs` by its issuer, `op` by the operator."""

    tenant: TenantRecord
    now: datetime
    kid: str
    secret: str
    other_kid: str
    other_secret: str
    operator: str
    published: Published = field(default_factory=Published)

    def claims(self, **changes: Any) -> Claims:
        at = int(self.now.timestamp())
        base: Claims = {
            "iss": ISSUER,
            "aud": "loyalty",
            "sub": "till-7",
            "iat": at,
            "exp": at + 3600,
            "tenant": self.tenant.slug,
            "role": "SERVICE",
        }
        merged = {**base, **changes}
        return {name: value for name, value in merged.items() if value is not ...}

    def hs(self, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
        claims = self.claims(**{"iss": self.tenant.slug, **changes})
        return hs_raw({"alg": "HS256", "kid": self.kid, **(header or {})}, claims, self.secret)

    def rs(
        self,
        header: Mapping[str, Any] | None = None,
        *,
        alg: str = "RS256",
        key: Any = None,
        **changes: Any,
    ) -> str:
        merged = {"alg": alg, "kid": alg, **(header or {})}
        merged = {name: value for name, value in merged.items() if value is not ...}
        return asymmetric(alg, key or KEYS[alg], merged, self.claims(**changes))

    def op(self, **changes: Any) -> str:
        claims = self.claims(**{"iss": "loyalty", "role": "OPERATOR", "tenant": ..., **changes})
        return hs_raw({"alg": "HS256"}, claims, self.operator)


def hs_raw(header: Any, payload: Any, secret: str | bytes) -> str:
    signed = f"{encoded(header)}.{encoded(payload)}"
    key = secret if isinstance(secret, bytes) else secret.encode()
    return f"{signed}.{encoded(hmac.digest(key, signed.encode(), sha256))}"


def asymmetric(alg: str, key: Any, header: Any, payload: Any) -> str:
    signed = f"{encoded(header)}.{encoded(payload)}"
    signature = jwt.get_algorithm_by_name(alg).sign(signed.encode(), key)
    return f"{signed}.{encoded(signature)}"


def pem(key: Any) -> bytes:
    shown: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return shown


@pytest.fixture
async def forge(
    database: Database,
    make_tenant: Callable[[], Awaitable[TenantRecord]],
    boss: Actor,
    now: datetime,
    operator_secret: str,
) -> Forge:
    made, secrets = [], []
    for name, path in ((ISSUER, "/keys"), ("https://other.example", "/other")):
        made.append(await make_tenant())
        async with database.tenant(made[-1].tenant_id) as connection:
            secrets.append(await rotate_secret(connection, boss, now=now))
            issuer = Issuer(
                issuer=name, jwks_url=name + path, algorithms=ALGORITHMS, audience="loyalty"
            )
            await set_issuer(connection, boss, issuer, now=now)
    async with database.tenant(made[0].tenant_id) as connection:
        second = Issuer(
            issuer="https://second.example",
            jwks_url="https://second.example/other",
            algorithms=("RS256",),
            audience="loyalty",
        )
        await set_issuer(connection, boss, second, now=now)
    return Forge(
        tenant=made[0],
        now=now,
        kid=str(secrets[0].kid),
        secret=secrets[0].text,
        other_kid=str(secrets[1].kid),
        other_secret=secrets[1].text,
        operator=operator_secret,
    )


@pytest.fixture
def enter(make_door: Any, forge: Forge) -> Callable[[Any], Awaitable[Any]]:
    door = make_door(forge.published)

    async def try_door(headers: Any) -> Any:
        if isinstance(headers, str):
            headers = {"authorization": f"Bearer {headers}"}
        return await door.authenticator.authenticate(headers)

    return try_door


ACCEPTED: dict[str, Callable[[Forge], str]] = {
    "signed by the tenant": lambda f: f.hs(),
    "signed by the tenant, typed": lambda f: f.hs({"typ": "JWT"}),
    "an access token by its type": lambda f: f.rs({"typ": "at+jwt"}),
    "RS256 of the issuer": lambda f: f.rs(),
    "ES256 of the issuer": lambda f: f.rs(alg="ES256"),
    "EdDSA of the issuer": lambda f: f.rs(alg="EdDSA"),
    "of the second issuer": lambda f: f.rs(
        {"kid": "foreign"}, key=FOREIGN, iss="https://second.example"
    ),
    "the tenant by its id": lambda f: f.hs(tenant=str(f.tenant.tenant_id)),
    "expired within the leeway": lambda f: f.hs(exp=int(f.now.timestamp()) - 20),
    "a clock a little ahead": lambda f: f.hs(iat=int(f.now.timestamp()) + 20),
    "no iat": lambda f: f.hs(iat=...),
}


@pytest.mark.parametrize("name", ACCEPTED)
async def test_let_in(name: str, forge: Forge, enter: Any) -> None:
    principal = await enter(ACCEPTED[name](forge))
    assert (principal.tenant_id, principal.subject) == (forge.tenant.tenant_id, "till-7")
    assert (principal.role, principal.client) == (Role.SERVICE, "service:till-7")
    assert principal.scopes == DEFAULT[Role.SERVICE]
    assert principal.expires_at is not None


def _at(forge: Forge, seconds: float) -> int:
    return int(forge.now.timestamp() + seconds)


def _unsigned(forge: Forge, alg: str) -> str:
    return f"{encoded({'alg': alg, 'kid': 'RS256'})}.{encoded(forge.claims())}."


def _zero_signature(forge: Forge) -> str:
    head = f"{encoded({'alg': 'ES256', 'kid': 'ES256'})}.{encoded(forge.claims())}"
    return f"{head}.{encoded(bytes(64))}"


def _confused(forge: Forge, header: Mapping[str, Any], secret: bytes, **claims: Any) -> str:
    return hs_raw({"alg": "HS256", **header}, forge.claims(**claims), secret)


def _resigned(forge: Forge, **changes: Any) -> str:
    """A good signature over other claims than these."""
    head, _, signature = forge.rs().split(".")
    return f"{head}.{encoded(forge.claims(**changes))}.{signature}"


VECTORS: dict[str, Callable[[Forge], Any]] = {
    "alg none": lambda f: _unsigned(f, "none"),
    "alg None in another case": lambda f: _unsigned(f, "NoNe"),
    "alg none with a signature": lambda f: _unsigned(f, "none") + "AAAA",
    "no signature": lambda f: _unsigned(f, "RS256"),
    "HS256 with the RSA public key as PEM": lambda f: _confused(
        f, {"kid": "RS256"}, pem(KEYS["RS256"])
    ),
    "HS256 with the RSA public key as JWK": lambda f: _confused(
        f, {"kid": "RS256"}, json.dumps(jwk_of(KEYS["RS256"], "RS256", "RS256")).encode()
    ),
    "HS256 by the issuer with the tenant's secret": lambda f: f.hs(iss=ISSUER),
    "RS256 in the name of the tenant": lambda f: f.rs(iss=f.tenant.slug),
    "RS256 in the name of the tenant with its kid": lambda f: f.rs(
        {"kid": f.kid}, iss=f.tenant.slug
    ),
    "HS256 with a key of the set": lambda f: _confused(f, {"kid": "oct"}, b"secret"),
    "an alg that the issuer does not list": lambda f: f.rs(
        {"kid": "foreign"}, alg="RS512", key=FOREIGN, iss="https://second.example"
    ),
    "HS512 of the tenant": lambda f: f.hs({"alg": "HS512"}),
    "no alg": lambda f: f.hs({"alg": None}),
    "an alg that is a list": lambda f: f.hs({"alg": ["HS256"]}),
    "two algs": lambda f: hs_raw(
        f'{{"alg":"none","alg":"HS256","kid":"{f.kid}"}}', f.claims(iss=f.tenant.slug), f.secret
    ),
    "kid a path": lambda f: f.hs({"kid": "../../dev/null"}),
    "kid a path, signed with nothing": lambda f: hs_raw(
        {"alg": "HS256", "kid": "../../dev/null"}, f.claims(iss=f.tenant.slug), b""
    ),
    "kid SQL": lambda f: f.hs({"kid": "' union select 'x' --"}),
    "kid an address": lambda f: f.rs({"kid": "https://evil.example/keys"}),
    "kid of 10 KB": lambda f: f.rs({"kid": "k" * 10_240}),
    "kid of 1 KB": lambda f: f.rs({"kid": "k" * 1_024}),
    "kid empty": lambda f: f.rs({"kid": ""}),
    "kid a number": lambda f: f.rs({"kid": 7}),
    "kid missing, tenant": lambda f: hs_raw(
        {"alg": "HS256"}, f.claims(iss=f.tenant.slug), f.secret
    ),
    "kid missing, issuer": lambda f: f.rs({"kid": ...}),
    "kid of another algorithm": lambda f: f.rs({"kid": "ES256"}),
    "jku": lambda f: f.rs({"jku": "https://evil.example/keys"}),
    "x5u": lambda f: f.rs({"x5u": "https://evil.example/cert"}),
    "jwk of the attacker": lambda f: f.rs(
        {"jwk": jwk_of(FOREIGN, "foreign", "RS256")}, key=FOREIGN
    ),
    "x5c": lambda f: f.rs({"x5c": ["MIIB"]}),
    "crit unknown": lambda f: f.rs({"crit": ["exp2"], "exp2": 1}),
    "crit b64": lambda f: f.rs({"crit": ["b64"], "b64": False}),
    "wrong iss": lambda f: f.rs(iss="https://evil.example"),
    "iss of another tenant": lambda f: f.rs(
        {"kid": "foreign"}, key=FOREIGN, iss="https://other.example"
    ),
    "iss with a slash more": lambda f: f.rs(iss=ISSUER + "/"),
    "iss missing": lambda f: f.rs(iss=...),
    "iss a list": lambda f: f.rs(iss=[ISSUER]),
    "right iss, key of another issuer": lambda f: f.rs({"kid": "RS256"}, key=FOREIGN),
    "right iss, kid of another issuer": lambda f: f.rs({"kid": "foreign"}, key=FOREIGN),
    "a key for encryption": lambda f: f.rs({"kid": "encrypts"}, key=FOREIGN),
    "a weak RSA key": lambda f: f.rs({"kid": "weak"}, key=WEAK),
    "secret of another tenant": lambda f: hs_raw(
        {"alg": "HS256", "kid": f.other_kid}, f.claims(iss=f.tenant.slug), f.other_secret
    ),
    "secret of another tenant under our kid": lambda f: hs_raw(
        {"alg": "HS256", "kid": f.kid}, f.claims(iss=f.tenant.slug), f.other_secret
    ),
    "aud wrong": lambda f: f.rs(aud="other"),
    "aud missing": lambda f: f.rs(aud=...),
    "aud a list": lambda f: f.rs(aud=["loyalty", "other"]),
    "aud in another case": lambda f: f.rs(aud="Loyalty"),
    "exp missing": lambda f: f.rs(exp=...),
    "exp null": lambda f: f.rs(exp=None),
    "exp past": lambda f: f.rs(exp=_at(f, -60)),
    "exp a text": lambda f: f.rs(exp=str(_at(f, 600))),
    "exp a float": lambda f: f.rs(exp=_at(f, 600) + 0.5),
    "exp true": lambda f: f.rs(exp=True),
    "exp in the year 9999": lambda f: f.rs(exp=253402214400),
    "exp beyond any date": lambda f: f.rs(exp=10**40),
    "exp infinite": lambda f: f.rs(exp=float("inf")),
    "nbf future": lambda f: f.rs(nbf=_at(f, 120)),
    "nbf a text": lambda f: f.rs(nbf="0"),
    "iat future": lambda f: f.rs(iat=_at(f, 61)),
    "sub empty": lambda f: f.rs(sub=""),
    "sub missing": lambda f: f.rs(sub=...),
    "sub a number": lambda f: f.rs(sub=7),
    "sub very long": lambda f: f.rs(sub="s" * 201),
    "tenant missing": lambda f: f.rs(tenant=...),
    "tenant a list": lambda f: f.rs(tenant=[f.tenant.slug]),
    "tenant in another case": lambda f: f.rs(tenant=f.tenant.slug.upper()),
    "tenant id in another case": lambda f: f.rs(tenant=str(f.tenant.tenant_id).upper()),
    "tenant id without dashes": lambda f: f.rs(tenant=f.tenant.tenant_id.hex),
    "a tenant that is not there": lambda f: f.rs(tenant="nobody-here"),
    "a tenant id that is not there": lambda f: f.rs(tenant="0192e4b0-1234-7abc-8def-0123456789ab"),
    "role missing": lambda f: f.rs(role=...),
    "role unknown": lambda f: f.rs(role="ROOT"),
    "role a list": lambda f: f.rs(role=["ADMIN"]),
    "an operator made by the tenant": lambda f: f.hs(role="OPERATOR"),
    "an operator made by the issuer": lambda f: f.rs(role="OPERATOR"),
    "the operator's issuer, the tenant's secret": lambda f: f.hs(iss="loyalty", role="OPERATOR"),
    "the operator's secret, a lesser role": lambda f: f.op(role="ADMIN", tenant=f.tenant.slug),
    "an operator of a tenant that is not there": lambda f: f.op(tenant="nobody-here"),
    "scopes a text": lambda f: f.rs(scopes="purchases:write"),
    "scopes of numbers": lambda f: f.rs(scopes=[1]),
    "too many scopes": lambda f: f.rs(scopes=["x"] * 65),
    "a key twice in the payload": lambda f: asymmetric(
        "RS256",
        KEYS["RS256"],
        {"alg": "RS256", "kid": "RS256"},
        json.dumps(f.claims())[:-1] + ',"role":"ADMIN"}',
    ),
    "a payload that is a list": lambda f: asymmetric(
        "RS256", KEYS["RS256"], {"alg": "RS256", "kid": "RS256"}, [f.claims()]
    ),
    "a payload nested without end": lambda f: asymmetric(
        "RS256", KEYS["RS256"], {"alg": "RS256", "kid": "RS256"}, "[" * 5000
    ),
    "an id token": lambda f: f.rs(nonce="n-0S6_WzA2Mj"),
    "an id token by its hash": lambda f: f.rs(at_hash="MTIzNDU2Nzg5MDEyMzQ1Ng"),
    "a logout token": lambda f: f.rs({"typ": "logout+jwt"}),
    "typ a number": lambda f: f.rs({"typ": 1}),
    "ES256 signature (0, 0)": _zero_signature,
    "ES256 signature of the wrong length": lambda f: f.rs(alg="ES256")[:-8],
    "EdDSA signed by another": lambda f: f.rs(
        alg="EdDSA", key=ed25519.Ed25519PrivateKey.generate()
    ),
    "claims changed after signing": lambda f: _resigned(f, role="ADMIN"),
    "signature cut": lambda f: f.hs()[:-4],
    "two parts": lambda f: ".".join(f.hs().split(".")[:2]),
    "four parts": lambda f: f.hs() + ".x",
    "not base64": lambda f: "!!!." + f.hs().split(".", 1)[1],
    "200 KB": lambda f: f.hs(pad="x" * 200_000),
    "9 KB": lambda f: f.hs(pad="x" * 7_000),
    "in two headers": lambda f: [
        ("Authorization", f"Bearer {f.hs()}"),
        ("authorization", f"Bearer {f.hs()}"),
    ],
    "beside an API key": lambda f: {
        "authorization": f"Bearer {f.hs()}",
        "x-api-key": "loy_live_x",
    },
    "as an API key": lambda f: {"x-api-key": f.hs()},
    "another scheme": lambda f: {"authorization": "Basic dXNlcjpwYXNz"},
    "no scheme": lambda f: {"authorization": f.hs()},
    "nothing behind the scheme": lambda f: {"authorization": "Bearer "},
    "an empty header": lambda f: {"authorization": ""},
    "letters beyond ASCII": lambda f: {"authorization": "Bearer é.é.é"},
}


@pytest.mark.parametrize("name", VECTORS)
async def test_kept_out(name: str, forge: Forge, enter: Any) -> None:
    with pytest.raises(Refused) as refused:
        await enter(VECTORS[name](forge))
    assert refused.value.code is Code.UNAUTHENTICATED
    assert refused.value.message.startswith("send a valid token or API key")
    assert (refused.value.field, refused.value.details) == (None, {})
    assert len(forge.published.asked) <= 1
    assert set(forge.published.asked) <= {ISSUER + "/keys", "https://second.example/other"}


def test_there_are_enough_vectors() -> None:
    assert len(VECTORS) >= 35


async def test_all_vectors_together_ask_each_issuer_once(forge: Forge, enter: Any) -> None:
    for vector in VECTORS.values():
        with pytest.raises(Refused):
            await enter(vector(forge))
    assert sorted(forge.published.asked) == [ISSUER + "/keys"]


async def test_operators(forge: Forge, enter: Any) -> None:
    everywhere = await enter(forge.op())
    assert (everywhere.role, everywhere.tenant_id) == (Role.OPERATOR, None)
    there = await enter(forge.op(tenant=forge.tenant.slug))
    assert there.tenant_id == forge.tenant.tenant_id


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SERVICE, Role.MEMBER, Role.PARTNER])
async def test_scopes_only_ever_narrow(role: Role, forge: Forge, enter: Any) -> None:
    whole = await enter(forge.hs(role=role.value))
    assert whole.scopes == DEFAULT[role]
    asked = ["programs:read", "tenants:write", "self:redeem", "root"]
    narrow = await enter(forge.hs(role=role.value, scopes=asked))
    assert narrow.scopes == set(asked) & ALLOWED[role]
    assert (await enter(forge.hs(role=role.value, scopes=[]))).scopes == set()


async def test_what_we_issue_is_let_in(forge: Forge, enter: Any) -> None:
    given: dict[str, Any] = {"now": forge.now, "lifetime": timedelta(hours=1)}
    member = issue_token(
        secret=forge.secret,
        kid=forge.kid,
        issuer=forge.tenant.slug,
        tenant=forge.tenant.slug,
        role=Role.MEMBER,
        subject="ana@example.com",
        **given,
    )
    principal = await enter(member)
    assert (principal.role, principal.subject) == (Role.MEMBER, "ana@example.com")
    assert principal.client == "member:ana@example.com"
    operator = issue_token(
        secret=forge.operator,
        issuer="loyalty",
        tenant=None,
        role=Role.OPERATOR,
        subject="root",
        **given,
    )
    assert (await enter(operator)).role is Role.OPERATOR


async def test_a_token_outlives_its_withdrawn_key_by_seconds(forge: Forge, make_door: Any) -> None:
    door = make_door(forge.published)
    headers = {"authorization": f"Bearer {forge.rs()}"}
    assert await door.authenticator.authenticate(headers)
    forge.published.withdrawn.add("RS256")
    door.wait(FRESH_SECONDS)
    assert await door.authenticator.authenticate(headers)  # the keys are asked for meanwhile
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await door.authenticator.authenticate(headers)
    door.wait(VERIFIED_SECONDS)
    with pytest.raises(Refused):
        await door.authenticator.authenticate(headers)


async def test_without_a_credential_nobody_is_there(enter: Any) -> None:
    assert await enter({}) is None
    assert await enter([("accept", "*/*")]) is None


def test_the_parts_of_a_vector_are_what_they_seem() -> None:
    header = hs_raw({"alg": "HS256"}, {}, "k").split(".")[0]
    assert json.loads(urlsafe_b64decode(header + "==")) == {"alg": "HS256"}
