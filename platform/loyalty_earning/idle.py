"""Keys that promise something and do nothing beside the others, each with what to do. Drafts alone
are asked.

Only what is certain is told, and only where somebody would count on it: an alarm, a limit, points
that are taken back, an end that moves, a bonus. What is merely not looked at (a priority in a group
that has no use for it) disturbs nobody. A version that is in force may have such a key, and is read
as before.
"""

from collections.abc import Iterator, Sequence

from loyalty_earning.bonus import BonusOf
from loyalty_earning.budgets import budgets
from loyalty_earning.config import EarningConfig
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.faults import Fault
from loyalty_earning.fruitless import never_reached
from loyalty_earning.limits import Cap
from loyalty_earning.measures import MinimumLost
from loyalty_earning.spending import Redemption
from loyalty_earning.terms import Terms

NO_BUDGET = "there is no budget to tell of: give a cap with per: program, or leave it out"
NO_MINIMUM = "there is no minimum to lose: give minimum_purchase, or leave minimum_lost out"
NO_PART = "extends nothing: let purchases, redemptions or activities count, or leave it out"
NOT_BACK = "nothing comes back where allowed is false: leave grace_days out, or allow it"


def idle(config: EarningConfig) -> Iterator[Fault]:
    """Of a whole program."""
    if config.budget_alarms and not any(budgets(config.caps_on)):
        yield ("budget_alarms",), NO_BUDGET
    yield from _of_terms(config.terms, ("terms",))
    yield from _of_caps(config.caps, config.units, ("caps",))
    for at, group in enumerate(config.groups):
        if mine := [rule for rule in config.rules if rule.group == group.id]:
            yield from _of_caps(group.caps, _units(config, mine[0]), ("groups", at, "caps"))
    for at, rule in enumerate(config.rules):
        where = ("rules", at)
        for path, text in [*idle_in(rule), *_beside_others(config, rule)]:
            yield (*where, *path), text
        yield from _of_caps(rule.caps, _units(config, rule), (*where, "caps"))


def idle_in(rule: EarningRule) -> Iterator[Fault]:
    """Of a rule by itself."""
    if rule.minimum_lost is not MinimumLost.KEEP and rule.minimum_purchase is None:
        yield ("minimum_lost",), NO_MINIMUM
    yield from never_reached(rule)
    for path, terms in _terms_of(rule):
        yield from _of_terms(terms, path)


def of_redemption(redemption: Redemption, where: tuple[int | str, ...]) -> Iterator[Fault]:
    """Of what one redemption may ask for."""
    reversible = redemption.reversible
    if not reversible.allowed and reversible.grace_days is not None:
        yield (*where, "reversible", "grace_days"), NOT_BACK


def _terms_of(rule: EarningRule) -> Iterator[tuple[tuple[int | str, ...], Terms]]:
    if rule.terms is not None:
        yield ("terms",), rule.terms
    for at, also in enumerate(rule.also):
        yield ("also", at, "terms"), also.terms


def _of_terms(terms: Terms, where: tuple[int | str, ...]) -> Iterator[Fault]:
    by = terms.lifetime.extended_by if terms.lifetime is not None else None
    if by is not None and not (by.purchases or by.redemptions or by.activities):
        yield (*where, "lifetime", "extended_by"), NO_PART


def _units(config: EarningConfig, rule: EarningRule) -> Sequence[str]:
    return config.units if rule.unit is None else (rule.unit,)


def _of_caps(
    caps: Sequence[Cap], units: Sequence[str], where: tuple[int | str, ...]
) -> Iterator[Fault]:
    """Amounts in units that a cap does not count, or names a second time."""
    for at, cap in enumerate(caps):
        seen = set[str]()
        for of, other in enumerate(cap.in_units):
            path = (*where, at, "in_units", of, "unit")
            if other.unit not in units:
                yield path, f"the cap counts {', '.join(units)} alone: leave {other.unit} out"
            elif other.unit in seen:
                yield path, f"{other.unit} is named before: leave one of them out"
            seen.add(other.unit)


def _beside_others(config: EarningConfig, rule: EarningRule) -> Iterator[Fault]:
    for at, named in enumerate(rule.bonus.rules if rule.bonus else ()):
        if not any(_is_seen(config, rule, named, of) for of in rule.activities or (None,)):
            text = f"never has anything of {named}: {_why(config, rule, named)}"
            yield ("bonus", "rules", at), text


def _is_seen(config: EarningConfig, rule: EarningRule, named: str, subject: str | None) -> bool:
    """Whether what a rule gives for a subject is there when a bonus on it is judged: a base rule's
    is, a promotion's if it comes before, and groups are judged where their first rule stands."""
    if any(one.id == named for one in config.base_rules(subject)):
        return True
    assert rule.bonus is not None
    if rule.bonus.of is BonusOf.BASE:
        return False
    places, order = dict[str, int](), config.promotions(subject)
    for at, one in enumerate(order):
        places.setdefault(one.group or f"rule {one.id}", at)
    turn = {one.id: places[one.group or f"rule {one.id}"] for one in order}
    return named in turn and turn[named] < turn[rule.id]


def _why(config: EarningConfig, rule: EarningRule, named: str) -> str:
    assert rule.bonus is not None
    other = next(one for one in config.rules if one.id == named)
    if not {*(other.activities or (None,))} & {*(rule.activities or (None,))}:
        return "the two are about different things"
    if rule.bonus.of is BonusOf.BASE and other.is_promotion:
        return "it is a promotion, and no base: give of: granted, or leave it out"
    return "put it before this one, and into no group with it"
