"""The referral program, on one screen."""

from loyalty.facts import (
    FactReversed,
    MemberEnrolled,
    MemberErased,
    PurchaseRecorded,
    PurchaseReversed,
)
from loyalty.plugin import ConsumedFact, Loader, Plugin, PublishedFact, Writer, on
from loyalty_referrals import facts, graphql, needs, personal, rows
from loyalty_referrals.commands import ClaimCode, ReviewReferral, ShareCode
from loyalty_referrals.config import ReferralsConfig
from loyalty_referrals.counting import counters, counts_orders
from loyalty_referrals.invariants import INVARIANTS
from loyalty_referrals.rules.attributing import claim, enroll
from loyalty_referrals.rules.judging import look
from loyalty_referrals.rules.laddering import stand
from loyalty_referrals.rules.paying import pay, undo
from loyalty_referrals.rules.qualifying import bring_back, buy, qualify, reconsider, subscribe
from loyalty_referrals.rules.remembering import forget, remember
from loyalty_referrals.rules.reviewing import review
from loyalty_referrals.rules.sharing import share
from loyalty_referrals.tables import codes, failures, ladders, past, referrals, signals

SUBSCRIBED, RENEWED = "subscriptions.started/1", "subscriptions.renewed/1"
NAMED = (facts.Attributed, facts.Flagged)
PAID = (facts.RewardDue, facts.Rewarded, facts.FriendStands, facts.StepReached)

plugin = Plugin(
    name="referrals",
    description="Members bring friends, and both have something of it.",
    config=ReferralsConfig,
    reactions=(
        on(MemberEnrolled, ReferralsConfig, enroll, needs=(needs.CODE, needs.SIGNALS),
           emits=NAMED),
        on(ShareCode, ReferralsConfig, share, needs=(needs.VANITY,)),
        on(ClaimCode, ReferralsConfig, claim, needs=(needs.REFERRAL, needs.CODE), emits=NAMED),
        on(PurchaseRecorded, ReferralsConfig, buy, emits=(*NAMED, facts.Qualified),
           needs=(needs.REFERRAL, needs.CODE, needs.SIGNALS)),
        on(facts.SubscriptionStarted, ReferralsConfig, subscribe, needs=(needs.REFERRAL,),
           emits=(facts.Qualified,)),
        on(facts.SubscriptionRenewed, ReferralsConfig, subscribe, needs=(needs.REFERRAL,),
           emits=(facts.Qualified,)),
        on(facts.Attributed, ReferralsConfig, look, needs=(needs.REFERRAL, needs.EVIDENCE),
           emits=(facts.Flagged,)),
        on(facts.Qualified, ReferralsConfig, qualify, needs=(needs.REFERRAL, needs.EVIDENCE),
           emits=(facts.Flagged, facts.RewardDue)),
        on(facts.Reconsidered, ReferralsConfig, reconsider,
           needs=(needs.REFERRAL, needs.EVIDENCE), emits=(facts.Flagged, facts.RewardDue)),
        on(facts.RewardDue, ReferralsConfig, pay, needs=(needs.LADDER,), emits=PAID),
        on(facts.StepReached, ReferralsConfig, stand, needs=(needs.LADDER,), emits=PAID),
        on(ReviewReferral, ReferralsConfig, review, needs=(needs.REFERRAL,),
           emits=(facts.RewardDue,)),
        on(PurchaseReversed, ReferralsConfig, bring_back, needs=(needs.REFERRAL,),
           emits=(FactReversed,), when=counts_orders),
        on(FactReversed, ReferralsConfig, undo, needs=(needs.REFERRAL, needs.LADDER),
           emits=(facts.Withdrawn, facts.StepReached, facts.Reconsidered, FactReversed)),
        on(MemberErased, ReferralsConfig, remember, needs=(needs.REFERRAL,),
           emits=(facts.PastForgotten,)),
        on(facts.PastForgotten, ReferralsConfig, forget),
    ),
    facts=(
        PublishedFact(name=facts.Attributed.KIND, fact=facts.Attributed),
        PublishedFact(name=facts.Flagged.KIND, fact=facts.Flagged),
        PublishedFact(name=facts.Rewarded.KIND, fact=facts.Rewarded),
        PublishedFact(name=facts.Withdrawn.KIND, fact=facts.Withdrawn),
        PublishedFact(name=ShareCode.KIND, fact=ShareCode, told=False),
        PublishedFact(name=ClaimCode.KIND, fact=ClaimCode, told=False),
        PublishedFact(name=ReviewReferral.KIND, fact=ReviewReferral, told=False),
        PublishedFact(name=facts.Qualified.KIND, fact=facts.Qualified, told=False),
        PublishedFact(name=facts.Reconsidered.KIND, fact=facts.Reconsidered, told=False),
        PublishedFact(name=facts.RewardDue.KIND, fact=facts.RewardDue, told=False),
        PublishedFact(name=facts.FriendStands.KIND, fact=facts.FriendStands, told=False),
        PublishedFact(name=facts.StepReached.KIND, fact=facts.StepReached, told=False),
        PublishedFact(name=facts.PastForgotten.KIND, fact=facts.PastForgotten, told=False),
    ),
    consumes=(
        ConsumedFact(name=SUBSCRIBED, fact=facts.SubscriptionStarted),
        ConsumedFact(name=RENEWED, fact=facts.SubscriptionRenewed),
    ),
    counters=counters,
    needs=(
        Loader(name=needs.REFERRAL, load=referrals.load_referrals),
        Loader(name=needs.CODE, load=codes.load_codes),
        Loader(name=needs.VANITY, load=codes.load_wishes),
        Loader(name=needs.SIGNALS, load=signals.load_signals),
        Loader(name=needs.EVIDENCE, load=signals.load_evidence),
        Loader(name=needs.LADDER, load=ladders.load_ladders),
    ),
    writers=(
        Writer(row=rows.CodeRow, write=codes.write_codes),
        Writer(row=rows.ShareRow, write=codes.write_shares),
        Writer(row=rows.SignalRow, write=signals.write_signals),
        Writer(row=rows.FailedRow, write=failures.write_failures),
        Writer(row=rows.PastRow, write=past.write_past),
        Writer(row=rows.ForgottenRow, write=past.forget_past),
        Writer(row=rows.Referral, write=referrals.write_referrals),
        Writer(row=rows.SideRow, write=ladders.write_sides),
        Writer(row=rows.StepRow, write=ladders.write_steps),
    ),
    invariants=INVARIANTS,
    personal=personal.ROWS,
    impersonal=personal.IMPERSONAL,
    templates="loyalty_referrals.templates",
    graphql=graphql.part,
)  # fmt: skip
