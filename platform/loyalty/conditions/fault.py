"""Why a condition is not accepted, and where in its text."""

MARGIN = 60  # characters shown on each side of the fault: a condition may be one long line


class ConditionFault(ValueError):
    """A condition that cannot stand. `line` and `column` count from 1.

    `excerpt` is the line at fault with a caret under the place; the exception's text is the message
    and the excerpt.
    """

    def __init__(self, message: str, source: str, at: int) -> None:
        before = source[:at]
        self.message = message
        self.line = before.count("\n") + 1
        self.column = at - (before.rfind("\n") + 1) + 1
        self.excerpt = _excerpt(source.split("\n")[self.line - 1], self.column - 1)
        super().__init__(
            f"{message} (line {self.line}, column {self.column})\n{self.excerpt}".rstrip()
        )


def _excerpt(line: str, at: int) -> str:
    first = max(at - MARGIN, 0)
    cut = line[first : at + MARGIN]
    shown = "".join(one if one.isprintable() else " " for one in cut)  # each as wide as it was
    return f"{shown}\n{' ' * (at - first)}^"
