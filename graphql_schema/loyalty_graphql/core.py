"""The platform's own part of the schema."""

from loyalty_graphql.activities import Activity, ActivityMutation, ActivityQuery
from loyalty_graphql.adjustments import AdjustmentMutation
from loyalty_graphql.admin.parts import ADMIN_MUTATION, ADMIN_QUERY, ADMIN_TYPES
from loyalty_graphql.approvals import ApprovalMutation, ApprovalQuery
from loyalty_graphql.batches import BatchMutation, BatchQuery
from loyalty_graphql.bulk_adjustments import BulkAdjustmentMutation, BulkAdjustmentQuery
from loyalty_graphql.bulk_input import ADJUSTMENTS_MAX
from loyalty_graphql.choices import ChoiceMutation, MemberChoice, choices
from loyalty_graphql.compose import Core
from loyalty_graphql.corrections import CorrectionMutation
from loyalty_graphql.freezing import FreezeMutation
from loyalty_graphql.limits.numbers import Limits
from loyalty_graphql.member_mutations import MemberMutation
from loyalty_graphql.members import Member, MemberQuery
from loyalty_graphql.node_query import NodeQuery
from loyalty_graphql.parked_returns import ReturnQuery
from loyalty_graphql.previews import PreviewQuery
from loyalty_graphql.privacy import PrivacyMutation, PrivacyQuery
from loyalty_graphql.purchase_input import LINES_MAX
from loyalty_graphql.purchase_mutations import PurchaseMutation
from loyalty_graphql.purchases import Purchase, PurchaseQuery
from loyalty_graphql.redemption_mutations import RedemptionMutation
from loyalty_graphql.redemptions import Redemption, RedemptionQuery
from loyalty_graphql.subscriptions import BalanceSubscription

CORE = Core(
    query=(
        NodeQuery,
        MemberQuery,
        PrivacyQuery,
        PurchaseQuery,
        ActivityQuery,
        ReturnQuery,
        RedemptionQuery,
        PreviewQuery,
        BatchQuery,
        BulkAdjustmentQuery,
        ApprovalQuery,
        *ADMIN_QUERY,
    ),
    mutation=(
        MemberMutation,
        FreezeMutation,
        PrivacyMutation,
        PurchaseMutation,
        CorrectionMutation,
        BatchMutation,
        ActivityMutation,
        RedemptionMutation,
        AdjustmentMutation,
        BulkAdjustmentMutation,
        ApprovalMutation,
        ChoiceMutation,
        *ADMIN_MUTATION,
    ),
    subscription=(BalanceSubscription,),
    types=(Activity, Member, MemberChoice, Purchase, Redemption, *ADMIN_TYPES),
    fields={Member: (choices,)},
)

# A weekly shop has more lines than any other list has items.
LIMITS = Limits(
    list_arguments={
        "CorrectPurchaseInput.lines": LINES_MAX,
        "PreviewPurchaseInput.lines": LINES_MAX,
        "RecordPurchaseInput.lines": LINES_MAX,
        "ReversePurchaseInput.lines": LINES_MAX,
        "AdjustBalancesInput.items": ADJUSTMENTS_MAX,
    }
)
