"""Choosing: what a member may pick, and how often they may pick anew."""

from collections.abc import Callable, Iterator
from datetime import datetime

from loyalty.days import iso, local_day
from loyalty.effects import Effect, Emit, Refuse, SetTrait
from loyalty.errors import Code
from loyalty.facts import MemberRef
from loyalty.view import View
from loyalty_earning.choices import TRAIT, Choice, chosen_by, hint, next_change
from loyalty_earning.commands import Choose
from loyalty_earning.config import EarningConfig
from loyalty_earning.facts import ChoiceChanged

Rule = Callable[[EarningConfig, Choose, View], Iterator[Effect]]


def choosing(told: type[ChoiceChanged]) -> Rule:
    """The rule of a plugin that tells of changes by this fact."""

    def choose(config: EarningConfig, command: Choose, view: View) -> Iterator[Effect]:
        return _choose(config, command, view, told)

    return choose


def _choose(
    config: EarningConfig, command: Choose, view: View, told: type[ChoiceChanged]
) -> Iterator[Effect]:
    """Let the picks stand from this instant on, or say why they cannot."""
    if command.program != view.program:
        return
    choice = next((one for one in config.choices if one.id == command.choice), None)
    if choice is None:
        yield _unknown("choice", command.choice, [one.id for one in config.choices])
        return
    if (refusal := _not_to_be_picked(choice, command.options)) is not None:
        yield refusal
        return
    chosen = chosen_by(view)
    before = choice.picked(chosen) if choice.id in chosen else ()
    if set(before) == set(command.options):
        # What is picked already is picked: nothing changes, and nothing is counted.
        yield SetTrait(name=TRAIT, value=dict(chosen), since=_since(view))
        return
    if before:
        if (refusal := _too_often(choice, command.occurred_at, view)) is not None:
            yield refusal
            return
        yield _changed(command, before, view, told)
    yield SetTrait(name=TRAIT, value={**chosen, choice.id: choice.written(command.options)})


def _not_to_be_picked(choice: Choice, options: tuple[str, ...]) -> Refuse | None:
    known = [option.id for option in choice.options]
    for index, option in enumerate(options):
        if option not in known:
            return _unknown("option", option, known, f"options.{index}")
        if option in options[:index]:
            return _bad(f"options.{index}", "is named twice")
    if not options:
        return _bad("options", "name at least one option")
    if len(options) > choice.picks:
        return _bad("options", f"at most {choice.picks} can be picked at once", picks=choice.picks)
    return None


def _too_often(choice: Choice, at: datetime, view: View) -> Refuse | None:
    counter = choice.counter()
    if counter is None or choice.changes is None:
        return None
    again = next_change(choice, view.counters[counter.name], at, view.zone)
    if again == at:
        return None
    changes = choice.changes
    message = "what is picked stays"
    if changes.times:
        message = f"can be changed {changes.often(changes.times)}"
    if again is not None:
        message += f": next allowed {local_day(again, view.zone)}"
    return Refuse(
        code=Code.LIMIT_REACHED,
        message=message,
        field="choice",
        details={
            "times": changes.times,
            "period": changes.period.value,
            "nextAllowedAt": iso(again),
        },
    )


def _changed(
    command: Choose, before: tuple[str, ...], view: View, told: type[ChoiceChanged]
) -> Emit:
    assert view.member is not None
    return Emit(
        fact=told(
            member=MemberRef(id=view.member.id),
            occurred_at=command.occurred_at,
            program=view.program,
            choice=command.choice,
            options=command.options,
            before=before,
        )
    )


def _since(view: View) -> datetime | None:
    trait = view.traits.get(f"{view.program}.{TRAIT}")
    return None if trait is None else trait.since


def _unknown(what: str, given: str, known: list[str], field: str | None = None) -> Refuse:
    return Refuse(
        code=Code.NOT_FOUND,
        message=f"there is no {what} {given}{hint(given, known)}",
        field=field or what,
        details={"known": known},
    )


def _bad(field: str, message: str, **details: int) -> Refuse:
    return Refuse(code=Code.BAD_USER_INPUT, message=message, field=field, details=details)
