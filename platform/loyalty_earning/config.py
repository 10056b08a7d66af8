"""What every program that lets members earn has in its config: rules and what they go by.

A plugin's own config is a subclass with the keys of its kind. Its JSON Schema is published, so
every key says what it is for. A config that was accepted never fails a rule later."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    Field,
    ModelWrapValidatorHandler,
    ValidationInfo,
    field_validator,
    model_validator,
)

from loyalty_earning.activity_type import TYPES_MAX, ActivityType
from loyalty_earning.budgets import Percents
from loyalty_earning.caps import CapOn, caps_on
from loyalty_earning.choices import Choices, hint, misnamed
from loyalty_earning.commands import Choose
from loyalty_earning.conditions import counted_in
from loyalty_earning.earning_rule import EarningRule, UnitCode
from loyalty_earning.faults import Fault, faulty
from loyalty_earning.groups import Grants, Group
from loyalty_earning.limits import Capped
from loyalty_earning.lot_terms import LotTerms
from loyalty_earning.misfits import called
from loyalty_earning.notation import Currency
from loyalty_earning.rated import Rated
from loyalty_earning.section import MIN_ONE, has_some, named_once
from loyalty_earning.sieve import Sieve
from loyalty_earning.terms import Lifetime, Terms

RULES_MAX = 200
GROUPS_MAX = 100


class EarningConfig(Capped):
    """A program in which members earn: what they earn, and how long it lasts."""

    chosen_by: ClassVar[type[Choose] | None] = None
    """The command by which members choose in such a program; None: they cannot."""

    unit: UnitCode
    """Code of the tenant's unit that the program gives."""
    currency: Currency | None = None
    """The currency that `amount("25.00")` means in conditions; only needed where one says it."""
    activities: Annotated[tuple[ActivityType, ...], Field(max_length=TYPES_MAX)] = ()
    """Types of activities that the tenant records, and what is told of each."""
    groups: Annotated[tuple[Group, ...], Field(max_length=GROUPS_MAX)] = ()
    """Groups that rules are judged in."""
    choices: Choices = ()
    """What members choose for themselves, such as an earning track or bonus categories."""
    rules: Annotated[
        tuple[EarningRule, ...],
        Field(max_length=RULES_MAX, json_schema_extra=MIN_ONE),
        AfterValidator(has_some),
    ]
    """Earning rules, judged in this order; each adds its own points."""
    terms: Terms = Terms()
    """When points can be used, until when, and what a return does with spent ones."""
    budget_alarms: Percents = ()
    """Percents of each budget at which it is told, once a period, as `budget_reached.v1` of its
    kind, such as `points.budget_reached.v1`."""

    @model_validator(mode="wrap")
    @classmethod
    def _read_in_its_currency(cls, given: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        currency = given.get("currency") if isinstance(given, dict) else None
        with counted_in(currency if isinstance(currency, str) else None):
            return read(given)

    @field_validator("groups", "activities", "choices")
    @classmethod
    def _names_differ(cls, entries: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        key = "type" if info.field_name == "activities" else "id"
        return named_once(entries, key)

    @field_validator("rules")
    @classmethod
    def _rules_fit(
        cls, rules: tuple[EarningRule, ...], info: ValidationInfo
    ) -> tuple[EarningRule, ...]:
        groups = {group.id: group for group in info.data.get("groups", ())}
        types = [activity.type for activity in info.data.get("activities", ())]
        unit, ids, faults = info.data.get("unit"), [rule.id for rule in rules], list[Fault]()
        for index, rule in enumerate(rules):
            if rule.id in ids[:index]:
                faults.append(((index, "id"), f"the id {rule.id} is used before"))
            if rule.percent is not None and info.data.get("currency") is None:
                text = f"{called(rule)} has a percentage: give the currency of the unit"
                faults.append(((index, "percent"), text))
            # What is at fault itself is told of alone: nothing is missing from it.
            if "choices" in info.data and (fault := misnamed(rule, info.data["choices"])):
                path, text = fault
                faults.append(((index, *path), f"{called(rule)} {text}"))
            if "groups" in info.data:
                faults += _misplaced(index, rule, groups)
            faults += _misnames(index, rule, ids, types)
            faults += _gives_twice(index, rule, unit)
        for group in groups.values():
            mine = [(index, rule) for index, rule in enumerate(rules) if rule.group == group.id]
            faults += _of_several_kinds(group, mine, unit)
        if faults:
            raise faulty(faults)
        return rules

    @cached_property
    def groups_by_id(self) -> dict[str, Group]:
        return {group.id: group for group in self.groups}

    @cached_property
    def caps_on(self) -> list[CapOn]:
        """All caps in the order in which they are asked."""
        return caps_on(self.units, self.rules, self.groups, self.caps)

    @cached_property
    def own_caps(self) -> Mapping[tuple[str, str], Sequence[CapOn]]:
        """By a rule and a unit those that are on the rule itself, in the same order."""
        found: dict[tuple[str, str], list[CapOn]] = {}
        for on in self.caps_on:
            kind, _, name = on.target.partition(".")
            if kind == "rule":
                found.setdefault((name, on.unit), []).append(on)
        return found

    @property
    def units(self) -> tuple[str, ...]:
        """The units that its rules give unless they name another one: the first is `unit`."""
        return (self.unit,)

    @cached_property
    def lots(self) -> LotTerms:
        """In which units and under which terms the program's lots are granted."""
        return LotTerms.of(self)

    @property
    def currencies(self) -> tuple[str, ...]:
        """In which amounts may be that a percentage is of."""
        return () if self.currency is None else (self.currency,)

    @cached_property
    def carrying(self) -> dict[str, CapOn]:
        """By what they are on, one of the caps that carry over: together they owe what they cut."""
        return {on.counted: on for on in self.caps_on if on.cap.carry_over}

    @cached_property
    def traits(self) -> frozenset[str]:
        """What the conditions of all rules and lifetimes read of the member."""
        conditions = [rule.condition for rule in self.rules]
        conditions += [lifetime.condition for lifetime in self._lifetimes()]
        picked = frozenset({".choices"} if any(rule.choices for rule in self.rules) else ())
        return picked | {name for one in conditions if one is not None for name in one.traits}

    def _lifetimes(self) -> Iterator[Lifetime]:
        mine = (rule.terms for rule in self.rules if rule.terms is not None)
        also = (also.terms for rule in self.rules for also in rule.also)
        for terms in (self.terms, *mine, *also):
            if terms.lifetime is not None:
                yield terms.lifetime

    @cached_property
    def _by_subject(self) -> dict[str | None, tuple[list[EarningRule], list[EarningRule]]]:
        found: dict[str | None, tuple[list[EarningRule], list[EarningRule]]] = {None: ([], [])}
        for rule in self.rules:
            for subject in rule.activities or (None,):
                found.setdefault(subject, ([], []))[rule.is_promotion].append(rule)
        return found

    def base_rules(self, subject: str | None) -> Sequence[EarningRule]:
        """Rules about a type of activity (None: purchases) that are no promotion, in order."""
        return self._by_subject.get(subject, ((), ()))[0]

    def promotions(self, subject: str | None) -> Sequence[EarningRule]:
        """The promotions about a type of activity (None: about purchases), in order."""
        return self._by_subject.get(subject, ((), ()))[1]

    def sieve(self, subject: str | None) -> Sieve:
        """Both, to be asked which of them a fact may get anything out of."""
        if (found := self._sieves.get(subject)) is None:
            base, promotions = self.base_rules(subject), self.promotions(subject)
            found = self._sieves[subject] = Sieve(base, promotions, of_lines=subject is None)
        return found

    @cached_property
    def _sieves(self) -> dict[str | None, Sieve]:
        return {}

    def rated(self, currency: str | None) -> Mapping[str, Rated]:
        """All rules, by id, as they are rated in a currency (None: of an activity)."""
        if (found := self._rated.get(currency)) is None:
            found = self._rated[currency] = {
                rule.id: Rated.of(rule, currency, self.unit_of(rule, currency))
                for rule in self.rules
            }
        return found

    @cached_property
    def _rated(self) -> dict[str | None, Mapping[str, Rated]]:
        return {}

    def unit_of(self, rule: EarningRule, currency: str | None = None) -> str | None:
        """The unit that a rule gives for what is paid in a currency (None: for an activity).

        None: it gives nothing for what is paid in this one.
        """
        if rule.percent is not None and currency not in self.currencies:
            return None
        return rule.unit or self.unit


def _misnames(
    index: int, rule: EarningRule, ids: Sequence[str], types: Sequence[str]
) -> Iterator[Fault]:
    """What a rule names that is not there."""
    for at, named in enumerate(rule.bonus.rules if rule.bonus else ()):
        if named not in ids:
            text = f"{called(rule)} names {named}, which is no rule here"
            yield (index, "bonus", "rules", at), text + hint(named, ids)
    for at, activity in enumerate(rule.activities if types else ()):
        if activity not in types:
            text = f"{called(rule)} is about {activity}, which activities does not list"
            yield (index, "activities", at), text + hint(activity, types)


def _misplaced(index: int, rule: EarningRule, groups: dict[str, Group]) -> Iterator[Fault]:
    if rule.group is None:
        return
    if rule.group not in groups:
        text = f"{called(rule)} is in the group {rule.group}, which groups does not list"
        yield (index, "group"), text + hint(rule.group, [*groups])
    elif groups[rule.group].grants is Grants.FIRST and rule.priority is None:
        text = f"{called(rule)} has no priority, by which the group {rule.group} goes"
        yield (index, "priority"), text


def _gives_twice(index: int, rule: EarningRule, unit: str | None) -> Iterator[Fault]:
    given = {rule.unit or unit}
    for at, also in enumerate(rule.also):
        if also.unit in given:
            text = f"{called(rule)} gives {also.unit} twice: also names other units, each once"
            yield (index, "also", at, "unit"), text
        given.add(also.unit)


def _of_several_kinds(
    group: Group, mine: Sequence[tuple[int, EarningRule]], unit: str | None
) -> Iterator[Fault]:
    """Told of the first rule that differs from the first of its group."""
    rules = [rule for _, rule in mine]
    for index, rule in mine:
        if rule.is_promotion != rules[0].is_promotion:
            yield (index,), f"the group {group.id} has both promotions and other rules"
            break
    for index, rule in mine if group.grants is Grants.BEST or group.caps else ():
        one, other = rules[0].unit or unit, rule.unit or unit
        if other != one:
            asks = "its caps count" if group.caps else "which is best is asked of"
            text = f"the group {group.id} gives {one} and {other}, but {asks} one unit"
            yield (index, "unit"), text
            break
    seen: set[int] = set()
    for index, rule in mine if group.grants is Grants.FIRST else ():
        if rule.priority is not None and rule.priority in seen:
            text = f"two rules of the group {group.id} have the same priority"
            yield (index, "priority"), text
        seen.add(rule.priority or 0)
