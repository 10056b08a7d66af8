"""Comments on lines of their own, and blank lines: read off a document, and put back where what
they are about stands by then.

A comment belongs to the thing below it: a key, or an item of a list. One that is indented deeper
than the thing below it stands at the end of what it is indented like. (A comment beside something
is the document's own affair.)
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from loyalty_app.programs.yaml_text import dump, load

DASH = 2  # columns of a dash and the space behind it
OTHER_BREAKS = frozenset("\x85\u2028\u2029\x0b\x0c")  # which not everybody counts as lines


class _Node(NamedTuple):
    """A key or an item: where it stands, and in which collections, the innermost last."""

    line: int
    holder: Any
    key: Any
    within: tuple[tuple[Any, int], ...]  # each with the column of what it holds


@dataclass(slots=True)
class Remarks:
    """What stands above things and at the end of collections, by the identity of the latter."""

    above: dict[int, dict[Any, list[str]]] = field(default_factory=dict)
    below: dict[int, list[str]] = field(default_factory=dict)
    holders: list[Any] = field(default_factory=list)  # or what comes anew might have their identity

    def moved(self, holder: Any, places: list[int | None]) -> None:
        """A list has other items now: for each its place before, None for a new one."""
        mine = self.above.get(id(holder), {})
        self.above[id(holder)] = {
            index: mine[place] for index, place in enumerate(places) if place in mine
        }


def read_off(text: str, document: Any) -> tuple[Any, Remarks]:
    """The document without what stands on lines of its own, and that; `document` is the text's."""
    found = Remarks()
    if OTHER_BREAKS & set(text):
        return document, found
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    own = _lines_of_their_own(text, lines)
    bare = load("".join(f"{line}\n" for at, line in enumerate(lines) if at not in own))
    nodes, run = _nodes(document, bare), list[str]()
    found.holders += [bare, *(node.holder for node in nodes)]
    for at, line in enumerate([*lines, None]):
        if line is not None and at in own:
            run.append(line)
        elif run:
            _attach(found, run, at, -1 if line is None else _indent(line), nodes, bare)
            run = []
    return bare, found


def put_back(document: Any, remarks: Remarks) -> str:
    """The text of a document with its remarks where they belong."""
    text = dump(document)
    if not remarks.above and not remarks.below:
        return text
    lines = text.removesuffix("\n").split("\n")
    nodes = _nodes(load(text), document)
    put: dict[int, list[str]] = {}
    for end, told in _below(remarks, nodes, len(lines)):
        put.setdefault(end, []).extend(told)
    for node in nodes:
        told = remarks.above.get(id(node.holder), {}).get(node.key, [])
        put.setdefault(node.line, []).extend(_indented(told, _indent(lines[node.line])))
    out = [one for at, line in enumerate(lines) for one in (*put.get(at, ()), line)]
    return "".join(f"{line}\n" for line in (*out, *put.get(len(lines), ())))


def _lines_of_their_own(text: str, lines: list[str]) -> set[int]:
    """Those that are blank or a comment, and no part of a text of several lines."""
    taken: set[int] = set()
    for token in YAML(typ="safe", pure=True).scan(text):
        start, end = token.start_mark, token.end_mark
        taken.update(range(start.line, end.line + bool(end.column)))
    blank = {at for at, line in enumerate(lines) if line.strip()[:1] in ("", "#")}
    return blank - taken


def _nodes(written: Any, same: Any) -> list[_Node]:
    """Every key and item in the order of their lines, by where it is `written`; the holders are
    those of `same`, which has the same shape."""
    return sorted(_walk(written, same, (), set()), key=lambda node: node.line)


def _walk(
    written: Any, same: Any, within: tuple[tuple[Any, int], ...], seen: set[int]
) -> Iterator[_Node]:
    if not isinstance(written, CommentedMap | CommentedSeq) or id(written) in seen:
        return
    seen.add(id(written))
    keys = list(written) if isinstance(written, CommentedMap) else range(len(written))
    places = [(key, place) for key in keys if (place := _place(written, key)) is not None]
    if places and not written.fa.flow_style():
        within = (*within, (same, places[0][1][1]))
    for key, (line, _) in places:
        yield _Node(line, same, key, within)
        yield from _walk(written[key], same[key], within, seen)


def _place(written: Any, key: Any) -> tuple[int, int] | None:
    """Its line and column; None where it is not written here, as what is merged in is not."""
    try:
        if isinstance(written, CommentedMap):
            line, column = written.lc.key(key)
            return line, column
        line, column = written.lc.item(key)
        return line, column - DASH
    except (KeyError, TypeError):
        return None


def _attach(
    found: Remarks, run: list[str], at: int, below: int, nodes: list[_Node], bare: Any
) -> None:
    """Lines that stand before line `at`, whose column is `below` (-1: the text ends there)."""
    before = [node for node in nodes if node.line < at]
    open_before = before[-1].within if before else ()
    begins = 0
    for index, line in enumerate(run):
        if line.strip():
            ended = [one for one, column in open_before if below < column <= _indent(line)]
            if not ended:
                break
            end = found.below.setdefault(id(ended[-1]), [])
            end += [told.strip() for told in run[begins : index + 1]]
            begins = index + 1
    told = [line.strip() for line in run[begins:]]
    following = next((node for node in nodes if node.line >= at), None)
    if following is not None:
        above = found.above.setdefault(id(following.holder), {})
        above[following.key] = above.get(following.key, []) + told
    elif told:
        found.below.setdefault(id(bare), []).extend(told)


def _below(remarks: Remarks, nodes: list[_Node], last: int) -> Iterator[tuple[int, list[str]]]:
    """What stands at the ends of collections, with the line before which each ends; of those that
    end together the inner ones first."""
    ends: dict[int, tuple[int, int, int]] = {}
    for index, node in enumerate(nodes):
        line = nodes[index + 1].line if index + 1 < len(nodes) else last
        for depth, (holder, column) in enumerate(node.within):
            ends[id(holder)] = line, -depth, column
    for holder_id, (line, _, column) in sorted(ends.items(), key=lambda end: end[1][:2]):
        if holder_id in remarks.below:
            yield line, _indented(remarks.below[holder_id], column)


def _indented(told: list[str], column: int) -> list[str]:
    return [f"{' ' * column}{line}" if line else "" for line in told]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
