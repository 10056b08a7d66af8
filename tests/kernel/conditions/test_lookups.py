"""A key that no line has is told of a draft; what was saved is read as before."""

from itertools import count

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from loyalty.conditions import ACTIVITY, PURCHASE, ConditionFault, compiled, drafts
from loyalty.conditions.purchase import LINE, lines
from loyalty.conditions.scene import Scene
from tests.kernel.conditions.scenes import NOON, a_purchase, a_view, of_purchase
from tests.kernel.conditions.test_parts import CONDITIONS

ALL = "it has " + ", ".join(LINE.keys)


def draft(source: str) -> None:
    with drafts():
        compiled(source, PURCHASE, currency="EUR")


def refused(source: str) -> ConditionFault:
    with pytest.raises(ConditionFault) as caught:
        draft(source)
    return caught.value


def test_a_line_has_the_keys_that_are_told_of_it() -> None:
    (name,) = (name for name in PURCHASE.names if name.entries is not None)
    assert (name.name, name.read, name.entries) == ("purchase.lines", lines, LINE)
    written = lines(Scene(at=NOON, view=a_view(), fact=a_purchase()))
    assert [tuple(line) for line in written] == [LINE.keys] * 3
    assert name.description.startswith("The lines: id, kind, sku, category, brand, quantity, amou")


@pytest.mark.parametrize(
    ("source", "key", "hint"),
    [
        ("purchase.lines.exists(l, l.ammount > 5)", "ammount", "did you mean amount?"),
        ("purchase.lines.all(l, l.Category == 'x')", "Category", "did you mean category?"),
        ("purchase.lines.exists_one(l, l['nett'] > 5)", "nett", "did you mean net?"),
        ("purchase.lines.filter(l, has(l.brnd)).size() > 1", "brnd", "did you mean brand?"),
        ("purchase.lines.map(l, l.price).size() > 1", "price", ALL),
        ("purchase.lines.map(l, l.sku == 'a', l.prize)[0] == 1", "prize", ALL),
        ("purchase.lines.exists(l, 'organic' in l)", "organic", ALL),
        ("purchase.lines.exists(l, true && ('organic' in l || true))", "organic", ALL),
        ("purchase.lines.exists(l, l.atributes.season == 'x')", "atributes",
         "did you mean attributes?"),
        ("purchase.lines.filter(l, l.net > 5).filter(m, m.quantity > 1.0).exists(n, n.skuu == 'a')",
         "skuu", "did you mean sku?"),
        ("purchase.lines.filter(l, l.nett > 5).exists(m, m.skuu == 'a')", "nett",
         "did you mean net?"),
        ("purchase.lines[0].skus == 'a'", "skus", "did you mean sku?"),
        ("purchase.lines[size(purchase.lines) - 1]['skus'] == 'a'", "skus", "did you mean sku?"),
        ("purchase.lines.filter(l, l.net > 5)[0].skus == 'a'", "skus", "did you mean sku?"),
        ("'skus' in purchase.lines[0]", "skus", "did you mean sku?"),
        ("true || 'skus' in .purchase.lines[0] || has(.purchase.lines[0].skuu)", "skuu",
         "did you mean sku?"),
        ("purchase.lines.exists(l, purchase.lines.exists(m, m.sku == l.skus))", "skus",
         "did you mean sku?"),
        ("purchase.lines.exists(l, purchase.lines.exists(l, l.skus == 'a'))", "skus",
         "did you mean sku?"),
        ("purchase.lines.exists(l, l.skus.exists(l, l == 'a'))", "skus", "did you mean sku?"),
        ("purchase.lines.exists(l, {'a': l.skus}.a == 'a')", "skus", "did you mean sku?"),
        ("purchase . lines // all\n . exists ( l , l . skus == 'a' )", "skus",
         "did you mean sku?"),
        ("amount('25.00') > 0 && purchase.lines.exists(l, l.`skus` == 'a')", "skus",
         "did you mean sku?"),
    ],
)  # fmt: skip
def test_a_key_that_no_line_has(source: str, key: str, hint: str) -> None:
    compiled(source, PURCHASE, currency="EUR")
    fault = refused(source)
    assert fault.message == f'a line has no "{key}": {hint}'
    shown, caret = fault.excerpt.split("\n")
    assert shown[len(caret) - 1 :].strip("'`").startswith(key)


def test_the_caret_stands_under_the_key() -> None:
    assert str(refused("true &&\n  purchase.lines.exists(l, l.ammount > 5)")) == (
        'a line has no "ammount": did you mean amount? (line 2, column 30)\n'
        "  purchase.lines.exists(l, l.ammount > 5)\n"
        "                             ^"
    )


@pytest.mark.parametrize(
    "source",
    [
        "purchase.lines.exists(l, l.attributes.season == 'x' || 'x' in l.attributes)",
        "purchase.lines.exists(l, l.attributes['season']['x'] == 'x')",
        "purchase.lines[0].attributes.season == 'x'",
        "purchase.lines.map(l, l.attributes).exists(a, a.season == 'x')",
        "purchase.lines.map(l, l.net).exists(l, l.skus == 1)",
        "purchase.lines.map(l, l)[0].skus == 1",
        "purchase.lines.exists(l, l.attributes.list.exists(l, l.skus == 'a'))",
        "purchase.lines.exists(l, [{'a': 1}].exists(l, l.a == 1) && l.sku == 'a')",
        "purchase.lines.exists(l, l.exists(key, key == 'x'))",
        "purchase.lines.exists(l, l.map(k, k).size() > 1 && l.size() > 1)",
        "purchase.lines.exists(l, 'x' in l.map(key, key))",
        "purchase.lines.exists(l, (1 > 2 ? 'a' : 'skus') in l || l[1 > 2 ? 'a' : 'b'] == 1)",
        "purchase.lines.exists(l, '\\x73ku' in l || l['\\x73ku'] == 1)",
        "('x' + 'skus') in purchase.lines[0] || 'x' + 'skus' in purchase.lines[0]",
        "purchase.lines.exists(l, l.attributes.list.exists((l), l.a == 1))",
        "purchase.lines.exists(l, [{'l': {'skus': 1}}].exists(m, m.l.skus == 1))",
        "purchase.lines.exists(at, at.skus == 'a')",
        "purchase.lines.exists(member, member.ids == 'a')",
        "[{'lines': [{'a': 1}]}].exists(purchase, purchase.lines.exists(l, l.a == 1))",
        "[{'a': 1}].exists(l, l.a == 1) && purchase.lines.exists(l, l.net > 5)",
        "purchase.lines.exists(l, l.net > 5) && purchase.attributes.list.exists(l, l.a == 1)",
        "(purchase.lines + purchase.attributes.list).exists(l, l.a == 1)",
        "dyn(purchase.lines).exists(l, l.a == 1)",
        "purchase.lines == [] || purchase.lines.size() == 1",
    ],
)
def test_what_is_no_key_of_a_line_or_may_be_another_thing_passes(source: str) -> None:
    draft(source)


def test_a_key_that_no_line_has_is_read_where_it_was_saved() -> None:
    source = "purchase.lines.exists(l, l.ammount > 5)"
    for _ in range(2):  # also where it was compiled before
        verdict = of_purchase(source)
        assert (verdict.holds, verdict.fault) == (False, 'there is no "ammount"')
        assert refused(source).column == 28
    with pytest.raises(ConditionFault, match=r"no name purchase\.lines"), drafts():
        compiled(source, ACTIVITY, currency=None)


@given(CONDITIONS)
def test_whatever_may_be_saved_without_lines_may_be_a_draft(source: str) -> None:
    try:
        compiled(source, PURCHASE, currency="EUR")
    except ConditionFault:
        assume(False)
    draft(source)


_FORMS = (
    "{0}.{1} == 1", '{0}["{1}"] == 1', "has({0}.{1})", '"{1}" in {0}', '!("{1}" in {0})',
    "{0}.{1}.x > 2", '({0}.{1} == "x" || 1 > 2)', "{{'a': {0}.{1}}}.a == 1", "[{0}.{1}] == []",
)  # fmt: skip
_RANGES = {
    "purchase.lines": True, "purchase.lines.filter(l, l.net > 0)": True, ".purchase.lines": True,
    "purchase.lines.filter(m, m.attributes.x == 1).filter(n, true)": True,
    "purchase.lines.map(l, l.attributes)": False, "purchase.lines.map(m, m)": False,
    "purchase.attributes.list": False, "dyn(1 > 2 ? [purchase.total] : [])": False,
}  # fmt: skip


@st.composite
def _texts(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A condition with loops in loops, and the keys in it that no line has."""
    odd, numbers = list[str](), count()

    def term(variable: str, forms: tuple[str, ...], *, of_line: bool) -> str:
        key = draw(st.sampled_from((*LINE.keys[:3], "attributes", "")))
        if not key:
            key = f"odd{next(numbers)}"
            odd.extend([key] if of_line else [])
        return draw(st.sampled_from(forms)).format(variable, key)

    def loop(scope: dict[str, bool], depth: int) -> str:
        over, variable = (
            draw(st.sampled_from([*_RANGES])),
            draw(st.sampled_from(["l", "m", "at", "(l)"])),
        )
        if depth and "[" in over:
            over = "purchase.lines"
        # A variable that goes by the word of a name is never sure.
        inside = {**scope, variable.strip("()"): _RANGES[over] and variable != "at"}
        terms = [
            term(one, _FORMS, of_line=inside[one])
            for one in draw(st.lists(st.sampled_from([*inside]), min_size=1, max_size=2))
        ]
        if depth == 0:
            terms += [loop(inside, 1) for _ in range(draw(st.integers(0, 2)))]
        terms = draw(st.permutations(terms))
        macro = draw(st.sampled_from(["exists", "all", "exists_one"]))
        return f"{over}.{macro}({variable}, {' && '.join(terms)})"

    parts = [loop({}, 0) for _ in range(draw(st.integers(1, 2)))]
    if draw(st.booleans()):
        parts.append(term("purchase.lines[0]", _FORMS[:-2], of_line=True))
    return draw(st.sampled_from([" && ", " ||\n"])).join(draw(st.permutations(parts))), odd


@given(_texts())
@example(("purchase.lines.all(l, purchase.lines.all(m, m.odd0 == 1) && l.odd1 > 1)",
          ["odd0", "odd1"]))  # fmt: skip
def test_the_first_key_that_no_line_has_is_told_and_nothing_else_is(
    given: tuple[str, list[str]],
) -> None:
    source, odd = given
    compiled(source, PURCHASE, currency="EUR")
    if not odd:
        draft(source)
        return
    places = {source.index(key): key for key in odd}
    fault = refused(source)
    assert fault.message.startswith(f'a line has no "{places[min(places)]}": it has id, ')
    begun = source.split("\n")[fault.line - 1][fault.column - 1 :].lstrip('"')
    assert begun.startswith(places[min(places)])
