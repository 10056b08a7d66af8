"""The documents that tests of partnerships send."""

from loyalty.ids import new_id
from loyalty_graphql.ids import node_id

ERRORS = "userErrors { code field message details }"
FLOW = "burn credit price charge fee minimum perMemberPerDay perDay"
TERMS = f"""number state effectiveFrom inForce proposedByUs currency reversalHours issuing
  give {{ {FLOW} }} take {{ {FLOW} }}"""
AGREEMENT = f"""id kind state partner unit partnerUnit proposedByUs suspendedByUs acceptedAt endedAt
  terms {{ {TERMS} }}"""
QUOTE = """id partner offered burned fee kept credited rateBurn rateCredit expiresAt"""
EXCHANGE = "id agreement partner outgoing unit points fee state reversed at"

ADJUST = """mutation($input: AdjustBalanceInput!) { adjustBalance(input: $input) {
  userErrors { code field message } } }"""
BALANCE = """query($name: String!) { member(by: {externalId: $name}) { balance(unit: "points") {
  available expiries { at amount } } } }"""
AGREEMENT_OF = f"query($id: ID!) {{ partnerAgreement(id: $id) {{ {AGREEMENT} }} }}"
AGREEMENTS = "{ partnerAgreements { edges { node { id state partner } } } }"
LINKS = """query($name: String!) { member(by: {externalId: $name}) {
  partnerLinks { id agreement partner unit partnerUnit }
  partnerExchanges { id outgoing points fee reversed partner } } }"""


def mutation(name: str, kind: str, shown: str) -> str:
    return f"mutation($input: {kind}!) {{ {name}(input: $input) {{ {shown} {ERRORS} }} }}"


MUTATIONS = {
    name: mutation(name, kind, shown)
    for name, (kind, shown) in {
        "proposeExchange": ("ProposeExchangeInput", f"agreement {{ {AGREEMENT} }}"),
        "proposePartnerTerms": ("ProposeTermsInput", f"agreement {{ {AGREEMENT} }}"),
        "acceptPartnerTerms": ("AcceptTermsInput", f"agreement {{ {AGREEMENT} }}"),
        "withdrawPartnerTerms": ("AcceptTermsInput", f"agreement {{ {AGREEMENT} }}"),
        "suspendPartnership": ("PartnershipInput", f"agreement {{ {AGREEMENT} }}"),
        "resumePartnership": ("PartnershipInput", f"agreement {{ {AGREEMENT} }}"),
        "endPartnership": ("PartnershipInput", f"agreement {{ {AGREEMENT} }}"),
        "issueLinkCode": ("IssueLinkCodeInput", "code expiresAt"),
        "redeemLinkCode": ("RedeemLinkCodeInput", "link"),
        "endPartnerLink": ("EndPartnerLinkInput", "link"),
        "quoteExchange": ("QuoteExchangeInput", f"quote {{ {QUOTE} }}"),
        "exchangePoints": ("ExchangePointsInput", f"replayed exchange {{ {EXCHANGE} }}"),
        "reverseExchange": ("ReverseExchangeInput", f"replayed exchange {{ {EXCHANGE} }}"),
    }.items()
}

STATEMENT = """id agreement period state currency opening movements fees payments disputes net
  lineCount proposedByUs agreedAt settledAt paymentRef"""
LINE = """id kind of at unit pointsOut pointsIn fee currency amount charge carried ref
  dispute { id open accepted raisedByUs reason }"""
STATEMENT_OF = f"""query($agreement: ID!, $period: String) {{
  partnerStatement(agreement: $agreement, period: $period) {{ {STATEMENT} }} }}"""
STATEMENTS = f"""query($agreement: ID!) {{
  partnerStatements(agreement: $agreement) {{ {STATEMENT} }} }}"""
LINES_OF = f"""query($agreement: ID!, $period: String, $first: Int, $after: String) {{
  partnerLines(agreement: $agreement, period: $period, first: $first, after: $after) {{
    pageInfo {{ hasNextPage endCursor }} edges {{ node {{ {LINE} }} }} }} }}"""
FILE = """query($agreement: ID!, $period: String!, $format: ExportFormat!) {
  partnerStatementFile(agreement: $agreement, period: $period, format: $format) }"""
POSITIONS = """{ clearingPositions { currency receivable payable net
  positions { partner balance } } }"""
MUTATIONS |= {
    name: mutation(name, kind, shown)
    for name, (kind, shown) in {
        "proposeStatement": ("ProposeStatementInput", f"statement {{ {STATEMENT} }}"),
        "agreeStatement": ("AgreeStatementInput", f"statement {{ {STATEMENT} }}"),
        "settleStatement": ("SettleStatementInput", f"statement {{ {STATEMENT} }}"),
        "disputePartnerLine": ("DisputeLineInput", "dispute"),
        "decidePartnerDispute": ("DecideDisputeInput", "dispute"),
    }.items()
}

FACT = "id agreement ref points amount at"
OWN = f"""{{ ownPartnerships {{ {AGREEMENT} pointsLeft
  packs {{ points currency amount liability }} }} }}"""
MUTATIONS |= {
    name: mutation(name, kind, shown)
    for name, (kind, shown) in {
        "proposeIssuing": ("ProposeIssuingInput", f"agreement {{ {AGREEMENT} }}"),
        "recordPartnerFact": ("RecordPartnerFactInput", f"replayed fact {{ {FACT} }}"),
        "reversePartnerFact": ("ReversePartnerFactInput", f"replayed fact {{ {FACT} }}"),
        "buyPointPack": ("BuyPointPackInput", f"replayed fact {{ {FACT} }}"),
    }.items()
}

MUTATIONS |= {
    name: mutation(name, kind, shown)
    for name, (kind, shown) in {
        "proposeCoalition": ("ProposeCoalitionInput", f"agreement {{ {AGREEMENT} }}"),
        "earnAtPartnerTill": ("PartnerTillInput", f"replayed exchange {{ {EXCHANGE} }}"),
        "spendAtPartnerTill": ("PartnerTillInput", f"replayed exchange {{ {EXCHANGE} }}"),
    }.items()
}


def ghost() -> str:
    """An id of an agreement that nobody has."""
    return str(node_id("PartnerAgreement", new_id()))


PEER = "id name url tenant status secretWaits previousSecretUntil"
COMPARED = """query($id: ID!) { partnerAgreement(id: $id) {
  comparedDays { day state exchanges amount differing } } }"""
PEERS = f"{{ remotePartners {{ {PEER} }} }}"
MUTATIONS |= {
    name: mutation(name, kind, shown)
    for name, (kind, shown) in {
        "connectRemotePartner": ("ConnectRemotePartnerInput", f"invitation partner {{ {PEER} }}"),
        "endRemotePartner": ("EndRemotePartnerInput", f"partner {{ {PEER} }}"),
        "rotateRemotePartnerSecret": (
            "RotateRemotePartnerInput",
            f"invitation partner {{ {PEER} }}",
        ),
        "giveExchangeUp": ("GiveExchangeUpInput", f"replayed exchange {{ {EXCHANGE} }}"),
        "askExchangeWriteOff": ("AskWriteOffInput", f"replayed exchange {{ {EXCHANGE} }}"),
        "decideExchangeWriteOff": ("DecideWriteOffInput", f"replayed exchange {{ {EXCHANGE} }}"),
    }.items()
}
