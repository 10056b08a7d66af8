"""Generated source: functions as lines of text, and what their names stand for.

Names are numbers that are given here. What a client wrote (aliases, literals, names of variables
and operations) is only ever the value of such a name, never a part of the text.
"""

from keyword import iskeyword
from types import CodeType
from typing import Any

from compiled_graphql.unsupported import Reason, Unsupported

LINES_MAX = 6_000


class Source:
    """`names` is what the functions see as globals; they are in it, too, once it was run."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self.lines: list[str] = []
        self._known: dict[int, str] = {}
        self._next = 0

    def constant(self, value: Any, letter: str = "k") -> str:
        """A name for a value; the same for the same object."""
        name = self._known.get(id(value))
        if name is None:
            name = self._known[id(value)] = self.new(letter)
            self.names[name] = value
        return name

    def new(self, letter: str) -> str:
        self._next += 1
        return f"{letter}{self._next}"

    def function(self, name: str, parameters: str, body: list[str], kind: str = "def") -> str:
        """Add a function, and answer its name.

        :raises Unsupported: there is too much of it
        """
        self.lines.append(f"{kind} {name}({parameters}):")
        self.lines += [f" {line}" for line in body]
        if len(self.lines) > LINES_MAX:
            raise Unsupported(Reason.LARGE)
        return name

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def run(self) -> CodeType:
        """Define the functions."""
        code = compile(self.text, "<compiled operation>", "exec", dont_inherit=True)
        exec(code, self.names)
        return code


def named(identifier: str) -> str:
    """A name of the schema's own code, as it may stand in source.

    :raises Unsupported: it is none
    """
    if not identifier.isidentifier() or iskeyword(identifier) or not identifier.isascii():
        raise ValueError(f"no name for a parameter or attribute: {identifier!r}")
    return identifier


def indented(lines: list[str], by: int = 1) -> list[str]:
    return [" " * by + line for line in lines]
