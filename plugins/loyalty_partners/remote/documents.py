"""What one installation asks of another: fields of the API, open to the partner's calls."""

_ERRORS = "userErrors { code field message }"


def _mutation(name: str, kind: str, shown: str) -> str:
    return f"mutation($input: {kind}!) {{ {name}(input: $input) {{ {shown} {_ERRORS} }} }}"


GREET = _mutation("greetPartner", "GreetPartnerInput", "status")
OFFER = _mutation("offerExchange", "OfferExchangeInput", "places")
OFFER_TERMS = _mutation("offerPartnerTerms", "OfferTermsInput", "places")
ACCEPT = _mutation("acceptPartnerTerms", "AcceptTermsInput", "agreement { id }")
WITHDRAW = _mutation("withdrawPartnerTerms", "AcceptTermsInput", "agreement { id }")
SUSPEND = _mutation("suspendPartnership", "PartnershipInput", "agreement { id }")
RESUME = _mutation("resumePartnership", "PartnershipInput", "agreement { id }")
END = _mutation("endPartnership", "PartnershipInput", "agreement { id }")
LINK = _mutation("linkPartnerMember", "LinkPartnerMemberInput", "link")
UNLINK = _mutation("endPartnerLink", "EndPartnerLinkInput", "link")
CREDIT = _mutation("creditExchange", "CreditExchangeInput", "state")
VOID = _mutation("voidExchange", "VoidExchangeInput", "state")
CONFIRM = _mutation("confirmExchanges", "ConfirmExchangesInput", "exchanges")
TAKE_BACK = _mutation("takeExchangeBack", "TakeExchangeBackInput", "at")
RESTORE = _mutation("restoreExchange", "RestoreExchangeInput", "done")
PROPOSE = _mutation("proposeStatement", "ProposeStatementInput", "statement { id net }")
AGREE = _mutation("agreeStatement", "AgreeStatementInput", "statement { id }")
SETTLE = _mutation("settleStatement", "SettleStatementInput", "statement { id }")
DISPUTE = _mutation("disputePartnerLine", "DisputeLineInput", "dispute")
DECIDE = _mutation("decidePartnerDispute", "DecideDisputeInput", "dispute")
DAY = """query($agreement: ID!, $day: String!, $after: ID) {
  partnerDay(agreement: $agreement, day: $day, after: $after) {
    exchanges underWay reversed pointsOut pointsIn amount charge digest
    listed { id reversed amount } } }"""
