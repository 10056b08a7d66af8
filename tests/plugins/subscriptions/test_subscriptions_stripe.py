"""Stripe's signatures, with Stripe's own library as the judge; and its events as facts."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.facts import MemberRef
from loyalty_subscriptions.facts import ChangeReported, Outcome, PaymentReported
from loyalty_subscriptions.inbound import inbound

SECRET = "whsec_of_the_club"
SECRETS = {"stripe_webhook_secret": SECRET, "stripe_previous_webhook_secret": "whsec_old"}
AT = 1_767_225_600
BODY = json.dumps({"id": "evt_1", "object": "event"}).encode()
MEMBER = {"metadata": {"loyalty_member": "ada"}}


def header(raw: bytes, secret: str = SECRET, at: int = AT) -> str:
    """As Stripe's own library signs."""
    signature = stripe.WebhookSignature._compute_signature(f"{at}.{raw.decode()}", secret)
    return f"t={at},v1={signature}"


def verified(raw: bytes, sent: str) -> bool:
    return inbound.verify({"stripe-signature": sent}, raw, SECRETS)


def judged(raw: bytes, sent: str, secret: str = SECRET) -> bool:
    """What Stripe's own library says, whatever time it is."""
    try:
        verify = stripe.WebhookSignature.verify_header
        return bool(verify(raw.decode(), sent, secret, tolerance=None))
    except stripe.SignatureVerificationError:
        return False


@pytest.mark.parametrize(
    "sent",
    [
        header(BODY),
        header(BODY + b" "),
        header(BODY, "whsec_other"),
        header(BODY).replace("v1=", "v0="),
        header(BODY) + ",v1=" + "0" * 64,
        "t=1,v1=," + header(BODY).partition(",")[2],
        header(BODY).replace(f"t={AT}", f"t={AT + 1}"),
        header(BODY).replace("t=", "time="),
        header(BODY).partition(",")[2],
        "v1=" + "a" * 64,
        f"t={AT}",
        "t=,v1=",
        "",
        "nothing of the kind",
        "t=1é,v1=é",
    ],
)
def test_a_signature_is_judged_as_stripes_own_library_does(sent: str) -> None:
    assert verified(BODY, sent) is judged(BODY, sent)


@settings(max_examples=200, deadline=None)
@given(
    raw=st.text(max_size=60),
    at=st.integers(0, 2**33),
    secret=st.sampled_from([SECRET, "whsec_other"]),
    more=st.lists(st.sampled_from(["v1=00", "v0=11", "v1=é"]), max_size=3),
)
def test_any_body_and_stamp(raw: str, at: int, secret: str, more: list[str]) -> None:
    body = raw.encode()
    sent = ",".join([header(body, secret, at), *more])

    assert verified(body, sent) is (secret == SECRET)
    if all(one.isascii() for one in more):  # the library raises on a text that is no ASCII
        assert judged(body, sent) is (secret == SECRET)


def test_while_a_secret_is_rolled_both_sign_and_without_one_nobody_does() -> None:
    sent = {"stripe-signature": header(BODY, "whsec_old")}

    assert inbound.verify(sent, BODY, SECRETS)
    assert not inbound.verify(sent, BODY, {"stripe_webhook_secret": SECRET})
    assert not inbound.verify({"stripe-signature": header(BODY, "x")}, BODY, {})
    assert not inbound.verify(
        {"stripe-signature": header(BODY, "")}, BODY, {"stripe_webhook_secret": ""}
    )


def event(kind: str, told: Any, **more: Any) -> Any:
    given = {"id": "evt_1", "object": "event", "type": kind, "created": AT, **more}
    return {**given, "data": {"object": told}}


def line(**more: Any) -> dict[str, Any]:
    period = {"start": AT, "end": AT + 31 * 86_400}
    return {"object": "line_item", "amount": 990, "period": period, **more}


OLD = {  # as API versions of before March 2025 write it
    "id": "in_1", "object": "invoice", "subscription": "sub_1", "currency": "usd",
    "amount_paid": 990, "amount_due": 990, "attempt_count": 1, "subscription_details": MEMBER,
    "lines": {"data": [line(price={"id": "price_gold"})]},
}  # fmt: skip
NEW = {  # and later ones
    "id": "in_1", "object": "invoice", "currency": "usd", "amount_paid": 990, "amount_due": 990,
    "attempt_count": 1,
    "parent": {"subscription_details": {"subscription": "sub_1", **MEMBER}},
    "lines": {"data": [line(pricing={"price_details": {"price": "price_gold"}})]},
}  # fmt: skip


@pytest.mark.parametrize("invoice", [OLD, NEW])
@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("invoice.paid", Outcome.PAID),
        ("invoice.payment_succeeded", Outcome.PAID),
        ("invoice.payment_failed", Outcome.FAILED),
    ],
)
def test_an_invoice_is_a_payment(invoice: Any, kind: str, outcome: Outcome) -> None:
    [told] = inbound.facts(event(kind, invoice))

    [fact] = told.facts
    assert isinstance(fact, PaymentReported)
    assert (told.event_id, fact.event) == ("evt_1", "evt_1")
    assert (fact.invoice, fact.reference, fact.outcome) == ("in_1", "sub_1", outcome)
    assert (fact.amount, fact.currency, fact.price) == (990, "USD", "price_gold")
    assert fact.member == MemberRef(external_id="ada")
    assert fact.occurred_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert fact.ends_at == datetime(2026, 2, 1, tzinfo=UTC)
    assert stripe.Event.construct_from(event(kind, invoice), "key").type == kind


def test_of_several_lines_the_one_that_ends_last_is_the_period() -> None:
    credit = line(amount=-500, price={"id": "price_silver"})
    lines = {"data": [credit, line(amount=1500, price={"id": "price_gold"})]}

    [told] = inbound.facts(
        event("invoice.paid", {**OLD, "lines": lines, "billing_reason": "subscription_update"})
    )

    [fact] = told.facts
    assert isinstance(fact, PaymentReported)
    assert (fact.price, fact.adjusts) == ("price_gold", True)


@pytest.mark.parametrize(
    ("currency", "theirs", "ours"), [("jpy", 990, 990), ("usd", 990, 990), ("isk", 99_000, 990)]
)
def test_amounts_are_counted_as_stripe_counts_them(currency: str, theirs: int, ours: int) -> None:
    told = {**OLD, "currency": currency, "amount_paid": theirs}

    [one] = inbound.facts(event("invoice.paid", told))

    [fact] = one.facts
    assert isinstance(fact, PaymentReported)
    assert fact.amount == ours


def subscription(**more: Any) -> dict[str, Any]:
    items = {"data": [{"price": {"id": "price_gold"}}]}
    return {
        "id": "sub_1",
        "object": "subscription",
        "status": "active",
        "items": items,
        **MEMBER,
        **more,
    }


@pytest.mark.parametrize(
    ("kind", "more", "expected"),
    [
        ("created", {"status": "trialing", "trial_end": AT + 60}, (False, False, False)),
        ("updated", {"cancel_at_period_end": True}, (True, False, False)),
        ("updated", {"cancel_at": AT + 60}, (True, False, False)),
        ("updated", {"pause_collection": {"behavior": "void"}}, (False, True, False)),
        ("paused", {"status": "paused"}, (False, True, False)),
        ("resumed", {}, (False, False, False)),
        ("deleted", {"status": "canceled"}, (False, False, True)),
        ("updated", {"status": "incomplete_expired"}, (False, False, True)),
    ],
)
def test_a_subscription_says_what_the_member_wants(kind: str, more: Any, expected: Any) -> None:
    [told] = inbound.facts(event(f"customer.subscription.{kind}", subscription(**more)))

    [fact] = told.facts
    assert isinstance(fact, ChangeReported)
    assert (fact.cancels, fact.paused, fact.closed) == expected
    assert (fact.trial_until is not None) is ("trial_end" in more)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("customer.created", {"id": "cus_1"}),
        ("invoice.paid", {**OLD, "subscription": None}),
        ("invoice.paid", {**OLD, "subscription_details": {"metadata": {}}}),
        ("customer.subscription.updated", subscription(metadata={})),
        ("charge.refunded", {"id": "ch_1", "currency": "usd", "amount_refunded": 1}),
    ],
)
def test_what_concerns_no_member_stands_for_nothing(kind: str, told: Any) -> None:
    [one] = inbound.facts(event(kind, told))

    assert (one.event_id, one.facts) == ("evt_1", ())


@pytest.mark.parametrize(
    "payload",
    [
        [], "text", 5, None, {}, {"object": "event"}, {"object": "list", "id": "evt_1"},
        event("invoice.paid", {**OLD, "amount_paid": "990"}),
        event("invoice.paid", {**OLD, "amount_paid": -1}),
        event("invoice.paid", {**OLD, "currency": "xyz"}),
        event("invoice.paid", OLD, created="today"),
        event("invoice.paid", OLD, created=10**12),
        event("invoice.paid", {**OLD, "lines": {"data": [{}]}}),
        event("invoice.paid", None),
    ],
)  # fmt: skip
def test_what_is_none_of_stripes_is_malformed(payload: Any) -> None:
    with pytest.raises((ValueError, LookupError, TypeError, AttributeError)):
        inbound.facts(payload)
