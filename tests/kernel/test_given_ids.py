"""Which ids may be: generated texts, judged by Unicode's own categories."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.errors import Code, Refused
from loyalty.given_id import check_id

UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
# Default_Ignorable_Code_Point where the category does not tell, and the empty braille cell
IGNORABLE = {
    0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x2800, 0x3164,
    *range(0xFE00, 0xFE10), 0xFFA0, *range(0xE0100, 0xE01F0),
}  # fmt: skip


def seen(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Zs":
        return character == " "
    return category not in UNSEEN and ord(character) not in IGNORABLE


ANY = st.characters(codec=None, exclude_categories=())
LEGAL = st.characters().filter(seen)
ILLEGAL = ANY.filter(lambda character: not seen(character))


def refusal(text: str) -> Refused:
    with pytest.raises(Refused) as refused:
        check_id(text, field="externalId")
    return refused.value


def test_each_character_of_unicode_is_seen_or_is_not() -> None:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        text = f"a{character}b"
        try:
            assert check_id(text, field="x") == text
            taken = True
        except Refused:
            taken = False
        assert taken == seen(character), hex(code)


@given(st.text(LEGAL, min_size=1, max_size=200))
def test_what_is_legal_is_kept_byte_for_byte(text: str) -> None:
    if text == text.strip():
        kept = check_id(text, field="externalId")
        assert kept.encode() == text.encode()
    else:
        assert refusal(text).field == "externalId"


@given(st.text(LEGAL, max_size=20), ILLEGAL, st.text(LEGAL, max_size=20))
def test_one_character_that_is_not_seen_spoils_it(before: str, one: str, after: str) -> None:
    refused = refusal(before + one + after)
    assert (refused.code, refused.field) == (Code.BAD_USER_INPUT, "externalId")
    assert "without them" in refused.message


@pytest.mark.parametrize("text", ["", "x" * 201, " a", "a ", "\u3000a", "\ta", "a\n"])
def test_too_short_too_long_and_blanks_around(text: str) -> None:
    assert refusal(text).code is Code.BAD_USER_INPUT
