"""The documents of the tests of the admin's daily work."""

from typing import Any

ERRORS = "userErrors { code field message details }"
TOTALS = "items gives takes"
APPROVAL = """id kind state subject details askedBy decidedBy note reason expiresAt
  adjustments { state done { items gives takes } }"""
BULK = f"""id state unit reasonCode askedBy effectiveAt asked {{ {TOTALS} }} done {{ {TOTALS} }}
  refused {{ {TOTALS} }} outcomes(first: 100) {{ pageInfo {{ hasNextPage }} edges {{ node {{
    index externalId amount state userErrors {{ code field }} }} }} }}"""

PAYLOADS = {
    "adjustBalance": f"replayed balance {{ available version expiries {{ at amount }} }}"
    f" approval {{ {APPROVAL} }}",
    "adjustBalances": f"replayed bulkAdjustment {{ {BULK} }}",
    "previewAdjustBalances": f"""asked {{ {TOTALS} }} accepted {{ {TOTALS} }} needsApproval
      outcomes {{ index externalId amount userErrors {{ code field }} }}""",
    "setAdjustmentReason": "reason { code label expiresAfter ends retiredAt }",
    "retireAdjustmentReason": "reason { code label expiresAfter ends retiredAt }",
    "setApprovalPolicy": f"""policy {{ thresholds {{ unit above }} publishing lifetimeSeconds }}
      approval {{ {APPROVAL} }}""",
    "approveRequest": f"approval {{ {APPROVAL} }}",
    "rejectRequest": f"approval {{ {APPROVAL} }}",
    "freezeMember": "replayed member { status frozen { reason by since } }",
    "unfreezeMember": "replayed member { status frozen { reason } }",
}
INPUTS = {
    "previewAdjustBalances": "AdjustBalancesInput",
    "approveRequest": "DecideApprovalInput",
    "rejectRequest": "DecideApprovalInput",
}
WAITING = f"{{ approvalRequests {{ edges {{ node {{ {APPROVAL} }} }} }} }}"
ALL = f"{{ approvalRequests(waiting: false) {{ edges {{ node {{ {APPROVAL} }} }} }} }}"
BALANCE = """query($who: String!) { member(by: {externalId: $who}) {
  balance(unit: "points") { available } } }"""


async def asked(client: Any, name: str, /, **given: Any) -> Any:
    kind = INPUTS.get(name, f"{name[0].upper()}{name[1:]}Input")
    document = (
        f"mutation($input: {kind}!) {{ {name}(input: $input) {{ {PAYLOADS[name]} {ERRORS} }} }}"
    )
    return (await client.run(document, input=given))[name]


async def done(client: Any, name: str, /, **given: Any) -> Any:
    payload = await asked(client, name, **given)
    assert payload["userErrors"] == []
    return payload


async def refusal(client: Any, name: str, /, **given: Any) -> tuple[str, str | None]:
    payload = await asked(client, name, **given)
    (error,) = payload["userErrors"]
    return error["code"], error["field"]


async def available(brand: Any, who: str) -> str:
    return str((await brand.admin.run(BALANCE, who=who))["member"]["balance"]["available"])


async def waiting(client: Any, document: str = WAITING) -> list[Any]:
    data = await client.run(document)
    return [edge["node"] for edge in data["approvalRequests"]["edges"]]
