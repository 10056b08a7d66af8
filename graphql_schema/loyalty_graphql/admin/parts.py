"""What setting tenants up adds to the schema, for `Core`."""

from loyalty_graphql.admin.approval_policy import ApprovalPolicyMutation, ApprovalPolicyQuery
from loyalty_graphql.admin.audit_trail import AuditQuery
from loyalty_graphql.admin.backtests import BacktestMutation, BacktestQuery
from loyalty_graphql.admin.conditions import ConditionQuery
from loyalty_graphql.admin.config_check import ConfigCheckQuery
from loyalty_graphql.admin.issuers import IssuerMutation, IssuerQuery
from loyalty_graphql.admin.keys import ApiKeyMutation, ApiKeyQuery
from loyalty_graphql.admin.liability import LiabilityMutation, LiabilityQuery
from loyalty_graphql.admin.operators import OperatorMutation
from loyalty_graphql.admin.program_kinds import ProgramKindQuery
from loyalty_graphql.admin.program_mutations import ProgramMutation
from loyalty_graphql.admin.programs import Program, ProgramQuery
from loyalty_graphql.admin.reasons import AdjustmentReasonMutation, AdjustmentReasonQuery
from loyalty_graphql.admin.refused_due import RefusedDueQuery
from loyalty_graphql.admin.retention import RetentionMutation, RetentionQuery
from loyalty_graphql.admin.secrets import SecretMutation
from loyalty_graphql.admin.templates import TemplateMutation, TemplateQuery
from loyalty_graphql.admin.tenants import TenantMutation, TenantQuery
from loyalty_graphql.admin.units import UnitMutation, UnitQuery
from loyalty_graphql.admin.viewer import ViewerQuery
from loyalty_graphql.admin.webhook_deliveries import WebhookDeliveryMutation, WebhookDeliveryQuery
from loyalty_graphql.admin.webhook_endpoints import WebhookEndpointQuery
from loyalty_graphql.admin.webhook_mutations import WebhookEndpointMutation

ADMIN_QUERY = (
    ViewerQuery,
    TenantQuery,
    ProgramQuery,
    ProgramKindQuery,
    ConditionQuery,
    TemplateQuery,
    ConfigCheckQuery,
    AdjustmentReasonQuery,
    ApprovalPolicyQuery,
    LiabilityQuery,
    BacktestQuery,
    UnitQuery,
    ApiKeyQuery,
    IssuerQuery,
    WebhookEndpointQuery,
    WebhookDeliveryQuery,
    AuditQuery,
    RefusedDueQuery,
    RetentionQuery,
)
ADMIN_MUTATION = (
    TenantMutation,
    SecretMutation,
    IssuerMutation,
    ApiKeyMutation,
    UnitMutation,
    ProgramMutation,
    TemplateMutation,
    AdjustmentReasonMutation,
    ApprovalPolicyMutation,
    LiabilityMutation,
    BacktestMutation,
    WebhookEndpointMutation,
    WebhookDeliveryMutation,
    OperatorMutation,
    RetentionMutation,
)
ADMIN_TYPES = (Program,)
