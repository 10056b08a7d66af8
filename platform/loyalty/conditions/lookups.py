"""The keys that a condition looks up in the entries of a list, where they are known.

To the library an entry is a map with any keys: a mistyped one would be a fault only when somebody
buys, and then each time. What cannot be told by the words alone passes: an entry in brackets, one
that `map` made, a variable that goes by the word of a name.
"""

from collections.abc import Iterator, Mapping, Sequence

from loyalty.conditions.brackets import LOOPS, Bracket, brackets
from loyalty.conditions.failures import no_key
from loyalty.conditions.fault import ConditionFault
from loyalty.conditions.mentions import asked_for, looked_up, placed
from loyalty.conditions.name import Entries, Name
from loyalty.conditions.tokens import Kind, Token

_BEHIND = frozenset({")", "]", "}", ",", ":", "?", "&&", "||"})
"""Signs before which an expression ends that `in` looks into."""


def check(source: str, tokens: Sequence[Token], names: Mapping[str, Name]) -> None:
    """The condition is valid CEL.

    :raises ConditionFault: it looks up a key that no entry has; the first of them
    """
    for at, key, entries in sorted(_found(tokens, names)):
        if key not in entries.keys:
            raise ConditionFault(no_key(key, *entries), source, tokens[at].start)


def _found(
    tokens: Sequence[Token], names: Mapping[str, Name]
) -> Iterator[tuple[int, str, Entries]]:
    """The place of each key, the key, and whose it is."""
    text = _Text(tokens, frozenset(name.split(".")[0] for name in names))
    for index, end, mention in placed(tokens, names):
        entries = names[mention.name].entries
        if entries is not None and tokens[index].text not in text.variables:
            for at, key in text.of_list(index, end):
                yield at, key, entries


class _Text:
    """The tokens of a condition with its brackets, and the first words of the names it may use."""

    def __init__(self, tokens: Sequence[Token], taken: frozenset[str]) -> None:
        self._tokens = tokens
        self._taken = taken
        self._opened = {bracket.first: bracket for bracket in brackets(tokens)}
        self.variables = dict[str, list[Bracket]]()
        for bracket in self._opened.values():
            if (variable := self._variable(bracket)) is not None:
                self.variables.setdefault(variable, []).append(bracket)

    def of_list(self, index: int, end: int) -> Iterator[tuple[int, str]]:
        """The keys with their places that are looked up in entries of the list that begins at
        `index` and ends before `end`."""
        while end + 2 < len(self._tokens):
            sign, word = self._tokens[end].text, self._tokens[end + 1].text
            if sign == "[":
                yield from self._of_entry(index, self._opened[end].last + 1)
            if sign != "." or word not in LOOPS:
                return
            loop = self._opened[end + 2]
            yield from self._of_loop(loop)
            if word != "filter":
                return
            end = loop.last + 1  # what it lets through are entries as well

    def _of_loop(self, loop: Bracket) -> Iterator[tuple[int, str]]:
        variable = self._variable(loop)
        if variable is None or variable in self._taken:
            return
        inner = [one for one in self.variables[variable] if loop.first < one.first < loop.last]
        for at in range(loop.first + 1, loop.last):
            if self._tokens[at].text != variable or self._tokens[at - 1].text == ".":
                continue
            if not any(one.first < at < one.last for one in inner):
                yield from self._of_entry(at, at + 1)

    def _of_entry(self, index: int, end: int) -> Iterator[tuple[int, str]]:
        if path := looked_up(self._tokens, end):
            yield end + 1, path[0]
        elif end == len(self._tokens) or self._tokens[end].text in _BEHIND:
            for key in asked_for(self._tokens, index):
                yield index - 2, key

    def _variable(self, bracket: Bracket) -> str | None:
        """What a bracket may give a name to: the word before its first comma, `l` or `(l)`."""
        at = bracket.first
        while self._tokens[at].text == "(":
            at += 1
        word, at = self._tokens[at], at + 1
        while at < bracket.last and self._tokens[at].text == ")":
            at += 1
        return word.text if word.kind is Kind.NAME and self._tokens[at].text == "," else None
