"""Hostile requests against the platform's own schema, generated: each is one way to make a server
work far more than its sender did.

`expected` is what becomes of it: the limit that is passed, the code of the error, or HARMLESS where
it runs and costs next to nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import get_introspection_query

HARMLESS = "harmless"
LOOP = "member { "  # Purchase.member leads back to a member, whose redemptions lead to a member


@dataclass(frozen=True, slots=True)
class Hostile:
    """One request, of an admin, who may ask for most."""

    query: str
    expected: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    raw: bytes | None = None
    """The whole body, where it is no JSON that a client would make."""

    @property
    def body(self) -> bytes:
        if self.raw is not None:
            return self.raw
        return orjson.dumps({"query": self.query, "variables": self.variables})


def _nested(levels: int, opening: str = "member { ", closing: str = "} ") -> str:
    return opening * levels + "id " + closing * levels


def _chain(length: int, spread: int, kind: str, inner: str = "", closing: str = "") -> str:
    """Fragments, each of which spreads the next one so often, within `inner`."""
    links = (
        f"fragment f{n} on {kind} {{ {inner}{f'...f{n + 1} ' * spread}{closing} }}"
        for n in range(length)
    )
    return " ".join([*links, f"fragment f{length} on {kind} {{ id }}"])


def _many(text: str, times: int) -> str:
    return " ".join(text.replace("#", str(n)) for n in range(times))


MEMBER = '{ member(by: {externalId: "ada"}) { %s } }'
MEMBERS = "{ members(first: 100) { edges { node { %s } } } }"
ENROLL = "mutation ($i: EnrollMemberInput!) { enrollMember(input: $i) { replayed } }"
RECORD = "mutation ($i: RecordPurchaseInput!) { recordPurchase(input: $i) { replayed } }"
BATCH = "mutation ($i: BatchItems!) { recordPurchases(items: $i) { outcomes { index } } }"
BY = "query ($by: MemberRef!) { member(by: $by) { id } }"
NODE = "{ node(id: %s) { id } }"
LISTED = 'fragment F on Member { statement(unit: "points", first: 100) { edges { cursor } } }'


def _object(levels: int) -> str:
    return "{a:" * levels + "1" + "}" * levels


def _deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


DEPTH: dict[str, Hostile] = {
    "depth by nesting": Hostile(MEMBER % _nested(60), "depth"),
    "depth by nesting, as deep as tokens allow": Hostile("{" + _nested(320) + "}", "depth"),
    "depth by fragments": Hostile(MEMBER % "...f0 " + _chain(58, 1, "Member", LOOP, "}"), "depth"),
    "depth by inline fragments": Hostile(
        MEMBER % _nested(58, "... on Member { member { ", "} } "), "depth"
    ),
    "inline fragments without a field": Hostile(MEMBER % _nested(150, "... { "), HARMLESS),
    "depth in introspection": Hostile(
        "{ __schema { types { " + _nested(30, "fields { type { ", "} } ") + "} } }", "depth"
    ),
    "lists in introspection": Hostile(
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
}
FRAGMENTS: dict[str, Hostile] = {
    "14 fragments spread twice": Hostile(MEMBER % "...f0 " + _chain(14, 2, "Member"), "fields"),
    "60 fragments spread twice": Hostile(MEMBER % "...f0 " + _chain(60, 2, "Member"), "fields"),
    "9 fragments spread ten times": Hostile(MEMBER % "...f0 " + _chain(9, 10, "Member"), "fields"),
    "a fragment that spreads itself": Hostile(
        "{ ...F } fragment F on Query { ...F }", "GRAPHQL_VALIDATION_FAILED"
    ),
    "a cycle of 80 fragments": Hostile(
        "{ ...f0 } " + _many("fragment f# on Query { ...f#1 }", 80), "GRAPHQL_VALIDATION_FAILED"
    ),
    "every fragment spreads every other": Hostile(
        "{ ...f0 } "
        + " ".join(f"fragment f{n} on Query {{ {_many('...f#', 16)} }}" for n in range(16)),
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "120 fragments never used": Hostile(
        "{ viewer { subject } } " + _many("fragment f# on Member { id }", 120),
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "200 fragments that do not exist": Hostile(
        MEMBER % _many("...g#", 200), "GRAPHQL_VALIDATION_FAILED"
    ),
    "fragments that overlap in pairs": Hostile(
        MEMBER % _many("...f#", 40) + _many("fragment f# on Member { id externalId status }", 40),
        HARMLESS,
    ),
    "fields that conflict in pairs": Hostile(
        MEMBER % _many("... on Member { x: status } ... on Member { x: externalId }", 7),
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "connections within fragments": Hostile(MEMBERS % "...F" + LISTED, "cost"),
}
BREADTH: dict[str, Hostile] = {
    "the same field 5,000 times": Hostile(MEMBER % ("id " * 5_000), "tokens"),
    "the same field 900 times": Hostile(MEMBER % ("id " * 900), "repeats"),
    "2,000 aliases": Hostile(MEMBER % _many("a#: id", 2_000), "tokens"),
    "300 aliases": Hostile(MEMBER % _many("a#: id", 300), "aliases"),
    "60 aliases of a mutation": Hostile(
        "mutation {" + _many('a#: revokeApiKey(id: "x") { userErrors { code } }', 60) + "}",
        "aliases",
    ),
    "2,000 directives": Hostile(
        "{ viewer " + "@skip(if: false) " * 2_000 + "{ subject } }", "tokens"
    ),
    "140 directives": Hostile(
        "{ viewer " + "@skip(if: false) " * 140 + "{ subject } }", "directives"
    ),
    "unknown directives": Hostile(
        "{ viewer " + _many("@d#", 20) + " { subject } }", "GRAPHQL_VALIDATION_FAILED"
    ),
    "@include that hides the cost": Hostile(
        "query ($no: Boolean = false) {"
        " members(first: 100) @include(if: $no) { edges { node { balances { unit available"
        " expiries { at amount } } } } } }",
        "cost",
    ),
    "@skip that hides the cost": Hostile(
        "{ members(first: 100) { edges { node { balances @skip(if: true) { unit"
        " expiries { at amount } } } } } }",
        "cost",
    ),
    "a directive with a list of 900": Hostile(
        "{ viewer @include(if: [" + "1 " * 900 + "]) { subject } }", "GRAPHQL_VALIDATION_FAILED"
    ),
    "a variable of lists in lists, 480 deep": Hostile(
        "query ($v: " + "[" * 480 + "ID" + "]" * 480 + ") { viewer { subject } }", "depth"
    ),
    "a variable of lists in lists, 190 deep": Hostile(
        "query ($v: " + "[" * 190 + "ID" + "]" * 190 + ") { viewer { subject } }",
        "GRAPHQL_VALIDATION_FAILED",
        {"v": 5},
    ),
    "70 operations": Hostile(
        _many("query q# { viewer { subject } }", 70), "OPERATION_RESOLUTION_FAILURE"
    ),
    "160 variables": Hostile(
        f"query ({_many('$v#: String', 160)}) {{ viewer {{ subject }} }}",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "15,000 values for variables that are not there": Hostile(
        "{ viewer { subject } }", HARMLESS, {f"v{n}": n for n in range(15_000)}
    ),
    "480 unknown fields": Hostile(MEMBER % _many("x#", 480), "GRAPHQL_VALIDATION_FAILED"),
    "fields almost as they are called": Hostile(
        MEMBER % _many("extrenalIdd# sttatuss# blaances#", 150), "GRAPHQL_VALIDATION_FAILED"
    ),
    "a comment in every line": Hostile("{ viewer { subject } }" + "\n#" * 30_000, "tokens"),
    "one comment of 60 KB": Hostile("{ viewer { subject } } #" + "x" * 60_000, HARMLESS),
    "commas": Hostile("{ viewer { subject } }" + "," * 63_000, HARMLESS),
}
VALUES: dict[str, Hostile] = {
    "a literal of 60 KB": Hostile(NODE % ('"' + "x" * 60_000 + '"'), "text"),
    "a block string of 60 KB": Hostile(NODE % ('"""' + "x\n" * 30_000 + '"""'), "text"),
    "escapes": Hostile(NODE % ('"' + "\\u0041" * 10_000 + '"'), "text"),
    "a string that never ends": Hostile('{ node(id: "' + "x" * 60_000, "GRAPHQL_PARSE_FAILED"),
    "a block string that never ends": Hostile(
        '{ node(id: """' + "\n " * 30_000, "GRAPHQL_PARSE_FAILED"
    ),
    "lists in a literal": Hostile(NODE % ("[" * 450 + "1" + "]" * 450), "depth"),
    "objects in a literal": Hostile(NODE % _object(300), "depth"),
    "a list of 900 in a literal": Hostile(
        'mutation { createApiKey(input: {role: SERVICE, client: "x", scopes: ['
        + '"a" ' * 900
        + "]}) { secret } }",
        "list_argument",
    ),
    "one field of an input 200 times": Hostile(
        "{ member(by: {" + 'externalId: "x" ' * 200 + "}) { id } }", "GRAPHQL_VALIDATION_FAILED"
    ),
    "an integer of 60,000 digits": Hostile(
        "{ members(first: " + "9" * 60_000 + ") { edges { cursor } } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "a float of 60,000 digits": Hostile(
        "{ members(first: 0." + "9" * 60_000 + ") { edges { cursor } } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "an exponent of 60,000 digits": Hostile(
        "{ members(first: 1e" + "9" * 60_000 + ") { edges { cursor } } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "an integer of 200,000 digits in a variable": Hostile(
        "",
        "BAD_REQUEST",
        raw=b'{"query": "query ($n: Int) { members(first: $n) { edges { cursor } } }",'
        b' "variables": {"n": ' + b"9" * 200_000 + b"}}",
    ),
    "a number that no JSON has, to be kept": Hostile(
        'mutation { enrollMember(input: {externalId: "x", attributes: {a: 1e400}}) { replayed } }',
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "a name of 60 KB": Hostile("{ " + "x" * 60_000 + " }", "GRAPHQL_VALIDATION_FAILED"),
    "a variable's name of 60 KB": Hostile(
        "query ($" + "v" * 60_000 + ": Int) { viewer { subject } }", "GRAPHQL_VALIDATION_FAILED"
    ),
    "characters of four bytes": Hostile("{ viewer { subject } } # " + "🦄" * 15_000, HARMLESS),
    "a document of other alphabets": Hostile("{ " + "шщ" * 30_000 + " }", "GRAPHQL_PARSE_FAILED"),
    "combining characters in a text": Hostile(
        BY, "text", {"by": {"externalId": "e" + "\u0301" * 60_000}}
    ),
    "a text of 200 KB": Hostile(BY, "text", {"by": {"externalId": "x" * 200_000}}),
    "a list of 60,000 in a variable": Hostile(
        ENROLL, "list_argument", {"i": {"externalId": "x", "identifiers": ["a"] * 60_000}}
    ),
    "an input that holds itself": Hostile(ENROLL, "BAD_USER_INPUT", {"i": _deep(28)}),
    "lines of a basket without number": Hostile(
        RECORD, "list_argument", {"i": {"lines": [{"amount": "1"}] * 5_000}}
    ),
    "unknown keys of an input": Hostile(
        BY, "BAD_USER_INPUT", {"by": {f"k{n}": n for n in range(15_000)}}
    ),
    "JSON nested in lists": Hostile(
        "", "BAD_REQUEST", raw=b'{"query": "{ x }", "variables": {"a": ' + b"[" * 200_000
    ),
    "JSON nested in objects": Hostile(
        "",
        "BAD_REQUEST",
        raw=b'{"query": "{ x }", "variables": ' + b'{"a":' * 40_000 + b"1" + b"}" * 40_001,
    ),
    "JSON of brackets in strings": Hostile(
        "", "BAD_REQUEST", raw=b'{"query": "' + b'[{\\"' * 60_000
    ),
    "JSON with one key 15,000 times": Hostile(
        "",
        "BAD_REQUEST",
        raw=b'{"query": 1' + b', "query": "x"' * 15_000 + b', "query": 1}',
    ),
    "an array of requests": Hostile(
        "",
        "BAD_REQUEST",
        raw=b"[" + b",".join([b'{"query": "{ viewer { subject } }"}'] * 5_000) + b"]",
    ),
    "a number beyond all bounds in a variable": Hostile(BATCH, "BAD_USER_INPUT", {"i": 10**18}),
}
PAGES: dict[str, Hostile] = {
    "a page of a million": Hostile("{ members(first: 1000000) { edges { cursor } } }", "page"),
    "a page of less than nothing": Hostile("{ members(last: -1) { edges { cursor } } }", "page"),
    "pages within pages": Hostile(
        MEMBERS % 'statement(unit: "points", first: 100) { edges { node { cause } } }', "cost"
    ),
    "a cursor of 60 KB": Hostile(
        '{ members(after: "' + "A" * 60_000 + '") { edges { cursor } } }', "text"
    ),
    "a cursor that was made up": Hostile(
        'query { members(after: "' + "A" * 4_000 + '") { edges { cursor } } }', "BAD_USER_INPUT"
    ),
    "introspection ten times": Hostile(
        "{" + _many("s#: __schema { types { name } }", 10) + "}", "cost"
    ),
    "introspection of everything, twice": Hostile(
        get_introspection_query(descriptions=True).replace(
            "__schema {", "t: __schema { types { ...FullType } } __schema {", 1
        ),
        "cost",
    ),
}
HOSTILE: dict[str, Hostile] = {**DEPTH, **FRAGMENTS, **BREADTH, **VALUES, **PAGES}
