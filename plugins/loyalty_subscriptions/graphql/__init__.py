"""What the program of subscriptions adds to the schema."""

import strawberry

from loyalty.plugin import GraphQLPart
from loyalty_graphql.members import Member
from loyalty_subscriptions.graphql.commands import SubscriptionCommands
from loyalty_subscriptions.graphql.payments import PaymentMutation
from loyalty_subscriptions.graphql.plans import PlanQuery, SubscriptionPlan
from loyalty_subscriptions.graphql.staff import StaffMutation
from loyalty_subscriptions.graphql.subscriptions import MemberSubscription, subscriptions


@strawberry.type
class SubscriptionsMutation(SubscriptionCommands, PaymentMutation, StaffMutation):
    pass


part = GraphQLPart(
    query=PlanQuery,
    mutation=SubscriptionsMutation,
    fields={Member: (subscriptions,)},
    types=(MemberSubscription, SubscriptionPlan),
)
