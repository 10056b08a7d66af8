"""The words of a condition: what can be known of it by its text alone.

The library that judges conditions does not show how it understood one. Which names a condition
reads, and where it can be cut in parts, is therefore read off its tokens; what is no valid CEL the
library refuses anyway.
"""

import re
from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    NAME = "name"
    TEXT = "text"
    NUMBER = "number"
    SIGN = "sign"


class Token(NamedTuple):
    """`start` and `end` are places in the source."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def value(self) -> str | None:
        """What a text in quotes stands for; None where it holds escapes, or is none."""
        plain = _PLAIN.fullmatch(self.text) if self.kind is Kind.TEXT else None
        return None if plain is None else plain["long"] or plain["short"] or ""


_TOKEN = re.compile(
    r"""
      (?P<skipped> [\s]+ | //[^\n]* )
    | (?P<text>
          [bB]?[rR] (?: \"{3} .*? \"{3} | '{3} .*? '{3} | "[^"\n\r]*" | '[^'\n\r]*' )
        | [bB]? (?:
              \"{3} (?: \\. | [^\\] )*? \"{3}
            | '{3} (?: \\. | [^\\] )*? '{3}
            | " (?: \\. | [^"\\\n\r] )* "
            | ' (?: \\. | [^'\\\n\r] )* '
          )
      )
    | (?P<name> [A-Za-z_][A-Za-z0-9_]* | `[^`\n]*` )
    | (?P<number> (?: \d+ (?: \.\d+ )? | \.\d+ ) (?: [eE][+-]?\d+ )? [uU]? | 0x[0-9a-fA-F]+ )
    | (?P<sign> && | \|\| | [=!<>]= | . )
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_PLAIN = re.compile(
    r"""(?s:[rR]?(?P<quotes>"{3}|'{3})(?P<long>[^\\]*)(?P=quotes)"""
    r"""|[rR]?(?P<quote>["'])(?P<short>[^\\]*)(?P=quote))"""
)


def tokens(source: str) -> list[Token]:
    """The tokens of a condition, without spaces and comments."""
    return [
        Token(Kind(match.lastgroup), match[0], *match.span())
        for match in _TOKEN.finditer(source)
        if match.lastgroup != "skipped"
    ]
