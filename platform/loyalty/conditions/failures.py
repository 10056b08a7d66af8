"""What the library says of a condition, in plain words."""

import re

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
    (re.compile(r"Syntax error: token recognition error at: '(.*?)'?$"), "{0} is not understood"),
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
_OPERATOR = re.compile(r"^_?(.+?)_?$|")
_MIXED = frozenset({"int, double", "double, int"})


def said(error: str) -> str:
    """Of an error while judging."""
    return _plain(_RUN, re.sub(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$", "", error))


def said_of_text(message: str) -> str:
    """Of what the library refused to compile."""
    return _plain(_TEXT, message)


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
