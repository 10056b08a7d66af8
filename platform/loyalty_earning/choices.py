"""What members may choose in a program: an earning track, bonus categories."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from loyalty.counters import window_of
from loyalty.facts import Fact
from loyalty.plugin import Counter
from loyalty.view import GrantView, TraitValue, View
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.facts import ChoiceChanged
from loyalty_earning.faults import Fault
from loyalty_earning.periods import Per, Period, Periodic
from loyalty_earning.section import (
    LIST_MAX,
    MIN_ONE,
    Identifier,
    Name,
    Section,
    changed,
    has_some,
)
from loyalty_earning.selection import CategoryPath

CHOICES_MAX = 20
OPTIONS_MAX = 100
PICKS_MAX = 20
TRAIT = "choices"
_EVER = datetime(1, 1, 1, tzinfo=UTC)


class Option(Section):
    """One of the things that can be picked."""

    id: Identifier
    """Unique in its choice and kept for ever: members' picks name it."""
    label: Name
    """What members read."""
    categories: Annotated[tuple[CategoryPath, ...], Field(max_length=LIST_MAX)] = ()
    """Category paths, each with everything under it, that stand for it where a rule's `include`
    names the choice."""


class Changes(Periodic):
    """How often a pick may be changed in a period; the first pick is no change."""

    times: Annotated[int, Field(strict=True, ge=0, le=1_000)]
    """How often; 0: what is picked stays."""

    @field_validator("period")
    @classmethod
    def _next_one_is_known(cls, period: Period) -> Period:
        if period is Period.ROLLING:
            raise PydanticCustomError(
                "period", "must begin on a day: day, week, month, quarter, year or lifetime"
            )
        return period


class Choice(Section):
    """Something that members choose for themselves. Facts of before keep the earlier pick."""

    id: Identifier
    """Unique in the program and kept for ever: conditions read `choice.<id>`."""
    label: Name
    """What members read."""
    options: Annotated[
        tuple[Option, ...],
        Field(max_length=OPTIONS_MAX, json_schema_extra=MIN_ONE),
        AfterValidator(has_some),
    ]
    """What can be picked."""
    picks: Annotated[int, Field(strict=True, ge=1, le=PICKS_MAX)] = 1
    """How many options a member has at once. Conditions read one as text (`choice.track ==
    "distance"`), several as a list (`"dining" in choice.bonus`)."""
    default: Annotated[tuple[Identifier, ...], Field(max_length=PICKS_MAX)] = ()
    """The options of members who picked none; nothing: they have none."""
    changes: Changes | None = None
    """How often a pick may be changed; null: at any time."""

    @field_validator("options")
    @classmethod
    def _ids_differ(cls, options: tuple[Option, ...]) -> tuple[Option, ...]:
        ids = [option.id for option in options]
        if twice := [one for at, one in enumerate(ids) if one in ids[:at]]:
            raise _fault(f"two options are called {twice[0]}")
        return options

    @field_validator("default")
    @classmethod
    def _default_is_there(cls, default: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        known = [option.id for option in info.data.get("options", ())]
        for one in default if known else ():
            if one not in known:
                raise _fault(f"{one} is no option{hint(one, known)}")
        if len(set(default)) < len(default) or len(default) > info.data.get("picks", PICKS_MAX):
            raise _fault("names an option twice, or more options than picks allows")
        return default

    def picked(self, chosen: Mapping[str, Any]) -> tuple[str, ...]:
        """The options that stand by what the member chose (the trait's value)."""
        given = chosen.get(self.id)
        if given is None:
            return self.default
        return (given,) if isinstance(given, str) else tuple(given)

    def written(self, picked: Sequence[str]) -> Any:
        """As conditions read it: one as text ("" where none is picked), several as a list."""
        return list(picked) if self.picks > 1 else next(iter(picked), "")

    def counter(self) -> Counter | None:
        """What counts the changes in their period; None where there is no limit."""
        if self.changes is None:
            return None
        return self.changes.counter(f"changes.{self.id}", Per.MEMBER, _changes_of(self.id))


Choices = Annotated[tuple[Choice, ...], Field(max_length=CHOICES_MAX)]


def counters(choices: Sequence[Choice]) -> Iterator[Counter]:
    for choice in choices:
        if (counter := choice.counter()) is not None:
            yield counter


def next_change(choice: Choice, changed: int, at: datetime, zone: ZoneInfo) -> datetime | None:
    """When a pick that was changed so often in the period of `at` may be changed again.

    `at` itself where it may be now; None where it never may.
    """
    counter, changes = choice.counter(), choice.changes
    if counter is None or changes is None or changed < changes.times:
        return at
    if changes.times == 0 or changes.period is Period.LIFETIME:
        return None
    _, ends = window_of(counter, at, zone)
    return ends


def chosen_by(view: View) -> Mapping[str, Any]:
    """What the member of a view chose in its program, as the trait has it."""
    trait = view.traits.get(f"{view.program}.{TRAIT}")
    return trait.value if trait is not None else {}


def categories_of(choices: Sequence[Choice], chosen: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """By choice the categories of the options that stand."""
    return {
        choice.id: tuple(
            path
            for option in choice.options
            if option.id in choice.picked(chosen)
            for path in option.categories
        )
        for choice in choices
    }


def as_picked(rule: EarningRule, categories: Mapping[str, Sequence[str]]) -> EarningRule:
    """The rule with the categories that a member has picked, by choice, in its lists."""
    return changed(
        rule,
        include=rule.include.picked(categories),
        exclude=rule.exclude.picked(categories),
        rates=tuple(rate.picked(categories) for rate in rule.rates),
    )


def misnamed(rule: EarningRule, choices: Sequence[Choice]) -> Fault | None:
    """What a rule says of choices that cannot be; None where all of it can."""
    known = {choice.id: choice for choice in choices}
    for path, named in _named_in(rule):
        if named not in known:
            text = f"names the choice {named}, which choices does not list{hint(named, [*known])}"
            return path, text
        if not any(option.categories for option in known[named].options):
            return path, f"picks lines by {named}, of which no option has categories"
    mentions = rule.condition.whole.mentions if rule.condition is not None else ()
    for mention in mentions:
        if mention.name == "choice" and mention.path and mention.path[0] not in known:
            asked = mention.path[0]
            text = f"asks for choice.{asked}, which choices does not list{hint(asked, [*known])}"
            return ("when",), text
    return None


def _named_in(rule: EarningRule) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Where a rule's lists name a choice, and which."""
    rates = ((("rates", at), rate) for at, rate in enumerate(rule.rates))
    lists = ((("include",), rule.include), (("exclude",), rule.exclude), *rates)
    for path, one in lists:
        if one.choice is not None:
            yield (*path, "choice"), one.choice


def with_defaults(choices: Sequence[Choice], view: View) -> View:
    """The view in which the member chose whatever stands for those who did not."""
    return view._replace(traits=_Completed(view, choices)) if choices else view


class _Completed(Mapping[str, TraitValue]):
    """Traits of which that of the choices is complete; each is asked only when it is read."""

    def __init__(self, view: View, choices: Sequence[Choice]) -> None:
        self._traits = view.traits
        self._own = f"{view.program}.{TRAIT}"
        self._choices = choices

    def __getitem__(self, name: str) -> TraitValue:
        if name != self._own:
            return self._traits[name]
        trait = self._traits.get(name)
        chosen = trait.value if trait is not None else {}
        complete = {one.id: one.written(one.picked(chosen)) for one in self._choices}
        since = trait.since if trait is not None else _EVER
        return TraitValue(value={**chosen, **complete}, since=since)

    def __iter__(self) -> Iterator[str]:
        return iter(self._traits)

    def __len__(self) -> int:
        return len(self._traits)


def hint(given: str, known: Sequence[str]) -> str:
    """`: did you mean …?` where one of the known names is near."""
    near = get_close_matches(given, known, n=1)
    return f": did you mean {near[0]}?" if near else ""


def _changes_of(choice: str) -> Any:
    def measure(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
        return int(
            isinstance(fact, ChoiceChanged) and fact.program == program and fact.choice == choice
        )

    return measure


def _fault(text: str) -> PydanticCustomError:
    return PydanticCustomError("choice", "{fault}", {"fault": text})
