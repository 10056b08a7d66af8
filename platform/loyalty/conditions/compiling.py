"""From the text of a condition to one that can be judged; or what is wrong with it, and where."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache, partial

from cel_expr_python import cel

from loyalty.conditions import amounts, bounds, lookups
from loyalty.conditions.clause import Clause
from loyalty.conditions.condition import Condition
from loyalty.conditions.drafts import is_draft
from loyalty.conditions.failures import fault_of, no_condition
from loyalty.conditions.fault import ConditionFault
from loyalty.conditions.gathering import note
from loyalty.conditions.mentions import Mention, mentions
from loyalty.conditions.name import PLAIN, NameType, Vocabulary
from loyalty.conditions.parts import parts
from loyalty.conditions.together import Together, come_again, sum_of
from loyalty.conditions.tokens import Token, tokens
from loyalty.conditions.values import BY_KEY

LENGTH_MAX = 4_000
KEPT_MAX = 2_000  # conditions; programs keep their own besides
# Half of a character, or one that ends a text for the library.
_UNSEEN = re.compile("[\x00\ud800-\udfff]")
_T = cel.Type
_TYPES = {
    NameType.INT: _T.INT,
    NameType.AMOUNT: _T.INT,
    NameType.DOUBLE: _T.DOUBLE,
    NameType.STRING: _T.STRING,
    NameType.TIMESTAMP: _T.TIMESTAMP,
    NameType.STRINGS: _T.List(_T.STRING),
    NameType.OBJECTS: _T.List(_T.Map(_T.STRING, _T.DYN)),
    NameType.AMOUNTS: _T.Map(_T.STRING, _T.INT),
    NameType.MAP: _T.Map(_T.STRING, _T.DYN),
}


def compiled(source: str, vocabulary: Vocabulary, *, currency: str | None) -> Condition:
    """The condition that a text stands for; the same text is compiled once.

    `amount("25.00")` is read in `currency`.

    :raises ConditionFault: it is too long, no valid CEL, uses a name that there is not, is neither
        true nor false, holds a wrong amount or goes beyond the bounds of loops and patterns; of a
        draft also: it looks up a key that no entry of a list has
    """
    condition = _compiled(source, vocabulary, currency)
    if is_draft():
        lookups.check(source, tokens(source), vocabulary.by_name)
    note(condition)
    return condition


@lru_cache(maxsize=KEPT_MAX)
def _compiled(source: str, vocabulary: Vocabulary, currency: str | None) -> Condition:
    if len(source) > LENGTH_MAX:
        raise ConditionFault(f"is longer than {LENGTH_MAX} characters", source, LENGTH_MAX)
    if not source.isprintable() and (odd := _UNSEEN.search(source)) is not None:
        raise ConditionFault("holds a character that is not seen", source, odd.start())
    words = tokens(source)
    if not words:
        raise ConditionFault("says nothing", source, 0)
    text = amounts.folded(source, words, currency)
    whole = _clause(source, text, words, vocabulary, (words[0].start, words[-1].end))
    if (found := whole.program.return_type()) != _T.BOOL:
        raise ConditionFault(no_condition(found.name()), source, words[0].start)
    bounds.check(source, words, vocabulary.by_name, whole.program.serialize())
    spans = parts(words)
    return Condition(
        source=source,
        vocabulary=vocabulary,
        currency=currency,
        whole=whole,
        clauses=partial(_clauses, source, vocabulary, currency) if len(spans) > 1 else tuple,
        parts=tuple(source[start:end] for start, end in spans),
        reads=frozenset(mention.name for mention in whole.mentions),
        traits=_traits(whole, vocabulary),
    )


@lru_cache(maxsize=KEPT_MAX)
def together(conditions: tuple[Condition, ...]) -> Together | None:
    """Conditions of one vocabulary as one expression; None: it would be nested too deep."""
    vocabulary = conditions[0].vocabulary
    # A comment ends with its line.
    terms = [f"({_folded(one)}\n) ? {1 << at} : 0" for at, one in enumerate(conditions)]
    try:
        program = _environment(vocabulary).compile(sum_of(terms))
    except RuntimeError:
        return None
    names = tuple(sorted({name for one in conditions for name in one.whole.names}))
    return Together(
        program=program,
        scope=_environment(vocabulary).Activation,
        names=names,
        comes_again=come_again(names, vocabulary),
    )


def _folded(condition: Condition) -> str:
    source = condition.source
    return amounts.folded(source, tokens(source), condition.currency)


@lru_cache(maxsize=KEPT_MAX)
def _clauses(source: str, vocabulary: Vocabulary, currency: str | None) -> tuple[Clause, ...]:
    """The parts, compiled when somebody first asks which of them failed: most never do."""
    words = tokens(source)
    text = amounts.folded(source, words, currency)
    return tuple(_clause(source, text, words, vocabulary, span) for span in parts(words))


def _clause(
    source: str, text: str, words: Sequence[Token], vocabulary: Vocabulary, span: tuple[int, int]
) -> Clause:
    start, end = span
    # What stands before it is blanked out, not cut off, so that a fault is shown at its place.
    shifted = re.sub(r"[^\n]", " ", text[:start]) + text[start:end]
    try:
        program = _environment(vocabulary).compile(shifted)
    except RuntimeError as error:
        raise fault_of(str(error), source, words, vocabulary.by_name) from None
    found = mentions([word for word in words if start <= word.start < end], vocabulary.by_name)
    keys = _keys(found)
    names = {mention.name for mention in found if mention.name not in keys}
    read = [vocabulary.by_name[name] for name in names]
    return Clause(
        text=source[start:end],
        program=program,
        scope=_environment(vocabulary).Activation,
        mentions=found,
        names=tuple(sorted(names)),
        keys=keys,
        plain=not keys and all(one.type in PLAIN and not one.of_one for one in read),
    )


@cache
def _environment(vocabulary: Vocabulary) -> cel.Env:
    return cel.NewEnv(variables={name.name: _TYPES[name.type] for name in vocabulary.names})


def _keys(found: Sequence[Mention]) -> dict[str, tuple[str, ...]]:
    """The traits and attributes that are looked at one by one; none where all of them are looked at
    together."""
    keys = {}
    for name in BY_KEY:
        asked = [mention.path for mention in found if mention.name == name]
        if asked and all(asked):
            keys[name] = tuple(sorted({path[0] for path in asked}))
    return keys


def _traits(whole: Clause, vocabulary: Vocabulary) -> frozenset[str]:
    needed: set[str] = set()
    for mention in whole.mentions:
        traits = vocabulary.by_name[mention.name].traits
        needed.update(whole.keys.get(mention.name, ("*.*",)) if traits is None else traits)
    return frozenset(needed)
