"""What partnerships add to the schema."""

import strawberry

from loyalty.plugin import GraphQLPart
from loyalty_graphql.members import Member
from loyalty_partners.graphql.agreements import AgreementQuery, PartnerAgreement
from loyalty_partners.graphql.exchanges import (
    ExchangeMutation,
    PartnerExchange,
    partner_exchanges,
)
from loyalty_partners.graphql.links import LinkMutation, PartnerLink, partner_links
from loyalty_partners.graphql.partnerships import PartnershipMutation


@strawberry.type
class PartnersQuery(AgreementQuery):
    pass


@strawberry.type
class PartnersMutation(PartnershipMutation, LinkMutation, ExchangeMutation):
    pass


part = GraphQLPart(
    query=PartnersQuery,
    mutation=PartnersMutation,
    fields={Member: (partner_links, partner_exchanges)},
    types=(PartnerAgreement, PartnerLink, PartnerExchange),
)
