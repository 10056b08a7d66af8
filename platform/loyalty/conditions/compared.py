"""The texts that a condition compares names with, so that a wrong one can be told when saved."""

from collections.abc import Iterator, Sequence

from loyalty.conditions.condition import Condition
from loyalty.conditions.mentions import placed
from loyalty.conditions.name import Name, NameType
from loyalty.conditions.tokens import Token, tokens

_EQUAL = ("==", "!=")


def compared(condition: Condition) -> Iterator[tuple[Name, str]]:
    """`name == "text"` either way round, `name in ["text", …]`, and `"text" in names`.

    What is compared with anything but a plain text in quotes is left out.
    """
    words, names = tokens(condition.source), condition.vocabulary.by_name
    for index, end, mention in placed(words, names):
        name = names[mention.name]
        if name.type is NameType.STRING and not mention.path:
            found = [*_beside(words, index, end), *_listed(words, end)]
        elif name.type is NameType.STRINGS and words[index - 1].text == "in" and index > 1:
            found = [words[index - 2]]
        else:
            continue
        yield from ((name, word.value) for word in found if word.value is not None)


def _beside(words: Sequence[Token], index: int, end: int) -> Iterator[Token]:
    if index > 1 and words[index - 1].text in _EQUAL:
        yield words[index - 2]
    if end + 1 < len(words) and words[end].text in _EQUAL:
        yield words[end + 1]


def _listed(words: Sequence[Token], end: int) -> Iterator[Token]:
    if end + 1 < len(words) and words[end].text == "in" and words[end + 1].text == "[":
        for word in words[end + 2 :]:
            if word.text == "]":
                return
            yield word
