"""A fact as the rules of one program look at it: what several of them ask is worked out once."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property

from loyalty.conditions import Values, activity_values, purchase_values
from loyalty.days import local_day
from loyalty.facts import ActivityRecorded, PurchaseRecorded
from loyalty.view import View
from loyalty_earning.choices import as_picked, categories_of, chosen_by, with_defaults
from loyalty_earning.config import EarningConfig
from loyalty_earning.counting import Counted, Fact, counted, paid
from loyalty_earning.curve import Part
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.lifetime import Instants, instants
from loyalty_earning.sieve import LeftIn
from loyalty_earning.terms import Terms
from loyalty_earning.unit_places import unit_places

ALL_OF_IT: Part = (1, 1)


class Occasion:
    def __init__(self, config: EarningConfig, fact: Fact, view: View) -> None:
        self.config = config
        self.fact = fact
        self.view = view
        self.is_activity = isinstance(fact, ActivityRecorded)
        self.currency = fact.currency if isinstance(fact, PurchaseRecorded) else None
        self.rated = config.rated(self.currency)
        self.held: frozenset[str] = frozenset()  # rules whose conditions are known to hold
        self._left: LeftIn | None = None
        self._instants: dict[int, Instants] = {}  # by the identity of terms, which `config` keeps
        self._counted: dict[str, Counted] = {}
        self._values: Values | None = None

    @classmethod
    def of(cls, config: EarningConfig, fact: Fact, view: View) -> "Occasion":
        """The one of an earlier turn of the program, if it has one."""
        if (known := view.known) is None:
            return cls(config, fact, view)
        found: Occasion | None = known.get(cls)
        if found is None or found.fact is not fact or found.config is not config:
            found = known[cls] = cls(config, fact, view)
        return found

    @property
    def left(self) -> LeftIn:
        """The rules that the fact may get anything out of."""
        if (found := self._left) is None:
            found = self._left = self.config.sieve(self.subject).left(self)
        return found

    @property
    def subject(self) -> str | None:
        """The type of the activity that this is about; None for a purchase."""
        return self.fact.type if isinstance(self.fact, ActivityRecorded) else None

    @cached_property
    def day(self) -> date:
        return local_day(self.fact.occurred_at, self.view.zone)

    @property
    def completed(self) -> View:
        """The view in which who picked nothing has what stands for them."""
        choices = self.config.choices
        return with_defaults(choices, self.view) if choices else self.view

    @property
    def values(self) -> Values:
        """What conditions read."""
        # By hand: `cached_property` takes a lock each time that it finds something out.
        if (found := self._values) is None:
            if isinstance(self.fact, ActivityRecorded):
                found = activity_values(self.fact, self.completed)
            else:
                found = purchase_values(self.fact, self.completed)
            self._values = found
        return found

    @cached_property
    def _picked(self) -> Mapping[str, Sequence[str]]:
        return categories_of(self.config.choices, chosen_by(self.view))

    def as_picked(self, rule: EarningRule) -> EarningRule:
        """The rule with what the member picked in its lists, where these name a choice."""
        return as_picked(rule, self._picked) if rule.choices else rule

    def counted(self, rule: EarningRule) -> Counted:
        """What a rule counts: worked out for the first of those that count the same."""
        if rule.choices:  # what was picked is this member's alone
            return counted(rule, self.fact)
        if (found := self._counted.get(rule.about)) is None:
            found = self._counted[rule.about] = counted(rule, self.fact)
        return found

    def paid(self, rule: EarningRule) -> Part:
        """Which part of it was paid as the rule wants it."""
        return paid(rule, self.fact) if rule.asks_how_paid else ALL_OF_IT

    def unit_of(self, rule: EarningRule) -> str:
        """What the rule gives; where it gives nothing, the program's unit."""
        return self.rated[rule.id].unit or self.config.unit

    def places(self, unit: str) -> int:
        places = self.view.setup.places(unit)
        return unit_places(self.view, unit) if places is None else places

    def instants(self, terms: Terms) -> Instants:
        """When what is given under some terms can be used and ends: rules mostly share theirs."""
        if (found := self._instants.get(id(terms))) is None:
            found = instants(terms, self.fact.occurred_at, self.completed)
            self._instants[id(terms)] = found
        return found
