"""The cashback program, on one screen."""

from collections.abc import Sequence

from loyalty.commands import Redeem
from loyalty.facts import ActivityRecorded, PurchaseRecorded, PurchaseReversed, TraitChanged
from loyalty.plugin import ActivityType, Counter, Plugin, PublishedFact, Trait, on
from loyalty.view import Stage
from loyalty_cashback import facts, graphql, personal, tables
from loyalty_cashback.commands import Choose, RecordPayout, RequestPayout
from loyalty_cashback.config import CashbackConfig
from loyalty_cashback.idle import idle
from loyalty_cashback.jobs import JOBS
from loyalty_cashback.rules import paying_out
from loyalty_cashback.rules.redeeming import redeem, wanted_lots
from loyalty_earning import choices
from loyalty_earning.explaining import explain
from loyalty_earning.fruitless import fruitless
from loyalty_earning.rules import lasting, returning
from loyalty_earning.rules.capping import cap
from loyalty_earning.rules.carrying import carry
from loyalty_earning.rules.choosing import choosing
from loyalty_earning.rules.earning import earn
from loyalty_earning.rules.promoting import promote
from loyalty_earning.running_sums import running_sums
from loyalty_earning.unkept import unkept
from loyalty_earning.uses import uses

Config, PAYOUT = CashbackConfig, (paying_out.NEED,)


def counters(config: CashbackConfig) -> Sequence[Counter]:
    return [
        *uses(config),
        *running_sums(config.rules, config.currencies),
        *choices.counters(config.choices),
    ]


def traits(config: CashbackConfig) -> frozenset[str]:
    return config.traits


def promotes(config: CashbackConfig) -> bool:
    return any(rule.is_promotion for rule in config.rules)


def caps(config: CashbackConfig) -> bool:
    return bool(config.caps_on)


def rewards_activities(config: CashbackConfig) -> bool:
    return any(rule.activities for rule in config.rules)


def activities(config: CashbackConfig) -> Sequence[ActivityType]:
    return [activity.declared for activity in config.activities]


plugin = Plugin(
    name="cashback",
    description="Money back for purchases and activities, spent at the checkout or paid out.",
    config=CashbackConfig,
    reactions=(
        on(PurchaseRecorded, Config, earn, traits=traits),
        on(PurchaseRecorded, Config, promote, stage=Stage.BONUS, traits=traits, when=promotes),
        on(PurchaseRecorded, Config, cap, stage=Stage.CAP, when=caps),
        on(ActivityRecorded, Config, earn, traits=traits, when=rewards_activities),
        on(ActivityRecorded, Config, promote, stage=Stage.BONUS, traits=traits, when=promotes),
        on(ActivityRecorded, Config, cap, stage=Stage.CAP, when=caps),
        on(PurchaseReversed, Config, returning.settle_up, traits=traits,
           burns=returning.recalled_from, looks_back=returning.rules_asked_for),
        on(facts.CarriedOver, Config, carry, traits=traits, when=caps),
        on(facts.CarriedOver, Config, cap, stage=Stage.CAP, when=caps),
        on(Choose, Config, choosing(facts.ChoiceChanged), traits=(f".{choices.TRAIT}",),
           emits=(facts.ChoiceChanged,)),
        on(Redeem, Config, redeem, burns=wanted_lots),
        on(PurchaseRecorded, Config, lasting.last, stage=Stage.AFTER, traits=traits,
           burns=lasting.all_lots, when=lasting.by_purchases),
        on(ActivityRecorded, Config, lasting.last, stage=Stage.AFTER, traits=traits,
           burns=lasting.all_lots, when=lasting.by_activities),
        on(Redeem, Config, lasting.last, stage=Stage.AFTER, traits=traits,
           burns=lasting.all_lots, when=lasting.by_redemptions),
        on(TraitChanged, Config, lasting.last, stage=Stage.AFTER, traits=traits,
           burns=lasting.all_lots, when=lasting.by_standing),
        on(facts.PayoutDue, Config, paying_out.pay_statement, burns=paying_out.due_lots,
           emits=(facts.PayoutRequested,)),
        on(RequestPayout, Config, paying_out.pay_asked, burns=paying_out.asked_lots, needs=PAYOUT,
           emits=(facts.PayoutRequested,)),
        on(RecordPayout, Config, paying_out.record, restores=paying_out.given_back, needs=PAYOUT,
           emits=(facts.PayoutPaid, facts.PayoutFailed, facts.PayoutReturned)),
    ),
    facts=(
        PublishedFact(name=facts.PayoutRequested.KIND, fact=facts.PayoutRequested),
        PublishedFact(name=facts.PayoutPaid.KIND, fact=facts.PayoutPaid),
        PublishedFact(name=facts.PayoutFailed.KIND, fact=facts.PayoutFailed),
        PublishedFact(name=facts.PayoutReturned.KIND, fact=facts.PayoutReturned),
        PublishedFact(name=facts.StatementPaid.KIND, fact=facts.StatementPaid),
        PublishedFact(name=facts.CarriedOver.KIND, fact=facts.CarriedOver),
        PublishedFact(name=facts.BudgetReached.KIND, fact=facts.BudgetReached),
        PublishedFact(name=Choose.KIND, fact=Choose),
        PublishedFact(name=facts.ChoiceChanged.KIND, fact=facts.ChoiceChanged),
        PublishedFact(name=RequestPayout.KIND, fact=RequestPayout, told=False),
        PublishedFact(name=RecordPayout.KIND, fact=RecordPayout, told=False),
        PublishedFact(name=facts.PayoutDue.KIND, fact=facts.PayoutDue, told=False),
    ),
    traits=(
        Trait(name=choices.TRAIT, type=dict, description="What the member picked, by choice."),
    ),
    counters=counters,
    needs=tables.LOADERS,
    writers=tables.WRITERS,
    explain=explain,
    activities=activities,
    idle=idle,
    fruitless=fruitless,
    unkept=unkept,
    jobs=JOBS,
    invariants=tables.INVARIANTS,
    personal=personal.ROWS,
    templates="loyalty_cashback.templates",
    graphql=graphql.part,
)  # fmt: skip
