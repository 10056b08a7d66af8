"""What the replay asks in GraphQL."""

ENROLL = """
mutation ($input: EnrollMemberInput!) {
  enrollMember(input: $input) { replayed userErrors { code field message } }
}
"""
RECORD = """
mutation ($items: BatchItems!) {
  recordPurchases(items: $items) {
    outcomes { replayed purchase { earned { amount } } userErrors { code field message } }
  }
}
"""
REDEEM = """
mutation ($input: RedeemPointsInput!) {
  redeemPoints(input: $input) { replayed userErrors { code field message } }
}
"""
BALANCES = """
query ($after: String) {
  members(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    edges { node { externalId balance(unit: "points") { available } } }
  }
}
"""
