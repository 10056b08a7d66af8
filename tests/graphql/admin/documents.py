"""The documents of these tests: one mutation with all that its payload shows, and the queries."""

from typing import Any

TENANT = """id slug name zone currencies status totalTolerance backdatingSeconds aheadSeconds
  parkingSeconds enrollOnPurchase createdAt"""
VERSION = "id number config effectiveFrom publishedAt publishedBy state activatedAt"
PROGRAM = f"""id slug kind name position status version createdAt archivedAt config secretsSet
  versions {{ {VERSION} }}"""
KEY = "id prefix role scopes client label createdAt expiresAt revokedAt lastUsedAt"
ISSUER = "issuer jwksUrl algorithms audience"
ENTRY = "id at actor role action subject details requestId"
HOOK = """id url topics description status disabledReason failures restingUntil createdAt
  updatedAt"""
DELIVERY = """id endpointId eventId topic state attempts attemptedAt httpStatus problem createdAt
  finishedAt"""
SUM = "times granted takenBack net cost"
COMPARED = f"name label published {{ {SUM} }} draft {{ {SUM} }}"
CHANGED = "id externalId published draft"
COUNT = "name count"
BACKTEST = f"""id program config from to costPerPoint state done total askedBy askedAt finishedAt
  error
  csv chart report {{ facts {{ {COUNT} }} warmedUp leftOut {{ {COUNT} }} failures {{ {COUNT} }}
    units {{ unit currency published {{ {SUM} }} draft {{ {SUM} }} rules {{ {COMPARED} }}
      months {{ {COMPARED} }} categories {{ {COMPARED} }} membersBetter membersWorse membersSame
      gain {{ {CHANGED} }} lose {{ {CHANGED} }} }} }}"""
PAGE = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"

PAYLOADS = {
    "updateTenant": f"tenant {{ {TENANT} }}",
    "rotateTenantSecret": "kid secret",
    "setTokenIssuer": f"issuer {{ {ISSUER} }}",
    "removeTokenIssuer": f"issuer {{ {ISSUER} }}",
    "createApiKey": f"apiKey {{ {KEY} }} secret",
    "revokeApiKey": f"apiKey {{ {KEY} }}",
    "createUnit": "unit { code name places kind }",
    "createProgram": f"program {{ {PROGRAM} }}",
    "updateProgram": f"program {{ {PROGRAM} }}",
    "publishProgram": f"program {{ {PROGRAM} }} version {{ {VERSION} }}",
    "rollBackProgram": f"program {{ {PROGRAM} }} version {{ {VERSION} }}",
    "startProgram": f"program {{ {PROGRAM} }}",
    "archiveProgram": f"program {{ {PROGRAM} }}",
    "startBacktest": f"backtest {{ {BACKTEST} }}",
    "cancelBacktest": f"backtest {{ {BACKTEST} }}",
    "createWebhookEndpoint": f"endpoint {{ {HOOK} }} secret previousSecretUntil",
    "updateWebhookEndpoint": f"endpoint {{ {HOOK} }}",
    "rotateWebhookSecret": f"endpoint {{ {HOOK} }} secret previousSecretUntil",
    "disableWebhookEndpoint": f"endpoint {{ {HOOK} }}",
    "enableWebhookEndpoint": f"endpoint {{ {HOOK} }}",
    "deleteWebhookEndpoint": "deletedId",
    "pingWebhookEndpoint": f"delivery {{ {DELIVERY} }}",
    "replayWebhookDeliveries": f"deliveries {{ {DELIVERY} }}",
    "createTenant": f"tenant {{ {TENANT} }} apiKey {{ {KEY} }} secret",
    "suspendTenant": f"tenant {{ {TENANT} }}",
    "resumeTenant": f"tenant {{ {TENANT} }}",
}
SCOPES = {
    "updateTenant": "tenant:write",
    "rotateTenantSecret": "tenant:write",
    "setTokenIssuer": "tenant:write",
    "removeTokenIssuer": "tenant:write",
    "createApiKey": "keys:write",
    "revokeApiKey": "keys:write",
    "createUnit": "programs:write",
    "createProgram": "programs:write",
    "updateProgram": "programs:write",
    "publishProgram": "programs:write",
    "rollBackProgram": "programs:write",
    "startProgram": "programs:write",
    "archiveProgram": "programs:write",
    "startBacktest": "programs:write",
    "cancelBacktest": "programs:write",
    "createWebhookEndpoint": "webhooks:write",
    "updateWebhookEndpoint": "webhooks:write",
    "rotateWebhookSecret": "webhooks:write",
    "disableWebhookEndpoint": "webhooks:write",
    "enableWebhookEndpoint": "webhooks:write",
    "deleteWebhookEndpoint": "webhooks:write",
    "pingWebhookEndpoint": "webhooks:write",
    "replayWebhookDeliveries": "webhooks:write",
}
INPUTS = {
    "suspendTenant": "TenantStatusInput",
    "resumeTenant": "TenantStatusInput",
    "rotateWebhookSecret": "WebhookEndpointInput",
    "disableWebhookEndpoint": "WebhookEndpointInput",
    "enableWebhookEndpoint": "WebhookEndpointInput",
    "deleteWebhookEndpoint": "WebhookEndpointInput",
    "pingWebhookEndpoint": "WebhookEndpointInput",
}

QUERIES = (
    f"{{ viewer {{ role subject scopes expiresAt tenant {{ {TENANT} }} }} }}",
    f"{{ tenant {{ {TENANT} }} }}",
    f"{{ programs {{ {PROGRAM} }} }}",
    "{ programKinds { name description configSchema } }",
    "{ conditionNames { on names { name type description } } }",
    '{ checkCondition(source: "purchase.total > 0", on: PURCHASE) '
    "{ ok parts reads fault { message line column excerpt } } }",
    "{ programTemplates { slug kind title description units { code } config source } }",
    "{ backtests { id program from to state done total askedBy askedAt finishedAt } }",
    "{ units { code name places kind } }",
    f"{{ apiKeys(first: 20) {{ edges {{ cursor node {{ {KEY} }} }} {PAGE} }} }}",
    f"{{ tokenIssuers {{ {ISSUER} }} }}",
    f"{{ webhookEndpoints {{ {HOOK} }} }}",
    "{ webhookTopics { name description schema } }",
    f"{{ webhookDeliveries(first: 20) {{ edges {{ cursor node {{ {DELIVERY} }} }} {PAGE} }} }}",
    f"{{ auditTrail(first: 50) {{ edges {{ cursor node {{ {ENTRY} }} }} {PAGE} }} }}",
)


def document(name: str) -> str:
    kind = INPUTS.get(name, f"{name[0].upper()}{name[1:]}Input")
    errors = "userErrors { code field message details retryable }"
    return f"mutation($input: {kind}!) {{ {name}(input: $input) {{ {PAYLOADS[name]} {errors} }} }}"


async def asked(client: Any, name: str, /, **given: Any) -> Any:
    """The payload of a mutation, whatever it says."""
    return (await client.run(document(name), input=given))[name]


async def done(client: Any, name: str, /, **given: Any) -> Any:
    """The payload of a mutation that did what was asked."""
    payload = await asked(client, name, **given)
    assert payload["userErrors"] == []
    return payload


async def refusals(client: Any, name: str, /, **given: Any) -> list[tuple[str, str | None]]:
    """Codes and fields of a mutation that did nothing."""
    payload = await asked(client, name, **given)
    errors = payload.pop("userErrors")
    assert set(payload.values()) == {None}
    return [(error["code"], error["field"]) for error in errors]


async def trail(client: Any, first: int = 10) -> list[tuple[str, str]]:
    """The newest actions and their subjects."""
    data = await client.run(QUERIES[-1].replace("first: 50", f"first: {first}"))
    nodes = [edge["node"] for edge in data["auditTrail"]["edges"]]
    return [(node["action"], node["subject"]) for node in nodes]
