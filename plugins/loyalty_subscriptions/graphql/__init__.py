"""What the program of subscriptions adds to the schema."""

import strawberry

from loyalty.plugin import GraphQLPart
from loyalty_graphql.members import Member
from loyalty_subscriptions.graphql.commands import SubscriptionCommands
from loyalty_subscriptions.graphql.listing import ListQuery, ProgramSubscription
from loyalty_subscriptions.graphql.payments import PaymentMutation
from loyalty_subscriptions.graphql.plans import PlanQuery, SubscriptionPlan
from loyalty_subscriptions.graphql.staff import StaffMutation
from loyalty_subscriptions.graphql.subscriptions import MemberSubscription, subscriptions


@strawberry.type
class SubscriptionsMutation(SubscriptionCommands, PaymentMutation, StaffMutation):
    pass


@strawberry.type
class SubscriptionsQuery(PlanQuery, ListQuery):
    pass


part = GraphQLPart(
    query=SubscriptionsQuery,
    mutation=SubscriptionsMutation,
    fields={Member: (subscriptions,)},
    types=(MemberSubscription, SubscriptionPlan, ProgramSubscription),
)
