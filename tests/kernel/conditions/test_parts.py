"""A condition is cut where it can be cut: at the `&&` outside of brackets, texts and comments."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loyalty.conditions import PURCHASE, ConditionFault, compiled
from tests.kernel.conditions.scenes import of_purchase


def parts_of(source: str) -> tuple[str, ...]:
    return compiled(source, PURCHASE, currency="EUR").parts


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("true && 1 < 2", ("true", "1 < 2")),
        ("  true&&true &&\n  // why && how\n  false  // the end && all", ("true", "true", "false")),
        ("(true && false) && true", ("(true && false)", "true")),
        ("(true && false)", ("(true && false)",)),
        ("true && true || false", ("true && true || false",)),
        ("true && true ? false : true", ("true && true ? false : true",)),
        ("true && (true || false)", ("true", "(true || false)")),
        ("[true && true][0] && true", ("[true && true][0]", "true")),
        ("{'a': true && true}['a'] && true", ("{'a': true && true}['a']", "true")),
        ("'a && b' == \"c && d\" && true", ("'a && b' == \"c && d\"", "true")),
        ("'it\\'s && so' != '' && true", ("'it\\'s && so' != ''", "true")),
        (r"r'\d && ' != '' && true", (r"r'\d && ' != ''", "true")),
        (r'R"\d && " == "x" && true', (r'R"\d && " == "x"', "true")),
        ("'''a\n'' && b''' != '' && true", ("'''a\n'' && b''' != ''", "true")),
        ('"""a " && "" b""" != "" && true', ('"""a " && "" b""" != ""', "true")),
        ("r'''\\d'' && ''' != '' && true", ("r'''\\d'' && ''' != ''", "true")),
        ("b'a && b' != b'' && true", ("b'a && b' != b''", "true")),
        ("'// no comment' != '' && true", ("'// no comment' != ''", "true")),
        ("'' == '' && \"\" == \"\" && ')' != '('", ("'' == ''", '"" == ""', "')' != '('")),
        (
            "purchase.skus.all(s, s != '' && s != 'a') && true",
            ("purchase.skus.all(s, s != '' && s != 'a')", "true"),
        ),
    ],
)
def test_where_a_condition_is_cut(source: str, parts: tuple[str, ...]) -> None:
    assert parts_of(source) == parts


_LEAVES = (
    "true", "false", "local.hour == 12", "local.hour < 3", 'purchase.attributes.nothing == "x"',
    "'a && b' == 'a && b'", r'r"\d" == "&&"', "'''&& '' ||''' != ''", "purchase.total / 0 > 1",
    'purchase.total >= amount("25.00")', '"mug" in purchase.skus', "purchase.attributes.guests",
    "purchase.skus.exists(s, s == 'mug' && s != 'x')", "[1, 2][0] == 1", "{'a': 1}.a == 1",
    '"""(""" == "("', "!false", "purchase.attributes.store.x == 1",
)  # fmt: skip
_SPACES = st.sampled_from(("", " ", "\n", " // && a ? b : c\n", "\t"))


def _joined(deeper: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    sign = st.sampled_from(("&&", "&&", "||"))
    two = st.builds("{} {}{}{} {}".format, deeper, _SPACES, sign, _SPACES, deeper)
    choice = st.builds("({} ? {} : {})".format, deeper, deeper, deeper)
    return st.one_of(two, st.builds("({})".format, deeper), choice)


_SIMPLER = st.recursive(st.sampled_from(_LEAVES), _joined, max_leaves=8)
CONDITIONS = st.one_of(
    _SIMPLER, st.builds("{} && {} ? {} : {}".format, _SIMPLER, _SIMPLER, _SIMPLER, _SIMPLER)
)


@given(CONDITIONS)
def test_all_parts_together_are_the_whole(source: str) -> None:
    """Whatever is cut how: the conjunction of the parts is what the whole says."""
    try:
        compiled(source, PURCHASE, currency="EUR")
    except ConditionFault as fault:
        assume("may be anything" not in fault.message)  # some of the leaves alone
        raise
    whole, parts = of_purchase(source), parts_of(source)
    alone = [of_purchase(f"({part}\n) && true") for part in parts]
    if any(not one.holds and one.fault is None for one in alone):
        assert (whole.holds, whole.fault) == (False, None)
        first = next(n for n, one in enumerate(alone) if not one.holds and one.fault is None)
        assert whole.failed == parts[first]
    elif any(one.fault for one in alone):
        assert whole.fault is not None
        assert not whole.holds
        assert whole.failed == next(p for p, one in zip(parts, alone, strict=True) if one.fault)
    else:
        assert (whole.holds, whole.failed) == (True, None)
