"""The names of what the rules have loaded."""

REFERRAL = "referral"
CODE = "code"
SIGNALS = "signals"
EVIDENCE = "evidence"
LADDER = "ladder"
VANITY = "vanity"
