"""YAML as people write it: comments, order and styles are kept, and text stays text.

YAML 1.2: `no` and `on` are words. An instant or a date is the text that was written, and a key that
is written twice is an error.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from itertools import count
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString, ScalarString

BYTES_MAX = 1024 * 1024
DEPTH_MAX = 64
VALUES_MAX = 200_000
_NUMERIC = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class NotYaml(ValueError):
    """The text is no YAML of ours; the message says where."""


class _NoDates(VersionedResolver):
    """Dates and instants are the text that stands there."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        tag = super().resolve(kind, value, implicit)
        return self.DEFAULT_SCALAR_TAG if str(tag) == _TIMESTAMP else tag


def load(text: str) -> Any:
    """The document with its comments.

    :raises NotYaml: it is no YAML, has a tag, writes a key twice, or is more than one document
    """
    if len(text.encode()) > BYTES_MAX:
        raise NotYaml(f"is larger than {BYTES_MAX // 1024} KB")
    try:
        return _yaml().load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        problem = (error.problem or error.context or "cannot be read").splitlines()[0]
        raise NotYaml(f"{where}{problem}") from None
    except (YAMLError, RecursionError) as error:
        raise NotYaml(str(error).splitlines()[0] if str(error) else "nests too deep") from None


def dump(document: Any) -> str:
    out = StringIO()
    _yaml().dump(document, out)
    return out.getvalue()


def plain(value: Any) -> Any:
    """The values alone, as JSON has them; aliases are written out.

    :raises NotYaml: it nests too deep, holds too much, or has a value that JSON does not know
    """
    return _plain(value, 0, count())


def _plain(value: Any, depth: int, seen: Iterator[int]) -> Any:
    if depth > DEPTH_MAX:
        raise NotYaml("nests too deep")
    if next(seen) > VALUES_MAX:  # aliases of aliases make much out of a few lines
        raise NotYaml(f"holds more than {VALUES_MAX} values")
    if isinstance(value, Mapping):
        return {str(key): _plain(inner, depth + 1, seen) for key, inner in value.items()}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Sequence):
        return [_plain(inner, depth + 1, seen) for inner in value]
    for kind in (bool, int, float):
        if isinstance(value, kind):
            return kind(value)
    if value is None:
        return None
    raise NotYaml(f"{type(value).__name__} is no value of a config: write text, a number or a list")


def styled(value: Any) -> Any:
    """A value as it is written into a document: text of several lines as a block."""
    if isinstance(value, Mapping):
        return CommentedMap({key: styled(inner) for key, inner in value.items()})
    if isinstance(value, str) and not isinstance(value, ScalarString) and "\n" in value:
        return LiteralScalarString(value)
    if type(value) is str and _NUMERIC.fullmatch(value):
        return DoubleQuotedScalarString(value)  # amounts and rates, as the guide writes them
    if isinstance(value, Sequence) and not isinstance(value, str):
        return CommentedSeq([styled(inner) for inner in value])
    return value


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.Resolver = _NoDates
    yaml.preserve_quotes = True
    yaml.width = 4096  # nobody's lines are folded
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml
