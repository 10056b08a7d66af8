"""What partnerships add to the schema."""

import strawberry

from loyalty.plugin import GraphQLPart
from loyalty_graphql.members import Member
from loyalty_partners.graphql.agreements import AgreementQuery, PartnerAgreement
from loyalty_partners.graphql.brands import BrandMutation, BrandQuery
from loyalty_partners.graphql.coalition import CoalitionMutation
from loyalty_partners.graphql.days import DayQuery, compared_days
from loyalty_partners.graphql.exchanges import ExchangeMutation, PartnerExchange
from loyalty_partners.graphql.links import LinkMutation, PartnerLink, partner_links
from loyalty_partners.graphql.member_exchanges import partner_exchanges
from loyalty_partners.graphql.offers import OfferMutation
from loyalty_partners.graphql.packs import packs, points_left
from loyalty_partners.graphql.partnerships import PartnershipMutation
from loyalty_partners.graphql.peer_calls import PeerCallMutation
from loyalty_partners.graphql.peers import PeerMutation, PeerQuery
from loyalty_partners.graphql.positions import PositionQuery
from loyalty_partners.graphql.settlement import SettlementMutation
from loyalty_partners.graphql.statements import StatementQuery
from loyalty_partners.graphql.under_way import UnderWayQuery
from loyalty_partners.graphql.writing_off import WriteOffMutation


@strawberry.type
class PartnersQuery(
    AgreementQuery,
    StatementQuery,
    PositionQuery,
    BrandQuery,
    PeerQuery,
    DayQuery,
    UnderWayQuery,
):
    pass


@strawberry.type
class PartnersMutation(
    PartnershipMutation,
    LinkMutation,
    ExchangeMutation,
    SettlementMutation,
    BrandMutation,
    CoalitionMutation,
    PeerMutation,
    OfferMutation,
    PeerCallMutation,
    WriteOffMutation,
):
    pass


part = GraphQLPart(
    query=PartnersQuery,
    mutation=PartnersMutation,
    fields={
        Member: (partner_links, partner_exchanges),
        PartnerAgreement: (packs, points_left, compared_days),
    },
    types=(PartnerAgreement, PartnerLink, PartnerExchange),
)
