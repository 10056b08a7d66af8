"""What an API key looks like, and how a mistyped one is told without a database."""

import re

import pytest

from loyalty_tenants.key_text import LENGTH, KeyText, draw_key, read_key


def test_a_drawn_key_reads_back() -> None:
    key = draw_key()
    assert re.fullmatch(r"loy_live_[a-z2-7]{16}_[0-9A-Za-z]{49}", key.text)
    assert len(key.text) == LENGTH
    assert read_key(key.text) == key
    assert len(key.hash) == 32
    assert key.secret not in repr(key)


def test_no_two_are_alike() -> None:
    drawn = [draw_key() for _ in range(1000)]
    assert len({key.prefix for key in drawn}) == len({key.secret for key in drawn}) == 1000


def test_any_one_mistyped_character_is_told() -> None:
    text = draw_key().text
    for at in range(len(text)):
        wrong = text[:at] + ("x" if text[at] != "x" else "y") + text[at + 1 :]
        assert read_key(wrong) is None


@pytest.mark.parametrize("change", [str.upper, str.strip, lambda t: t[:-1], lambda t: t + "0"])
def test_only_the_exact_text_is_a_key(change: object) -> None:
    text = KeyText("a" * 16, "0" * 43).text
    changed = change(text)  # type: ignore[operator]
    assert (read_key(changed) is not None) == (changed == text)
