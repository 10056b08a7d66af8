"""The ladder of tiers, on one screen."""

from loyalty.facts import ActivityRecorded, Counted, PurchaseRecorded
from loyalty.plugin import ConsumedFact, Plugin, PublishedFact, Trait, on
from loyalty.view import Stage
from loyalty_tiers import bonuses, facts, giving, graphql, personal, rewarding, rules
from loyalty_tiers.commands import SetTier, StartChallenge
from loyalty_tiers.config import TiersConfig
from loyalty_tiers.counting import counters
from loyalty_tiers.idle import idle
from loyalty_tiers.jobs import JOBS
from loyalty_tiers.standings import LOADERS, NEED, WRITERS

plugin = Plugin(
    name="tiers",
    description="Tiers that members reach by what they do, with benefits on each step.",
    config=TiersConfig,
    reactions=(
        on(PurchaseRecorded, TiersConfig, bonuses.earn, stage=Stage.BONUS, traits=bonuses.traits,
           when=bonuses.has_bonuses),
        on(PurchaseRecorded, TiersConfig, bonuses.cap, stage=Stage.CAP, when=bonuses.has_caps),
        on(ActivityRecorded, TiersConfig, bonuses.earn, stage=Stage.BONUS, traits=bonuses.traits,
           when=bonuses.has_bonuses),
        on(ActivityRecorded, TiersConfig, bonuses.cap, stage=Stage.CAP, when=bonuses.has_caps),
        on(Counted, TiersConfig, rules.look, needs=(NEED,), emits=(facts.TierChanged,)),
        on(facts.ReviewDue, TiersConfig, rules.look, needs=(NEED,), emits=(facts.TierChanged,)),
        on(SetTier, TiersConfig, giving.set_tier, needs=(NEED,), emits=(facts.TierChanged,)),
        on(StartChallenge, TiersConfig, giving.start_challenge, needs=(NEED,),
           emits=(facts.TierChanged,)),
        on(facts.RewardGiven, TiersConfig, rewarding.give, needs=(NEED,),
           emits=(facts.TierChanged,)),
        on(facts.RewardWithdrawn, TiersConfig, rewarding.withdraw, needs=(NEED,),
           emits=(facts.TierChanged,)),
    ),
    facts=(
        PublishedFact(name=SetTier.KIND, fact=SetTier),
        PublishedFact(name=StartChallenge.KIND, fact=StartChallenge),
        PublishedFact(name=facts.TierChanged.KIND, fact=facts.TierChanged),
        PublishedFact(name=facts.ReviewDue.KIND, fact=facts.ReviewDue, told=False),
        PublishedFact(name=facts.LadderReviewed.KIND, fact=facts.LadderReviewed, told=False),
    ),
    consumes=(
        ConsumedFact(name="referrals.rewarded/1", fact=facts.RewardGiven),
        ConsumedFact(name="referrals.withdrawn/1", fact=facts.RewardWithdrawn),
    ),
    traits=(
        Trait(name=rules.TIER, type=str, description="The member's tier on this ladder.",
              default=rules.first_tier, values=rules.tier_ids),
        Trait(name=rules.TIERS, type=list, description="That tier and all below it.",
              default=rules.first_tiers, values=rules.tier_ids),
    ),
    counters=counters,
    explain=bonuses.explain,
    idle=idle,
    needs=LOADERS,
    writers=WRITERS,
    jobs=JOBS,
    personal=personal.ROWS,
    templates="loyalty_tiers.templates",
    graphql=graphql.part,
)  # fmt: skip
