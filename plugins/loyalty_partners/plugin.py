"""Partnerships, on one screen."""

from loyalty.facts import FactReversed
from loyalty.plugin import Errand, Plugin, PublishedFact, on
from loyalty_partners import fund, graphql, half, legs, lines, personal
from loyalty_partners.config import PartnersConfig
from loyalty_partners.facts import (
    ChargeUndone,
    FundsLow,
    GivingUndone,
    PackSold,
    PartnerCharged,
    PointsGiven,
    PointsIssued,
    PointsReceived,
    PointsSent,
    PointsTaken,
    SendingUndone,
    SendingVoided,
    SendingWrittenOff,
    WriteOffEnded,
)
from loyalty_partners.invariants import INVARIANTS, NETS
from loyalty_partners.remote import errand
from loyalty_partners.rules import issuing, moving, sending, undoing, writing_off

HALF, UNDONE = (half.NEED,), (lines.NEED,)
LEG = (half.NEED, legs.NEED)

plugin = Plugin(
    name="partners",
    description="Points exchanged with partner brands, given by them and settled with them.",
    config=PartnersConfig,
    reactions=(
        on(PointsGiven, PartnersConfig, moving.give, burns=moving.wanted_lots, needs=HALF),
        on(PointsTaken, PartnersConfig, moving.take, needs=HALF),
        on(PartnerCharged, PartnersConfig, moving.charge, needs=HALF),
        on(GivingUndone, PartnersConfig, undoing.undo_giving, needs=UNDONE),
        on(PointsSent, PartnersConfig, sending.send, burns=moving.wanted_lots, needs=HALF),
        on(PointsReceived, PartnersConfig, sending.receive, needs=LEG),
        on(SendingVoided, PartnersConfig, undoing.void_sending, needs=(*UNDONE, legs.NEED)),
        on(SendingWrittenOff, PartnersConfig, writing_off.write_off, needs=(*UNDONE, legs.NEED)),
        on(WriteOffEnded, PartnersConfig, writing_off.end_write_off, needs=(*UNDONE, legs.NEED)),
        on(SendingUndone, PartnersConfig, undoing.undo_giving, needs=UNDONE),
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
        PublishedFact(name=PointsSent.KIND, fact=PointsSent),
        PublishedFact(name=PointsReceived.KIND, fact=PointsReceived),
        PublishedFact(name=SendingVoided.KIND, fact=SendingVoided),
        PublishedFact(name=SendingWrittenOff.KIND, fact=SendingWrittenOff),
        PublishedFact(name=WriteOffEnded.KIND, fact=WriteOffEnded),
        PublishedFact(name=SendingUndone.KIND, fact=SendingUndone),
        PublishedFact(name=ChargeUndone.KIND, fact=ChargeUndone),
        PublishedFact(name=PointsIssued.KIND, fact=PointsIssued),
        PublishedFact(name=PackSold.KIND, fact=PackSold),
        PublishedFact(name=FundsLow.KIND, fact=FundsLow),
    ),
    needs=(half.HALVES, lines.UNDONE, fund.FUNDS, legs.LEGS),
    writers=(lines.LINES, *fund.WRITERS, *legs.WRITERS),
    errands=(
        Errand(name="partners elsewhere", due=errand.DUE, waiting=errand.WAITING, run=errand.run),
    ),
    invariants=INVARIANTS,
    nets=NETS,
    personal=personal.ROWS,
    impersonal=personal.IMPERSONAL,
    graphql=graphql.part,
)
