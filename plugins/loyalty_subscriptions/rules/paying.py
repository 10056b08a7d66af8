"""Payments as the provider or the shop tells them: each invoice counts once, in any order."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from loyalty.effects import Effect, Emit, Write
from loyalty.units import currency_places, format_minor
from loyalty.view import View
from loyalty_subscriptions import facts, hearing
from loyalty_subscriptions.config import SubscriptionsConfig
from loyalty_subscriptions.facts import ChangeReported, Outcome, PaymentReported
from loyalty_subscriptions.periods import anchor_of, next_end
from loyalty_subscriptions.plans import Plan
from loyalty_subscriptions.policies import Change
from loyalty_subscriptions.refunds import undone_with
from loyalty_subscriptions.rows import PaymentRow, RefundRow
from loyalty_subscriptions.rules.becoming import become, say
from loyalty_subscriptions.rules.giving import gifts, was_welcomed
from loyalty_subscriptions.standing import known
from loyalty_subscriptions.subscription import Provider, Status, Subscription, status_at
from loyalty_subscriptions.tables import INVOICE


@dataclass(frozen=True, slots=True)
class _Case:
    """A payment, the subscription that it is for, and what is known of its invoice."""

    config: SubscriptionsConfig
    fact: PaymentReported
    view: View
    plan: Plan | None
    before: Subscription | None
    seen: PaymentRow | None

    @property
    def at(self) -> datetime:
        return self.fact.occurred_at

    @property
    def known_plan(self) -> Plan | None:
        """The plan that it names, else the one that the subscription is of."""
        if self.plan is not None or self.before is None:
            return self.plan
        return self.config.plans_by_id.get(self.before.plan)


def hear_payment(
    config: SubscriptionsConfig, fact: PaymentReported, view: View
) -> Iterator[Effect]:
    """A fee was paid, could not be taken, or was given back."""
    if not came_here(fact, fact.program, view):
        return
    before = known(view).get((fact.provider, fact.reference))
    plan = plan_of(config, fact.plan, fact.price)
    case = _Case(config, fact, view, plan, before, _seen(fact, view))
    if case.known_plan is None:
        yield Emit(fact=_unmatched(fact, view))
        return
    match fact.outcome:
        case Outcome.PAID:
            yield from _paid(case, case.known_plan)
        case Outcome.FAILED:
            yield from _failed(case, case.known_plan)
        case Outcome.REFUNDED:
            yield from _refunded(case, case.known_plan)


def hear_change(config: SubscriptionsConfig, fact: ChangeReported, view: View) -> Iterator[Effect]:
    """The provider tells how a subscription stands."""
    if not came_here(fact, "", view):
        return
    at = fact.occurred_at
    before = known(view).get((fact.provider, fact.reference))
    plan = plan_of(config, fact.plan, fact.price)
    # Of which plan it is may be told later: what was told before counts then as well.
    after = before or _begun(fact.provider, fact.reference, plan.id if plan else "", at)
    after = hearing.named(after, plan.id if plan else None, at=at, event=fact.event)
    after = hearing.on_trial(after, fact.trial_until)
    after = hearing.wanted(after, cancels=fact.cancels, paused=fact.paused, at=at, event=fact.event)
    if fact.closed:
        after = hearing.closed(after, at)
    yield from become(config, view, before, hearing.as_of(after, at), at)


def came_here(fact: object, program: str, view: View) -> bool:
    """Whether this program is the one that is told: it is named, or it was told at its own door."""
    if program:
        return program == view.program
    return view.key is not None and view.key.scope == f"in:subscriptions/{view.program}"


def plan_of(config: SubscriptionsConfig, plan: str | None, price: str | None) -> Plan | None:
    if plan is not None and plan in config.plans_by_id:
        return config.plans_by_id[plan]
    return None if price is None else config.plans_by_price.get(price)


# --- paid ----------------------------------------------------------------------------------------


def _paid(case: _Case, plan: Plan) -> Iterator[Effect]:
    fact, view, seen = case.fact, case.view, case.seen
    if seen is not None and seen.paid_at is not None:
        # Whoever tells it once more: an invoice pays for one period once.
        if case.before is not None:
            yield from _named(case, case.before, plan)
        return
    one, starts, ends = _period(case, plan)
    back = seen.refunded if seen else 0
    fee = PaymentRow(
        provider=fact.provider, invoice=fact.invoice, reference=fact.reference, plan=plan.id,
        amount=fact.amount, paid_in=fact.currency, starts_at=starts, ends_at=ends,
        paid_at=case.at, refunded=back, known=seen is not None, told_by=view.key,
    )  # fmt: skip
    yield Write(row=fee)
    after = hearing.paid(
        one, starts=starts, ends=ends, amount=fact.amount, paid_in=fact.currency,
        invoice=fact.invoice, back=back,
    )  # fmt: skip
    after = hearing.as_of(after, case.at)
    if _ends_with(case, after, fact.amount, back):
        after = replace(after, ended_at=case.at)
    if fact.amount and not fact.adjusts:  # a trial's invoice of nothing brings nothing
        at = max(case.at, after.as_of)
        yield from gifts(case.config, plan, at, view, welcomed=was_welcomed(view))
        after = replace(after, welcomed=True)
    yield from _named(case, after, plan)
    if 0 < fact.amount <= back:  # that it was given back was told before it was known to be paid
        yield Emit(fact=_given_back(case, plan, back, in_full=True))
        yield from undone_with(fee, case.at, view)


def _named(case: _Case, one: Subscription, plan: Plan) -> Iterator[Effect]:
    """The subscription, of the plan that this payment names if that is the last word; where the
    shop takes the fees, of the plan that is paid last."""
    if one.provider is not Provider.EXTERNAL:
        after = hearing.named(one, plan.id, at=case.at, event=case.fact.event)
    elif one.paid_invoice == case.fact.invoice:
        waits = None if one.next_plan == plan.id else one.next_plan
        after = replace(one, plan=plan.id, next_plan=waits)
    else:
        after = one
    after = hearing.as_of(after, case.at)
    yield from become(case.config, case.view, case.before, after, case.at)


def _period(case: _Case, plan: Plan) -> tuple[Subscription, datetime, datetime]:
    """The subscription that goes on or begins with this payment, and the period that is paid.

    Where the payment does not say which, it is the next one: from the end of what is paid while the
    subscription runs, else from the payment on.
    """
    fact, zone, before = case.fact, case.view.zone, case.before
    grace = case.config.dunning.grace(zone)
    runs = before is not None and status_at(before, case.at, grace) is not Status.EXPIRED
    until = before.covered_until if before is not None and runs else None
    if fact.starts_at is not None:
        starts = fact.starts_at
    elif until is None or _at_once(case, plan):
        starts = case.at
    else:
        starts = until
    fresh = _begun(fact.provider, fact.reference, plan.id, starts)
    one = before if before is not None and _goes_on(before, starts, runs) else fresh
    if fact.provider is Provider.STRIPE:
        one = replace(one, anchor=min(one.anchor, starts))
    elif until is None or one.plan != plan.id:
        one = replace(one, anchor=starts)
    else:
        one = replace(one, anchor=anchor_of(one.anchor, plan.span, starts, zone))
    return one, starts, fact.ends_at or next_end(one.anchor, plan.span, starts, zone)


def _at_once(case: _Case, plan: Plan) -> bool:
    """Whether it pays for a change of plan that does not wait for the period's end."""
    changes = case.before is not None and case.before.plan != plan.id
    return changes and case.config.plan_changes not in (None, Change.AT_PERIOD_END)


def _goes_on(before: Subscription, starts: datetime, runs: bool) -> bool:
    """Whether a payment belongs to the subscription as it is, or to one that begins anew under the
    same name (the shop has no other). What a provider has a name for is one for ever."""
    if runs or before.provider is not Provider.EXTERNAL:
        return True
    over = before.ended_at or before.covered_until
    return over is not None and starts < over


def _begun(provider: Provider, reference: str, plan: str, at: datetime) -> Subscription:
    return Subscription(
        provider=provider, reference=reference, plan=plan, started_at=at, anchor=at, as_of=at
    )


# --- not paid, and given back --------------------------------------------------------------------


def _failed(case: _Case, plan: Plan) -> Iterator[Effect]:
    fact, before = case.fact, case.before
    one = before or _begun(fact.provider, fact.reference, plan.id, case.at)
    zone, covered = case.view.zone, one.covered_until or one.anchor
    anchor = anchor_of(one.anchor, plan.span, covered, zone)
    until = fact.ends_at or next_end(anchor, plan.span, covered, zone)
    after = hearing.failed(one, until=until, at=case.at, attempt=fact.attempt)
    if fact.provider is Provider.STRIPE:  # elsewhere a change of plan holds once it is paid
        after = hearing.named(after, plan.id, at=case.at, event=fact.event)
    if (after.unpaid_until, after.attempts) != (one.unpaid_until, one.attempts):
        failed = say(
            facts.PaymentFailed, case.view, max(case.at, one.as_of), plan=plan.id,
            attempt=fact.attempt, invoice=fact.invoice,
        )  # fmt: skip
        yield Emit(fact=failed)
    yield from become(case.config, case.view, before, hearing.as_of(after, case.at), case.at)


def _refunded(case: _Case, plan: Plan) -> Iterator[Effect]:
    fact, seen = case.fact, case.seen
    if seen is None:
        yield Write(
            row=PaymentRow(
                provider=fact.provider, invoice=fact.invoice, reference=fact.reference,
                plan=plan.id, amount=fact.amount, paid_in=fact.currency, refunded=fact.amount,
            )
        )  # fmt: skip
    elif fact.amount >= seen.refunded:
        yield Write(
            row=RefundRow(provider=fact.provider, invoice=fact.invoice, refunded=fact.amount)
        )
    else:
        return  # more than that was told before
    paid = seen.amount if seen is not None and seen.paid_at is not None else None
    in_full = paid is not None and 0 < paid <= fact.amount
    yield Emit(fact=_given_back(case, plan, fact.amount, in_full=in_full))
    if seen is not None and in_full:
        yield from undone_with(seen, case.at, case.view)
    if case.before is None:
        return
    after = hearing.refunded(case.before, invoice=fact.invoice, back=fact.amount)
    if seen is not None and _ends_with(case, after, seen.amount, fact.amount):
        after = replace(after, ended_at=case.at)
    yield from become(case.config, case.view, case.before, hearing.as_of(after, case.at), case.at)


def _given_back(case: _Case, plan: Plan, back: int, *, in_full: bool) -> facts.Refunded:
    currency = case.fact.currency
    return say(
        facts.Refunded, case.view, case.at, plan=plan.id, currency=currency,
        amount=format_minor(back, currency_places(currency) or 0), invoice=case.fact.invoice,
        in_full=in_full,
    )  # fmt: skip


def _ends_with(case: _Case, one: Subscription, amount: int, back: int) -> bool:
    last = one.paid_invoice == case.fact.invoice
    return case.config.cancellation.ends_with_refund and last and 0 < amount <= back


def _seen(fact: PaymentReported, view: View) -> PaymentRow | None:
    """What is known of the invoice, with what this batch wrote."""
    found: PaymentRow | None = view.needs.get(INVOICE)
    for row in view.written:
        if isinstance(row, PaymentRow) and row.key == (fact.provider, fact.invoice):
            found = replace(row, known=True)
        elif isinstance(row, RefundRow) and found is not None and row.invoice == fact.invoice:
            found = replace(found, refunded=max(found.refunded, row.refunded))
    return found


def _unmatched(fact: PaymentReported, view: View) -> facts.PaymentUnmatched:
    return say(
        facts.PaymentUnmatched, view, fact.occurred_at, provider=fact.provider,
        reference=fact.reference, invoice=fact.invoice, price=fact.price or "",
    )  # fmt: skip
