"""Partnerships, on one screen."""

from loyalty.facts import FactReversed
from loyalty.plugin import Plugin, PublishedFact, on
from loyalty_partners import graphql, half, lines
from loyalty_partners.config import PartnersConfig
from loyalty_partners.facts import (
    ChargeUndone,
    GivingUndone,
    PartnerCharged,
    PointsGiven,
    PointsTaken,
)
from loyalty_partners.invariants import INVARIANTS, NETS
from loyalty_partners.rules import moving, undoing

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
        on(FactReversed, PartnersConfig, undoing.undo_taking, needs=UNDONE),
    ),
    facts=(
        PublishedFact(name=PointsGiven.KIND, fact=PointsGiven),
        PublishedFact(name=PointsTaken.KIND, fact=PointsTaken),
        PublishedFact(name=PartnerCharged.KIND, fact=PartnerCharged),
        PublishedFact(name=GivingUndone.KIND, fact=GivingUndone),
        PublishedFact(name=ChargeUndone.KIND, fact=ChargeUndone),
    ),
    needs=(half.HALVES, lines.UNDONE),
    writers=(lines.LINES,),
    invariants=INVARIANTS,
    nets=NETS,
    graphql=graphql.part,
)
