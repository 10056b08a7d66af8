"""Partnerships, on one screen."""

from loyalty.facts import FactReversed
from loyalty.plugin import Plugin, PublishedFact, on
from loyalty_partners import fund, graphql, half, lines, personal
from loyalty_partners.config import PartnersConfig
from loyalty_partners.facts import (
    ChargeUndone,
    FundsLow,
    GivingUndone,
    PackSold,
    PartnerCharged,
    PointsGiven,
    PointsIssued,
    PointsTaken,
)
from loyalty_partners.invariants import INVARIANTS, NETS
from loyalty_partners.rules import issuing, moving, undoing

HALF, UNDONE = (half.NEED,), (lines.NEED,)

plugin = Plugin(
    name="partners",
    description="Points exchanged with partner brands, given by them and settled with them.",
    config=PartnersConfig,
    reactions=(
        on(PointsGiven, PartnersConfig, moving.give, burns=moving.wanted_lots, needs=HALF),
        on(PointsTaken, PartnersConfig, moving.take, needs=HALF),
        on(PartnerCharged, PartnersConfig, moving.charge, needs=HALF),
        on(GivingUndone, PartnersConfig, undoing.undo_giving, needs=UNDONE),
        on(ChargeUndone, PartnersConfig, undoing.undo_charge, needs=UNDONE),
        on(PointsIssued, PartnersConfig, issuing.issue, needs=(fund.NEED,), emits=(FundsLow,)),
        on(FactReversed, PartnersConfig, issuing.reverse_issue, needs=UNDONE),
        on(PackSold, PartnersConfig, issuing.sell),
        on(FactReversed, PartnersConfig, undoing.undo_taking, needs=UNDONE),
    ),
    facts=(
        PublishedFact(name=PointsGiven.KIND, fact=PointsGiven),
        PublishedFact(name=PointsTaken.KIND, fact=PointsTaken),
        PublishedFact(name=PartnerCharged.KIND, fact=PartnerCharged),
        PublishedFact(name=GivingUndone.KIND, fact=GivingUndone),
        PublishedFact(name=ChargeUndone.KIND, fact=ChargeUndone),
        PublishedFact(name=PointsIssued.KIND, fact=PointsIssued),
        PublishedFact(name=PackSold.KIND, fact=PackSold),
        PublishedFact(name=FundsLow.KIND, fact=FundsLow),
    ),
    needs=(half.HALVES, lines.UNDONE, fund.FUNDS),
    writers=(lines.LINES, *fund.WRITERS),
    invariants=INVARIANTS,
    nets=NETS,
    personal=personal.ROWS,
    impersonal=personal.IMPERSONAL,
    graphql=graphql.part,
)
