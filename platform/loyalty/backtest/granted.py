"""What a draft granted for purchases, where its rules may ask for it when another comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from loyalty.plugin_set import PluginSet
from loyalty.settlement.sale import Sale
from loyalty.setup import Setup


class Granted:
    """`draft` is its program's slug. Of most purchases nothing but the rows of those rules is kept,
    and of most drafts nothing at all; what else there is to know of them history knows."""

    def __init__(self, setup: Setup, plugins: PluginSet, draft: str | None) -> None:
        program = None if draft is None else setup.program(draft)
        plugin = None if program is None else plugins.by_name.get(program.kind)
        self._slug, self._rules = draft, frozenset[str]()
        if program is not None and plugin is not None:
            config = program.versions[0].config
            for reaction in plugin.reactions:
                if reaction.looks_back is not None:
                    self._rules |= frozenset(reaction.looks_back(config))
        self._rows: dict[UUID, list[Mapping[str, Any]]] = {}
        self._sales: dict[UUID, Sale] = {}

    def keep(self, ident: UUID, sale: Sale | None, body: Mapping[str, Any]) -> None:
        """Of a purchase as history names it; `sale`: something of it comes back."""
        if not self._rules:
            return
        if sale is not None:
            self._sales[ident] = sale
        elif rows := [row for row in body.get("grants", ()) if self._is_asked_for(row)]:
            self._rows[ident] = rows

    def as_granted(self, bought: Sequence[Sale]) -> Sequence[Sale]:
        """What was bought in a period, as the draft has it."""
        return [self._as_granted(sale) for sale in bought] if self._slug else bought

    def _as_granted(self, sale: Sale) -> Sale:
        if (mine := self._sales.get(sale.fact_id)) is not None:
            return mine
        others = [row for row in sale.grants if row["program"] != self._slug]
        return replace(sale, grants=[*others, *self._rows.get(sale.fact_id, ())])

    def _is_asked_for(self, row: Mapping[str, Any]) -> bool:
        return row["program"] == self._slug and row["rule"] in self._rules
