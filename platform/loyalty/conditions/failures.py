"""What the library says of a condition, in plain words."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from loyalty.conditions.fault import ConditionFault
from loyalty.conditions.mentions import chain
from loyalty.conditions.tokens import Token

FUNCTIONS = (
    "amount", "size", "startsWith", "endsWith", "contains", "matches", "has", "all", "exists",
    "exists_one", "filter", "map", "int", "uint", "double", "string", "bool", "bytes", "type",
    "dyn", "timestamp", "duration", "getFullYear", "getMonth", "getDate", "getDayOfMonth",
    "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds",
)  # fmt: skip
_FAULT = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '(.*?)'")
# What went wrong while judging: a pattern of the library's own words, and ours.
_RUN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r'Key not found in map : "?(.*?)"?$'), 'there is no "{0}"'),
    (re.compile(r"Applying SELECT to non-message type"), "it looks for a key in what has no keys"),
    (re.compile(r"No matching overloads found : _&&_"), "it is neither true nor false"),
    (re.compile(r"No matching overloads? found : (\S+?)\((.*)\)$"), "{op} does not take {1}"),
    (
        re.compile(r"Index error: index=(-?\d+) size=(\d+)"),
        "there is no entry {0}, only {1} of them",
    ),
    (re.compile(r"Iteration budget exceeded"), "it looks at more than a condition may"),
)
# What is wrong with its text.
_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"Syntax error: .*'<EOF>' expecting.*"), "ends too early"),
    (re.compile(r"Syntax error: missing '(.*)' at '<EOF>'"), "ends too early: {0} is missing"),
    (
        re.compile(r"Syntax error: token recognition error at: '(=|&|\|)\s*'?$"),
        "{0} is not understood: write == for equal, && for and, || for or",
    ),
    (re.compile(r"Syntax error: token recognition error at: '(.*?)'?$"), "{0} is not understood"),
    (
        re.compile(r"Syntax error: (?:mismatched|extraneous) input '(and|or|AND|OR)' expecting.*"),
        "{0} does not belong here: write && for and, || for or",
    ),
    (
        re.compile(r"Syntax error: (?:mismatched|extraneous) input '(.*?)' expecting.*"),
        "{0} does not belong here",
    ),
    (
        re.compile(r"found no matching overload for '(.*)' applied to '\((.*)\)'"),
        "{op} does not take {1}",
    ),
    (
        re.compile(r"expression of type '(.*)' cannot be the operand of a select operation"),
        "{0} has no keys",
    ),
    (
        re.compile(r".*recursion (?:depth|limit).*"),
        "is nested too deeply, or joins too many things by one sign",
    ),
)
_NO_FUNCTION = "there is no function"
_MIXED = frozenset({"int, double", "double, int"})


def said(error: str) -> str:
    """Of an error while judging."""
    return _plain(_RUN, re.sub(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$", "", error))


def no_condition(kind: str) -> str:
    """Of a text that is of another type than true or false."""
    if kind == "DYN":
        return 'may be anything: compare it, as in purchase.attributes.gift == "yes"'
    return f"must be true or false, and this is {kind.lower()}"


def no_key(key: str, one: str, keys: Sequence[str]) -> str:
    """Of a key that is looked up in `one` that has only these."""
    near = get_close_matches(key.lower(), keys, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(keys)}"
    return f'{one} has no "{key}": {hint}'


def fault_of(
    error: str, source: str, words: Sequence[Token], names: Iterable[str]
) -> ConditionFault:
    """What the library refused to compile, with its place in the source. `names` are the known."""
    faults = [(int(line), int(column), said) for line, column, said in _FAULT.findall(error)]
    # What is said of something that is wrong itself only follows.
    faults = [one for one in faults if "'*error*'" not in one[2]] or faults
    if not faults:
        return ConditionFault(_plain(_TEXT, error), source, 0)
    found = []
    for line, column, message in faults:
        at = _place(source, line, column)
        if (unknown := _UNDECLARED.match(message)) is None:
            return ConditionFault(_plain(_TEXT, message), source, at)
        found.append(_unknown(unknown[1], source, at, words, tuple(names)))
    # A mistyped loop leaves its variable unknown as well: the function explains the name.
    return next((one for one in found if one.message.startswith(_NO_FUNCTION)), found[0])


def _place(source: str, line: int, column: int) -> int:
    if line < 1:
        return 0
    lines = source.split("\n")
    return min(sum(len(one) + 1 for one in lines[: line - 1]) + column - 1, len(source))


def _unknown(
    name: str, source: str, at: int, words: Sequence[Token], names: Sequence[str]
) -> ConditionFault:
    """A name or function that there is not. The library points somewhere into it or behind it."""
    name = name.lstrip(".")
    first = name.split(".")[0]
    places = [i for i, word in enumerate(words) if word.text == first]
    if not places:
        return ConditionFault(f"there is no {name}", source, at)
    index = min(places, key=lambda i: abs(words[i].start - at))
    called = index + 1 < len(words) and words[index + 1].text == "("
    what, known = ("function", FUNCTIONS) if called else ("name", names)
    asked = name if called else ".".join(_name(words, index))
    near = get_close_matches(asked, known, n=1, cutoff=0.6) or get_close_matches(name, known, n=1)
    hint = f": did you mean {near[0]}?" if near else ""
    return ConditionFault(f"there is no {what} {asked}{hint}", source, words[index].start)


def _name(words: Sequence[Token], index: int) -> list[str]:
    """The words of a name, without a function of what it stands for."""
    found = chain(words, index)
    behind = index + 2 * len(found) - 1
    called = behind < len(words) and words[behind].text == "("
    return found[:-1] if called else found


def _plain(known: tuple[tuple[re.Pattern[str], str], ...], message: str) -> str:
    for pattern, words in known:
        if (match := pattern.search(message)) is not None:
            groups = [group.strip() or "this" for group in match.groups()]
            operator = groups[0].strip("_") if groups else ""
            plain = words.format(*groups, op=operator)
            if len(groups) > 1 and groups[1] in _MIXED:
                plain += ": write both with a point, or convert one, as in double(3)"
            return plain
    return message
