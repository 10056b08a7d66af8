"""The rows of one batch, a list per table, in the column order of the append function's types."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

Row = tuple[Any, ...]
FACT_PLAIN = 11  # so many columns of a fact's row, then what it holds as JSON:
FACT_JSON = (11, 12, 13)  # its payload, its answer and its decision


@dataclass(slots=True)
class Rows:
    """What a batch appends. Field order is the argument order of `loyalty.append`.

    `outbox` is what is told beside the facts. Of each fact the outbox has a row, which holds no
    more than its id: that stands in the fact's own.
    """

    members: list[Row] = field(default_factory=list)
    identifiers: list[Row] = field(default_factory=list)
    accounts: list[Row] = field(default_factory=list)
    facts: list[Row] = field(default_factory=list)
    commands: list[Row] = field(default_factory=list)
    postings: list[Row] = field(default_factory=list)
    lots: list[Row] = field(default_factory=list)
    uses: list[Row] = field(default_factory=list)
    terms: list[Row] = field(default_factory=list)
    redemptions: list[Row] = field(default_factory=list)
    traits: list[Row] = field(default_factory=list)
    counters: list[Row] = field(default_factory=list)
    due: list[Row] = field(default_factory=list)
    settled: list[Row] = field(default_factory=list)
    parked: list[Row] = field(default_factory=list)
    outbox: list[Row] = field(default_factory=list)
    _lists: tuple[list[Row], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._lists = _lists_of(self)  # they stay the same, and every fact asks how long they are

    def arguments(self) -> list[list[Any]]:
        """One array per table for `append`; what a batch said several times as its last word.

        What facts hold as JSON comes last, by column: payloads, answers, decisions.
        """
        found = {name: _merged(self, name) if name in MERGED else getattr(self, name)
                 for name in ROW_FIELDS}  # fmt: skip
        found["facts"] = [row[:FACT_PLAIN] for row in self.facts]
        return [*found.values(), *([row[at] for row in self.facts] for at in FACT_JSON)]

    def given_terms(self) -> list[Row]:
        """All terms, for `give_terms`, where one moves a beginning; else `append` has them."""
        return _last_terms(self.terms) if _moves_a_beginning(self.terms) else []

    def sizes(self) -> tuple[int, ...]:
        return tuple(map(len, self._lists))

    def cut_to(self, sizes: Sequence[int]) -> None:
        """Forget all rows added since `sizes` was taken."""
        for rows, size in zip(self._lists, sizes, strict=True):
            del rows[size:]


ROW_FIELDS = tuple(f.name for f in fields(Rows) if f.init)
_lists_of = attrgetter(*ROW_FIELDS)
MERGED = frozenset({"members", "uses", "terms", "redemptions", "traits", "counters", "accounts"})


def _merged(rows: Rows, name: str) -> list[Row]:
    """One row per key: a statement may touch each row of a table only once."""
    if name == "counters":
        return _summed(rows.counters, at=3)
    if name == "uses":
        return _summed(rows.uses, at=4)
    if name == "terms":
        ends_only = not _moves_a_beginning(rows.terms)
        return [row[:6] for row in _last_terms(rows.terms)] if ends_only else []
    if name == "traits":  # told apart by member, name, fact and since
        return list({(*row[:3], row[4]): row for row in rows.traits}.values())
    return list({row[0]: row for row in getattr(rows, name)}.values())


def _summed(rows: Sequence[Row], at: int) -> list[Row]:
    """Rows that differ in column `at` only become one with its sum."""
    if len(rows) < 2:
        return list(rows)
    sums: dict[Row, int] = {}
    for row in rows:
        key = row[:at] + row[at + 1 :]
        sums[key] = sums.get(key, 0) + row[at]
    return [(*key[:at], amount, *key[at:]) for key, amount in sums.items()]


def _last_terms(rows: Sequence[Row]) -> list[Row]:
    """Per fact and lot the last term that it gave, and the one that was there before it.

    Rows end with where the lot begins from now on and where it did before, if that moves too.
    """
    terms: dict[Row, Row] = {}
    for row in rows:
        first = terms.get(row[:3], row)
        begins = first[6:] if row[6] is None else (row[6], first[7] or row[7])
        terms[row[:3]] = (*row[:4], first[4], row[5], *begins)
    return list(terms.values())


def _moves_a_beginning(terms: Sequence[Row]) -> bool:
    return any(row[6] is not None for row in terms)
