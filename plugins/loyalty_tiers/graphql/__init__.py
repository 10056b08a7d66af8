"""What tiers add to the schema."""

from loyalty.plugin import GraphQLPart
from loyalty_graphql.members import Member
from loyalty_tiers.graphql.giving import GivingMutation
from loyalty_tiers.graphql.offered import LadderQuery
from loyalty_tiers.graphql.standings import MemberStanding, standings

part = GraphQLPart(
    query=LadderQuery,
    mutation=GivingMutation,
    fields={Member: (standings,)},
    types=(MemberStanding,),
)
