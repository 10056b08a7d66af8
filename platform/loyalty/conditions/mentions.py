"""Which names a condition mentions, and which part of what they stand for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from loyalty.conditions.name import MAPS, Name
from loyalty.conditions.tokens import Kind, Token

_BEFORE_A_KEY = frozenset({"(", "[", "{", ",", ":", "?", "&&", "||"})


class Mention(NamedTuple):
    """A name, and the keys that are looked up in it one after the other.

    `member.attributes.address["city"]` is the name `member.attributes` with the path
    ("address", "city"); `"vip" in member.attributes` has the path ("vip",). A name that is taken as
    a whole has none.
    """

    name: str
    path: tuple[str, ...]

    @property
    def text(self) -> str:
        return self.name + "".join(f'["{key}"]' if "." in key else f".{key}" for key in self.path)


def mentions(tokens: Sequence[Token], known: Mapping[str, Name]) -> list[Mention]:
    """Each mention of a known name once, in the order of the text.

    A variable of a loop that goes by the first word of a name is taken for it: that reads a name
    for nothing and changes no verdict.
    """
    return list(dict.fromkeys(mention for _, _, mention in placed(tokens, known)))


def chain(tokens: Sequence[Token], index: int) -> list[str]:
    """The words from a place on that hang together by points: `purchase.total` and what follows."""
    words = [tokens[index].text]
    while index + 2 < len(tokens) and tokens[index + 1].text == ".":
        if tokens[index + 2].kind is not Kind.NAME:
            break
        words.append(tokens[index + 2].text.strip("`"))
        index += 2
    return words


def placed(
    tokens: Sequence[Token], known: Mapping[str, Name]
) -> Iterator[tuple[int, int, Mention]]:
    """Each mention of a known name with its first token, and the first one behind the name."""
    for index, token in enumerate(tokens):
        if token.kind is not Kind.NAME or (index > 1 and _continues(tokens, index)):
            continue
        words = chain(tokens, index)
        for count in range(len(words), 0, -1):
            name = ".".join(words[:count])
            if name in known:
                end = index + 2 * count - 1
                path = looked_up(tokens, end)
                if not path and known[name].type in MAPS:
                    path = asked_for(tokens, index)
                yield index, end, Mention(name, path)
                break


def _continues(tokens: Sequence[Token], index: int) -> bool:
    """Whether a word belongs to what is before it; `.purchase.total` only begins with a point."""
    before, left = tokens[index - 1], tokens[index - 2]
    if before.text != "." or left.text == "in":
        return False
    return left.kind is not Kind.SIGN or left.text in (")", "]", "}")


def looked_up(tokens: Sequence[Token], at: int) -> tuple[str, ...]:
    """The keys that are looked up in what ends before a place."""
    keys: list[str] = []
    while at + 1 < len(tokens):
        sign, key = tokens[at], tokens[at + 1]
        if sign.text == "." and key.kind is Kind.NAME:
            if at + 2 < len(tokens) and tokens[at + 2].text == "(":
                break  # a function of what was read so far
            keys.append(key.text.strip("`"))
            at += 2
        elif sign.text == "[" and key.value is not None and _closes(tokens, at + 2):
            keys.append(key.value)
            at += 3
        else:
            break
    return tuple(keys)


def asked_for(tokens: Sequence[Token], index: int) -> tuple[str, ...]:
    """The key of `"key" in name`."""
    if index < 2 or tokens[index - 1].text != "in":
        return ()
    if index > 2 and tokens[index - 3].text not in _BEFORE_A_KEY:
        return ()  # the text is only the end of what is asked for
    key = tokens[index - 2].value
    return () if key is None else (key,)


def _closes(tokens: Sequence[Token], at: int) -> bool:
    return at < len(tokens) and tokens[at].text == "]"
