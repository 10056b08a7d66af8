"""What a schema can ask for, case by case: the compiled and the stock executor agree."""

import asyncio
import gc
from typing import Any

import pytest
from graphql import parse, validate

from compiled_graphql import Compiled, Engine
from tests.compiled.both import by_stock, outcome
from tests.compiled.kitchen import Context, made

SCHEMA = made()
# Who is cancelled before a task of theirs began leaves a coroutine that nobody awaits.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
FORM = '{name: "n"}'

CASES: list[tuple[str, dict[str, Any]]] = [
    ("query($f: Form!) { form(form: $f) b: form(form: $f, also: $f) }", {"f": {"name": "n"}}),
    (
        "query($f: Form!) { form(form: $f) lateForm(form: $f) }",
        {"f": {"name": "n", "count": None, "colour": "RED", "inner": None, "many": [{}],
               "maybe": None, "sure": 3, "day": "2026-03-01"}},
    ),
    ("query($f: Form!) { form(form: $f) lateForm(form: $f) }", {"f": {"name": "n", "sure": None}}),
    ("query($f: Form!) { form(form: $f) }", {"f": {"name": "n", "odd": 1, "colour": "NONE"}}),
    ("query($f: Form) { lateForm(form: $f) }", {}),
    ("query($f: Form) { lateForm(form: $f) }", {"f": None}),
    ('query($f: Form = {name: "d"}) { lateForm(form: $f) }', {}),
    (f"{{ form(form: {FORM}) lateForm b: form(form: {FORM}, also: {FORM}) }}", {}),
    ("query($n: String!, $c: Int) { form(form: {name: $n, count: $c}) }", {"n": "n"}),
    ("query($n: String!, $c: Int) { form(form: {name: $n, count: $c}) }", {"n": "n", "c": None}),
    ('query($n: String = "d") { form(form: {name: $n}) }', {"n": None}),
    ("query($m: [Inner!]) { form(form: {name: \"n\", many: $m}) }", {"m": [{"text": "t"}]}),
    ("query($t: Tree!) { tree(tree: $t) }", {"t": {"name": "a", "below": [{"name": "b"}]}}),
    ("query($w: Which!) { which(which: $w) }", {"w": {"name": "n"}}),
    ("query($w: Which!) { which(which: $w) }", {"w": {"name": "n", "number": 1}}),
    ("query($w: Which!) { which(which: $w) }", {"w": {"number": None}}),
    ("query($n: Int!) { which(which: {number: $n}) }", {"n": 3}),
    ("query($g: Refusing!) { refusing(given: $g) }", {"g": {"name": "no"}}),
    ("query($g: Refusing!) { refusing(given: $g) b: refusing(given: $g) }", {"g": {"name": "y"}}),
    ("query($i: ID!) { globalId(id: $i) }", {"i": "VXNlcjox"}),
    ("query($i: ID!) { globalId(id: $i) }", {"i": "nonsense"}),
    ("query($n: Int, $t: String) { optional(number: $n, text: $t) }", {}),
    ("query($n: Int, $t: String) { optional(number: $n, text: $t) }", {"n": None, "t": None}),
    ("query($n: Int = 4) { optional(number: $n) b: optional c: optional(text: \"x\") }", {}),
    ("query($i: [ID!]!, $f: [Boolean]) { ids(ids: $i, flags: $f) }", {"i": ["a", 7], "f": [None]}),
    ("query($i: [ID!]!) { ids(ids: $i) }", {"i": "single"}),
    ("query($i: ID!) { ids(ids: [$i, \"b\"]) b: ids(ids: $j) }".replace("$j", '"c"'), {"i": "a"}),
    ("{ forbidden }", {}),
    ('{ loud(word: "quiet") cats { name } }', {}),
    ("query($w: String!) { loud(word: $w) }", {"w": "quiet"}),
    ("{ pets { __typename ... on Cat { name lives } ... on Dog { name barks owner } } }", {}),
    ("{ named { __typename name ... on Dog { barks } } }", {}),
    ("{ named(wrong: true) { name } }", {}),
    ("{ cast { __typename name ... on Cat { lives } } }", {}),
    ("{ numbers { holds __typename } texts { holds } }", {}),
    ("{ plain { name } b: plain(good: false) { name } }", {}),
    ("{ colours }", {}),
    ("{ stream instant }", {}),
    ("{ hidden cats { lives } }", {}),
    ("{ cats { name kittens { name lives kittens(first: 1) { lives } } } }", {}),
    ("{ cats { ...F kittens { ...F } } } fragment F on Cat { n: name l: lives ...G } "
     "fragment G on Named { name }", {}),
    ("query($s: Boolean!, $i: Boolean = true) { cats { name @skip(if: $s) lives @include(if: $i) } "
     "... @include(if: $s) { instant } }", {"s": False}),
    ("query($s: Boolean!) { cats { name @skip(if: $s) lives } }", {"s": True}),
    ("{ a: slow(ticks: 1) b: slow(ticks: 3) c: slow(ticks: 2, fails: true) d: slow(ticks: 9) }",
     {}),
    ("query($a: Int!, $b: Int!) { slow(ticks: $a) b: slow(ticks: $b) }", {"a": "x", "b": 1.5}),
    ('mutation { a: wait(name: "a", ticks: 3) b: atOnce(name: "b") c: wait(name: "c") }', {}),
    ('mutation { a: wait(name: "a") b: maybe(fails: true) c: atOnce(name: "fails") '
     'd: wait(name: "d") }', {}),
    ('mutation M($n: String!) { __typename atOnce(name: $n) }', {"n": "m"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "variables"), CASES)
async def test_both_agree(text: str, variables: dict[str, Any]) -> None:
    document = parse(text)
    assert validate(SCHEMA._schema, document) == []
    compiled = compile_(text, variables)
    theirs = Context()
    stock = outcome(await by_stock(SCHEMA, document, variables, theirs), theirs.log)
    for _ in range(2):
        ours = Context()
        found = outcome(await compiled(variables, ours, None), ours.log)
        await asyncio.sleep(0)
        assert found == stock


async def test_more_mistakes_than_are_told() -> None:
    """Beyond 50 mistakes in the variables both say the same, and stop."""
    text = "query(" + ", ".join(f"$v{n}: Int!" for n in range(60)) + ") { "
    text += " ".join(f"a{n}: slow(ticks: $v{n})" for n in range(60)) + " }"
    variables = {f"v{n}": "wrong" for n in range(60)}
    stock = await by_stock(SCHEMA, parse(text), variables, Context())
    ours = await compile_(text, variables)(variables, Context(), None)
    assert outcome(ours, []) == outcome(stock, [])
    assert len(ours.errors or ()) == 51


@pytest.mark.parametrize("ticks", range(5))
async def test_who_stops_waiting_cancels_the_same(ticks: int) -> None:
    text = "{ a: slow(ticks: 2) b: slow(ticks: 4) cats { kittens { kittens { name } } } }"
    logs = []
    compiled = compile_(text, {})
    for is_stock in (True, False):
        context = Context()
        under_way = (
            by_stock(SCHEMA, parse(text), {}, context) if is_stock else compiled({}, context, None)
        )
        task = asyncio.ensure_future(under_way)
        for _ in range(ticks):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(10):
            await asyncio.sleep(0)
        logs.append(context.log)
        gc.collect()
    assert logs[0] == logs[1]


def compile_(text: str, variables: dict[str, Any]) -> Compiled:
    engine, document = Engine(SCHEMA), parse(text)
    engine.find(text, document, None, variables)
    found = engine.find(text, document, None, variables)
    assert isinstance(found, Compiled), found
    return found
