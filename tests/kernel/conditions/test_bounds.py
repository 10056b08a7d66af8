"""No condition takes long, whatever it says and however large the purchase is."""

from dataclasses import replace

import pytest

from loyalty.conditions import PURCHASE, ConditionFault, compiled
from tests.kernel.conditions.scenes import LINES, a_purchase, of_purchase

LARGE = a_purchase(
    lines=tuple(
        replace(LINES[0], id=str(n), sku=f"sku-{n:04}", category=f"a/b/c/d/{n}", brand=f"b{n}")
        for n in range(500)
    ),
    attributes={"note": "x" * 4_000, "list": [f"{n:040}" for n in range(90)]},
)


@pytest.mark.parametrize(
    ("source", "message", "column"),
    [
        (
            "purchase.skus.all(a, purchase.skus.all(b, purchase.skus.all(c, a == b)))",
            "loops are nested at most 2 deep", 57,
        ),
        (
            "[[[1]]].all(a, a.all(b, b.all(c, c == 1)))",
            "loops are nested at most 2 deep", 27,
        ),
        (
            "purchase.skus.all(a, " + " || ".join(["a == 'x'"] * 60) + ")",
            "a loop has at most 200 words and signs", 15,
        ),
        (
            "purchase.skus.all(a, purchase.brands.all(b, " + "||".join(["a == b"] * 15) + "))",
            "a loop in a loop has at most 50 words and signs", 38,
        ),
        (
            'purchase.skus.all(a, a + "x" != "")',
            "a loop adds numbers only: write int(l.net) + int(l.tax) of what it takes", 24,
        ),
        (
            "purchase.lines.exists(l, l.net + l.tax > 5)",
            "a loop adds numbers only: write int(l.net) + int(l.tax) of what it takes", 32,
        ),
        (
            "purchase.brands.all(a, a in purchase.skus)",
            "beside a loop purchase.skus can only be looped over itself", 29,
        ),
        (
            "[purchase.lines].all(a, a == a)",
            "beside a loop purchase.lines can only be looped over itself", 2,
        ),
        (
            "{1: purchase.lines}.all(a, a == a)",
            "beside a loop purchase.lines can only be looped over itself", 5,
        ),
        (
            "purchase.skus.all(s, s.matches(s))",
            'write the pattern of matches as one text in quotes, such as "^A[0-9]+$"', 24,
        ),
        (
            'purchase.source.matches("a" + "b")',
            'write the pattern of matches as one text in quotes, such as "^A[0-9]+$"', 17,
        ),
        (
            'purchase.skus.all(s, purchase.brands.all(b, b.matches("a")))',
            "matches does not go into a loop in a loop", 47,
        ),
        (
            f'purchase.source.matches("{"a" * 99}")', "a pattern has at most 100 characters", 25,
        ),
        (
            'matches(purchase.source, "(a{5}){5}")', "a pattern repeats at most 20 times in all",
            26,
        ),
        (
            'purchase.source.matches("a{1,}b{10}c{2,10}")',
            "a pattern repeats at most 20 times in all", 25,
        ),
        (
            r"purchase.source.matches(r'\pL+')",
            "write the letters of a pattern as a range, such as [a-z]", 25,
        ),
        (
            " || ".join(['purchase.source.matches("a")'] * 6),
            "a condition has at most 3 patterns", 113,
        ),
    ],
)  # fmt: skip
def test_what_goes_beyond_a_bound_is_refused(source: str, message: str, column: int) -> None:
    with pytest.raises(ConditionFault) as caught:
        compiled(source, PURCHASE, currency="EUR")
    assert (caught.value.message, caught.value.column) == (message, column)


@pytest.mark.parametrize(
    "source",
    [
        "purchase.lines.exists(l, int(l.net) + int(l.tax) == 1100)",
        'purchase.source + "x" == "tillx" && purchase.lines.all(l, l.net > 0)',
        "purchase.skus.exists(s, purchase.brands.exists(b, s != b))",
        "purchase.skus.exists(s, s in member.attributes || purchase.skus.size() == 2)",
        'purchase.skus[0] == "tea-1" && purchase.brands.all(b, b != "")',
        'purchase.skus.exists(s, s.matches("^tea-[0-9]{1,3}$"))',
        'purchase.source in ["till"] && [1, 2].exists(n, n == 2)',
        'size(purchase.skus) == 2 && matches(purchase.source, "^(till|web)$")',
        "[purchase.skus, purchase.brands][0] == purchase.skus",
    ],
)
def test_what_is_within_the_bounds_holds(source: str) -> None:
    verdict = of_purchase(source)
    assert verdict.holds, verdict.words()


TOO_MUCH = "it looks at more than a condition may"


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("purchase.lines.all(a, " + " && ".join(["a == a"] * 49) + ")", None),
        ("purchase.skus.all(s, " + "||".join(["s.matches('.{20}a')"] * 3) + " || true)", None),
        (" && ".join(['"a/b" in purchase.categories'] * 100), None),
        ("purchase.attributes.list.all(a, a.contains(purchase.attributes.note) || true)", None),
        ("+".join(["purchase.attributes.note"] * 25) + " != ''", None),
        ("purchase.lines.all(a, purchase.lines.all(b, a == a && b == b))", TOO_MUCH),
        ("purchase.lines.map(a, purchase.lines.map(b, a)).size() > 1", TOO_MUCH),
        ("purchase.skus.map(a, purchase.skus.map(b, purchase.skus.size())).size() > 1", TOO_MUCH),
    ],
)
def test_the_costliest_of_all_comes_to_an_end(source: str, fault: str | None) -> None:
    verdict = of_purchase(source, LARGE)
    assert (verdict.holds, verdict.fault) == (fault is None, fault)
