"""The documents about tiers, each with all that it answers."""

from tests.graphql.documents import ERRORS

TIER = """id label rank byInvitation perks { id label description }
  bonuses { id label unit factor }"""
PATH = "met parts { metric label needed have missing since before }"
STANDING = f"""program since until inGrace reason note tier {{ {TIER} }} nextTier {{ {TIER} }}
  toNext {{ {PATH} }} toKeep {{ {PATH} }}
  challenge {{ id label tier since until paths {{ {PATH} }} }}"""
STANDINGS = f"""query($by: MemberRef!, $program: String) {{ member(by: $by) {{
  standings(program: $program) {{ {STANDING} }} }} }}"""
SET_TIER = f"""mutation($input: SetTierInput!) {{ setTier(input: $input) {{
  replayed standing {{ {STANDING} }} {ERRORS} }} }}"""
START_CHALLENGE = f"""mutation($input: StartChallengeInput!) {{ startChallenge(input: $input) {{
  replayed standing {{ {STANDING} }} {ERRORS} }} }}"""
