"""What the referral program adds to the schema."""

import strawberry

from loyalty.plugin import GraphQLPart
from loyalty_graphql.members import Member
from loyalty_referrals.graphql.claiming import ClaimMutation
from loyalty_referrals.graphql.codes import CodeMutation, ReferralCode, referral_codes
from loyalty_referrals.graphql.desk import DeskMutation, DeskQuery
from loyalty_referrals.graphql.funnel import FunnelQuery
from loyalty_referrals.graphql.mine import MemberReferral, referrals, referred_by


@strawberry.type
class ReferralsQuery(DeskQuery, FunnelQuery):
    pass


@strawberry.type
class ReferralsMutation(CodeMutation, ClaimMutation, DeskMutation):
    pass


part = GraphQLPart(
    query=ReferralsQuery,
    mutation=ReferralsMutation,
    fields={Member: (referral_codes, referrals, referred_by)},
    types=(ReferralCode, MemberReferral),
)
