"""Rows: what a batch says several times of one thing it says once, as its last word."""

from loyalty.ledger.rows import ROW_FIELDS, Rows

JUNE_AND_JULY = [("a", "l", "f", "june", "may", "t"), ("a", "l", "f", "july", "june", "t")]


def sent(rows: Rows, name: str) -> list[object]:
    return list(rows.arguments()[ROW_FIELDS.index(name)])


def test_counters_of_one_bucket_are_added_up() -> None:
    rows = Rows(counters=[("n", "m", "day 1", 2), ("n", "m", "day 2", 5), ("n", "m", "day 1", 3)])

    assert sent(rows, "counters") == [("n", "m", "day 1", 5), ("n", "m", "day 2", 5)]


def test_two_uses_of_a_lot_by_one_fact_are_one() -> None:
    rows = Rows(uses=[("a", "l", "f", "TAKE_BACK", 2, "t"), ("a", "l", "f", "TAKE_BACK", 3, "t")])

    assert sent(rows, "uses") == [("a", "l", "f", "TAKE_BACK", 5, "t")]


def test_the_last_term_of_a_fact_stands_over_the_one_before_the_fact() -> None:
    rows = Rows(terms=[(*row, None, None) for row in JUNE_AND_JULY])

    assert sent(rows, "terms") == [("a", "l", "f", "july", "may", "t")]


def test_terms_of_different_facts_are_all_kept_in_their_order() -> None:
    terms = [("a", "l", "f1", "june", "may", "t"), ("a", "l", "f2", "july", "june", "t")]
    rows = Rows(terms=[(*row, None, None) for row in terms])

    assert sent(rows, "terms") == terms
    assert rows.given_terms() == []


def test_where_one_term_moves_a_beginning_all_go_one_way_in_their_order() -> None:
    rows = Rows(
        terms=[
            ("a", "l", "f1", "june", "may", "t", None, None),
            ("a", "l", "f2", "july", "june", "t", "today", "never"),
            ("a", "l", "f2", "august", "july", "t", None, None),
        ]
    )

    assert sent(rows, "terms") == []
    assert rows.given_terms() == [
        ("a", "l", "f1", "june", "may", "t", None, None),
        ("a", "l", "f2", "august", "june", "t", "today", "never"),
    ]


def test_a_trait_set_twice_by_one_fact_has_its_last_value() -> None:
    rows = Rows(
        traits=[("m", "tier", "f", "silver", "s", None), ("m", "tier", "f", "gold", "s", 1)]
    )

    assert sent(rows, "traits") == [("m", "tier", "f", "gold", "s", 1)]


def test_a_redemption_is_sent_as_it_ended() -> None:
    rows = Rows(redemptions=[("r", "HELD"), ("other", "HELD"), ("r", "CAPTURED")])

    assert sent(rows, "redemptions") == [("r", "CAPTURED"), ("other", "HELD")]
