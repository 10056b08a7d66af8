"""What the cashback program adds to the schema."""

from loyalty.plugin import GraphQLPart
from loyalty_cashback.graphql.asking import PayoutMutation
from loyalty_cashback.graphql.payouts import Payout, PayoutQuery, payouts
from loyalty_cashback.graphql.summary import CashbackSummary, cashback
from loyalty_graphql.members import Member

part = GraphQLPart(
    query=PayoutQuery,
    mutation=PayoutMutation,
    fields={Member: (cashback, payouts)},
    types=(CashbackSummary, Payout),
)
