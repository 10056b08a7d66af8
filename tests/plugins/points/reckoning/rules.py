"""What a rule gives for what it counts."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import floor, lcm

from loyalty.purchase import Line
from tests.plugins.points.reckoning.arithmetic import rounded, shared
from tests.plugins.points.reckoning.sold import ONE, Rule, Sold, is_named, is_under


def rate_text(rate: Rule) -> str:
    return str(rate.get("percent") or rate.get("points", "0"))


def rate_of(rule: Rule, line: Line) -> Fraction:
    for rate in rule.get("rates", ()):
        if is_named(line, rate):
            return Fraction(rate_text(rate))
    paths = [one for one in rule.get("categories", ()) if is_under(line, one["category"])]
    return Fraction(rate_text(max(paths, key=lambda one: len(one["category"]), default=rule)))


def is_flat(rule: Rule) -> bool:
    return not rule.get("rates") and not rule.get("categories")


def curve(rule: Rule, total: Fraction, places: int) -> int:
    """What so many steps give in all (of several rates: what they come to at theirs)."""
    given = Fraction(0)
    if "levels" in rule:
        for level in rule["levels"]:
            given = Fraction(level["points"]) if total >= Fraction(level["from"]) else given
    elif "brackets" in rule:
        for at, one in enumerate(rule["brackets"]):
            after = rule["brackets"][at + 1 :]
            upto = min(total, Fraction(after[0]["from"])) if after else total
            given += max(upto - Fraction(one["from"]), Fraction(0)) * Fraction(one["points"])
    elif is_flat(rule):
        steps = Fraction(floor(total)) if rule.get("whole_steps") else total
        given = steps * Fraction(rate_text(rule))
    else:
        given = total
    return rounded(given * 10**places, rule.get("rounding", "floor"))


def summed(rule: Rule, sold: Sold) -> tuple[list[Line], list[Fraction], Fraction]:
    """What a period adds up of a purchase: whole cents or thousandths, at their rates; in steps."""
    found, part = sold.counts(rule), sold.paid(rule)
    amounts = [amount for _, amount in found]
    if part != ONE:
        amounts = shared(floor(sum(amounts) * part), amounts)
    lines = [line for line, _ in found]
    flat = is_flat(rule)
    weights = [
        a * (ONE if flat else rate_of(rule, line)) for line, a in zip(lines, amounts, strict=True)
    ]
    return lines, weights, sum(weights, Fraction(0)) / sold.steps(rule)


def by_line(rule: Rule, sold: Sold, places: int) -> list[int]:
    """What each line gives where nothing is added up over a period."""
    found, part, per = sold.counts(rule), sold.paid(rule), sold.steps(rule)
    amounts = [amount for _, amount in found]
    if "levels" in rule or "brackets" in rule:
        return shared(curve(rule, sum(amounts) * part / per, places), amounts)
    rates = [rate_of(rule, line) for line, _ in found]
    each_line = rule.get("rounded") == "line"
    values = [amount * part / per * rate for amount, rate in zip(amounts, rates, strict=True)]
    if rule.get("whole_steps") and each_line:
        values = [floor(a * part / per) * rate for a, rate in zip(amounts, rates, strict=True)]
    elif rule.get("whole_steps"):
        values = _of_full_steps(rule, amounts, part / per, rates, places)
    how = rule.get("rounding", "floor")
    exact = [value * 10**places for value in values]
    if each_line:
        return [rounded(one, how) for one in exact]
    return shared(rounded(sum(exact, Fraction(0)), how), exact)


def _of_full_steps(
    rule: Rule, amounts: list[int], by: Fraction, rates: list[Fraction], places: int
) -> list[Fraction]:
    """Full steps of all lines of a rate together, shared in the smallest parts of the rates."""
    texts = [rate_text(one) for one in (rule, *rule.get("rates", ()), *rule.get("categories", ()))]
    parts = 10**places * lcm(*(Fraction(text).denominator for text in texts))
    values = [Fraction(0)] * len(amounts)
    for rate in set(rates):
        at = [index for index, one in enumerate(rates) if one == rate]
        given = floor(sum(amounts[index] for index in at) * by) * rate * parts
        for index, part in zip(at, shared(int(given), [amounts[i] for i in at]), strict=True):
            values[index] = Fraction(part, parts)
    return values


def bounded(rule: Rule, parts: list[int], places: int) -> list[int]:
    most = bound(rule, wanted := sum(parts), places)
    return parts if most == wanted else shared(most, parts)


def bound(rule: Rule, wanted: int, places: int) -> int:
    """What a rule wants to give within its own bounds."""
    least = floor(Fraction(rule.get("at_least", "0")) * 10**places) if wanted else 0
    most = floor(Fraction(rule.get("at_most", "999999999")) * 10**places)
    return int(min(max(wanted, least), most))


def of_groups(
    config: Rule,
    rules: Sequence[Rule],
    judge: Callable[[Rule], dict[str, int] | None],
    got: Callable[[Rule, int], int],
) -> Iterator[tuple[Rule, dict[str, int] | None]]:
    """What each rule gives, or nothing where another one of its group gives instead. `got` is what
    a rule's own caps leave of what it wants."""
    grants = {group["id"]: group.get("grants", "all") for group in config.get("groups", ())}
    seen = set[str]()
    for rule in rules:
        group = rule.get("group")
        if group is None:
            yield rule, judge(rule)
        elif group not in seen:
            seen.add(group)
            judged = [(one, judge(one)) for one in rules if one.get("group") == group]
            giving = [(one, sum(parts.values())) for one, parts in judged if parts]
            given = [(one, got(one, wanted), wanted) for one, wanted in giving]
            if grants[group] == "best":
                given = sorted(given, key=lambda one: (-one[1], -one[2]))[:1]
            elif grants[group] == "first":
                given = sorted(given, key=lambda one: (one[1] == 0, one[0]["priority"]))[:1]
            ids = [one["id"] for one, _, _ in given]
            yield from ((one, parts if one["id"] in ids else None) for one, parts in judged)


def outdone(config: Rule, gave: Sequence[Rule]) -> set[str]:
    """The rules of groups of which one gives, where another one gave."""
    grants = {group["id"]: group.get("grants", "all") for group in config.get("groups", ())}
    return {
        rule["id"]
        for rule in config["rules"]
        for other in gave
        if rule.get("group") == other.get("group") is not None
        and grants[rule["group"]] != "all"
        and rule["id"] != other["id"]
    }
