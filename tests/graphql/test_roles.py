"""Who may call what: every operation of the schema by every role, as the SDL says it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from graphql import FieldDefinitionNode, ObjectTypeDefinitionNode, parse

from loyalty_graphql.compose import sdl
from loyalty_graphql.ids import node_id
from loyalty_tenants.principal import Role
from loyalty_tenants.scopes import DEFAULT
from tests.graphql.operations import Operation, operations
from tests.graphql.watcher import watching

# Whom the widest doors are open to, so that none is widened without being noticed.
OPEN_TO = {
    "MEMBER": {
        "node", "member", "purchase", "activity", "redemption", "previewPurchase",
        "previewActivity", "viewer", "tenant", "programs", "program", "units", "redeemPoints",
        "releaseRedemption", "balanceChanged", "activatePoints", "chooseDonation",
        "choose", "rewardValue", "issueLinkCode", "redeemLinkCode", "endPartnerLink",
        "quoteExchange", "exchangePoints",
        "subscriptionPlans", "subscribe", "cancelSubscription", "pauseSubscription",
        "resumeSubscription", "changeSubscriptionPlan",
        "claimReferralCode", "shareReferralCode",
        "requestPayout",
    },
    "PARTNER": {
        "recordPurchase", "recordPurchases", "recordActivity", "batchItemSchema", "viewer",
        "tenant", "programs", "program", "units", "partnerAgreement", "acceptPartnerTerms",
        "partnerStatement", "partnerStatements", "partnerLines", "partnerStatementFile",
        "proposeStatement", "agreeStatement", "settleStatement", "disputePartnerLine",
        "decidePartnerDispute", "ownPartnerships", "recordPartnerFact", "reversePartnerFact",
        "buyPointPack", "suspendPartnership", "resumePartnership", "endPartnership",
        "endPartnerLink", "greetPartner", "withdrawPartnerTerms", "offerExchange",
        "offerPartnerTerms", "creditExchange",
        "voidExchange", "confirmExchanges", "takeExchangeBack", "restoreExchange",
        "linkPartnerMember", "partnerDay",
    },
    "PUBLIC": set(),
}  # fmt: skip
# What an operator may ask that names no tenant, or an id that is nothing's.
WITHOUT_TENANT = {
    "viewer", "tenant", "tenants", "createTenant", "suspendTenant", "resumeTenant", "programKinds",
    "conditionNames", "checkCondition", "batchItemSchema", "node", "redemption", "revokeApiKey",
    "updateProgram", "publishProgram", "archiveProgram", "webhookTopics",
    "backtest", "cancelBacktest", "rollBackProgram",
    "startProgram", "programTemplates", "checkConfig", "setAdjustmentReason", "bulkAdjustment",
    "approveRequest", "rejectRequest",
    "proposePartnerTerms", "acceptPartnerTerms", "suspendPartnership", "resumePartnership",
    "endPartnership", "issueLinkCode", "redeemLinkCode", "endPartnerLink", "quoteExchange",
    "exchangePoints", "reverseExchange", "proposeStatement", "agreeStatement", "settleStatement",
    "disputePartnerLine", "decidePartnerDispute", "reversePartnerFact", "buyPointPack",
    "partnerAgreement", "partnerStatement", "partnerStatements", "partnerStatementFile",
    "earnAtPartnerTill", "spendAtPartnerTill", "giveExchangeUp", "connectRemotePartner",
    "endRemotePartner", "withdrawPartnerTerms", "rotateRemotePartnerSecret",
    "askExchangeWriteOff", "decideExchangeWriteOff",
}  # fmt: skip
ROOTS = ("Query", "Mutation", "Subscription")


@dataclass(frozen=True, slots=True)
class Clause:
    roles: frozenset[str]
    scope: str | None

    def fits(self, role: Role, scopes: frozenset[str]) -> bool:
        return role.value in self.roles and (self.scope is None or self.scope in scopes)


def _access(text: str) -> dict[str, list[Clause]]:
    """The `@access` of every root field, read from the SDL."""
    return {
        field.name.value: [_clause(directive) for directive in field.directives or ()]
        for definition in parse(text).definitions
        if isinstance(definition, ObjectTypeDefinitionNode) and definition.name.value in ROOTS
        for field in definition.fields or ()
        if isinstance(field, FieldDefinitionNode)
    }


def _clause(directive: Any) -> Clause:
    assert directive.name.value == "access"
    given = {argument.name.value: argument.value for argument in directive.arguments}
    roles = frozenset(value.value for value in given["roles"].values)
    return Clause(roles, given["scope"].value if "scope" in given else None)


@pytest.fixture(scope="module")
def access(server: Any) -> Mapping[str, list[Clause]]:
    return _access(sdl(server.services.schema))


def test_every_operation_says_who_may_call_it(server: Any, access: Any) -> None:
    names = [operation.name for operation in operations(server.services.schema.core)]

    assert sorted(names) == sorted(access)
    assert len(names) > 40
    assert [name for name, clauses in access.items() if not clauses] == []
    for role, names_open in OPEN_TO.items():
        found = {name for name, clauses in access.items() if any(role in c.roles for c in clauses)}
        assert found == names_open, role


@pytest.mark.parametrize("role", [Role.MEMBER, Role.PARTNER, Role.SERVICE, Role.ADMIN])
async def test_each_role_is_let_in_where_the_schema_says_so(
    role: Role, brand: Any, access: Any, rows: Any
) -> None:
    await brand.enroll("ada")
    client = brand.token(role, "ada")
    before = await rows.of(brand.tenant_id)

    expected, told = {}, {}
    for operation in _closed_first(brand, access, role):
        allowed = any(clause.fits(role, DEFAULT[role]) for clause in access[operation.name])
        expected[operation.name] = None if allowed else "FORBIDDEN"
        told[operation.name] = await _told(client, operation)
        if not allowed:
            assert await rows.of(brand.tenant_id) == before, operation.name

    assert told == expected


async def test_nobody_is_let_in_without_a_credential(anonymous: Any, server: Any) -> None:
    told = {
        operation.name: await _told(anonymous, operation)
        for operation in operations(server.services.schema.core)
    }

    assert set(told.values()) == {"UNAUTHENTICATED"}


async def test_an_operator_acts_in_the_tenant_of_the_token(
    brand: Any, operator: Callable[..., Any], access: Any, server: Any
) -> None:
    inside, outside = operator(brand.slug), operator()

    told = {}
    every = operations(server.services.schema.core)
    for operation in sorted(every, key=lambda operation: operation.kind == "mutation"):
        told[operation.name] = await _told(outside, operation), await _told(inside, operation)

    assert told == {
        name: (
            None if name in WITHOUT_TENANT else "FORBIDDEN",
            None
            if any(clause.fits(Role.OPERATOR, DEFAULT[Role.OPERATOR]) for clause in clauses)
            else "FORBIDDEN",
        )
        for name, clauses in access.items()
    }


@pytest.mark.parametrize("role", list(Role))
async def test_without_its_scope_no_role_is_let_in(
    role: Role, brand: Any, access: Any, operator: Callable[..., Any]
) -> None:
    client = (
        operator(brand.slug, scopes=[]) if role is Role.OPERATOR else brand.token(role, "a", [])
    )

    for operation in operations(brand.server.services.schema.core):
        clauses = access[operation.name]
        allowed = any(clause.fits(role, frozenset()) for clause in clauses)
        told = await _told(client, operation)
        assert told == (None if allowed else "FORBIDDEN"), operation.name


def _closed_first(brand: Any, access: Any, role: Role) -> list[Operation]:
    """What may change the tenant comes last."""

    def changes(operation: Operation) -> tuple[bool, bool]:
        allowed = any(clause.fits(role, DEFAULT[role]) for clause in access[operation.name])
        return allowed, operation.kind == "mutation"

    return sorted(operations(brand.server.services.schema.core), key=changes)


def _well_formed(path: str, kind: str) -> str | None:
    """Ids and keys that get past the first look, so that what is asked about is the caller."""
    if path.endswith(("idempotencyKey", ".redemption")):
        return node_id("Redemption", UUID(int=1))
    return None


async def _told(client: Any, operation: Operation) -> str | None:
    """UNAUTHENTICATED, FORBIDDEN, or None where the caller was let in."""
    document, variables = operation.request(_well_formed)
    if operation.kind == "subscription":
        errors = await _subscribed(client, document, variables)
    else:
        answer = (await client.post(document, variables)).json()
        errors = answer.get("errors", [])
    codes = {error["extensions"]["code"] for error in errors}
    assert not codes & {"INTERNAL", "BAD_REQUEST", "GRAPHQL_VALIDATION_FAILED"}, (document, errors)
    return next((code for code in ("UNAUTHENTICATED", "FORBIDDEN") if code in codes), None)


async def _subscribed(client: Any, document: str, variables: Any) -> list[Any]:
    async with watching(client) as watcher:
        if client.credential:
            await watcher.ask("1", document, variables)
        heard = await watcher.hear()
    if heard == 4403:
        return [{"extensions": {"code": "UNAUTHENTICATED"}}]
    assert heard["type"] == "error", heard
    found: list[Any] = heard["payload"]
    return found
