"""What the points program adds to the schema."""

import strawberry

from loyalty.plugin import GraphQLPart
from loyalty_graphql.members import Member
from loyalty_graphql.redemptions import Redemption
from loyalty_points.graphql.activation import (
    ActivationMutation,
    AwaitingActivation,
    awaiting_activation,
)
from loyalty_points.graphql.dividends import DividendMutation, DividendQuery
from loyalty_points.graphql.donation import DonationMutation
from loyalty_points.graphql.issuing import IssuingQuery
from loyalty_points.graphql.rewards import MemberReward, RewardQuery, reward, rewards


@strawberry.type
class PointsQuery(IssuingQuery, DividendQuery, RewardQuery):
    pass


@strawberry.type
class PointsMutation(ActivationMutation, DividendMutation, DonationMutation):
    pass


part = GraphQLPart(
    query=PointsQuery,
    mutation=PointsMutation,
    fields={Member: (awaiting_activation, rewards), Redemption: (reward,)},
    types=(AwaitingActivation, MemberReward),
)
