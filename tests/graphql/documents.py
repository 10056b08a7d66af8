"""The documents that tests of the API send, each with all that it answers."""

ERRORS = "userErrors { code field message details retryable }"
WHY = "program rule fired wanted granted cutBy reason explanation part values"
DECIDED = """decisions { program programVersion rule label stage accountingClass unit wanted granted
  cutBy lines { line amount } inputs }
  decisionInputs { program programVersion traits { name value since until }
    counters { name value } }"""
BALANCE = """unit available pending held deficit version asOf
  expiries { at amount } activations { at amount }"""
EARNED = "earned { unit amount label availableAt expiresAt }"
PURCHASE = f"""id source externalId revision occurredAt currency total {EARNED}
  versions {{ unit version }} member {{ id externalId }}"""
REWARD = """id label cost kind amount { currency amount } percent maximum { currency amount } item
  version"""
REDEMPTION = f"""id unit program state amount captured order heldUntil createdAt
  member {{ externalId }} reward {{ {REWARD} }}"""

RECORD = f"""mutation($input: RecordPurchaseInput!) {{ recordPurchase(input: $input) {{
  replayed purchase {{ {PURCHASE} }} {ERRORS} }} }}"""
RECORD_MANY = f"""mutation($items: BatchItems!) {{ recordPurchases(items: $items) {{ outcomes {{
  index externalId replayed purchase {{ {PURCHASE} }} {ERRORS} }} }} }}"""
PREVIEW = f"""query($input: PreviewPurchaseInput!) {{ previewPurchase(input: $input) {{
  {EARNED} {ERRORS} }} }}"""
CORRECT = f"""mutation($input: CorrectPurchaseInput!) {{ correctPurchase(input: $input) {{
  replayed purchase {{ {PURCHASE} takenBack {{ unit amount rule }} }} {ERRORS} }} }}"""
PREVIEW_WHY = f"""query($input: PreviewPurchaseInput!) {{ previewPurchase(input: $input) {{
  earned {{ unit amount label }} takenBack {{ amount }} byChance {{ program label }}
  decisions {{ {WHY} }} {ERRORS} }} }}"""
PREVIEW_ACTIVITY = f"""query($input: PreviewActivityInput!) {{ previewActivity(input: $input) {{
  earned {{ unit amount label }} byChance {{ program label }}
  decisions {{ {WHY} }} {ERRORS} }} }}"""
ACTIVITY_OF = """query($source: String!, $externalId: String!) {
  activity(source: $source, externalId: $externalId) {
    id source externalId type occurredAt attributes earned { amount } versions { unit version }
    member { externalId } } }"""
WHY_NOT = f"""query($source: String!, $externalId: String!) {{
  purchase(source: $source, externalId: $externalId) {{ decisions {{ {WHY} }} }} }}"""
RETURN = f"""mutation($input: ReversePurchaseInput!) {{ reversePurchase(input: $input) {{
  replayed {ERRORS} purchaseReturn {{
    id source returnId purchaseExternalId occurredAt state
    takenBack {{ unit amount rule }} versions {{ unit version }} }} }} }}"""
ACTIVITY = f"""mutation($input: RecordActivityInput!) {{ recordActivity(input: $input) {{
  replayed {EARNED} versions {{ unit version }} {ERRORS} }} }}"""
REDEEM = f"""mutation($input: RedeemPointsInput!) {{ redeemPoints(input: $input) {{
  replayed reinstated expired redemption {{ {REDEMPTION} }} {ERRORS} }} }}"""
CAPTURE = f"""mutation($input: CaptureRedemptionInput!) {{ captureRedemption(input: $input) {{
  replayed reinstated expired redemption {{ {REDEMPTION} }} {ERRORS} }} }}"""
RELEASE = f"""mutation($input: EndRedemptionInput!) {{ releaseRedemption(input: $input) {{
  replayed reinstated expired redemption {{ {REDEMPTION} }} {ERRORS} }} }}"""
REVERSE = f"""mutation($input: EndRedemptionInput!) {{ reverseRedemption(input: $input) {{
  replayed reinstated expired redemption {{ {REDEMPTION} }} {ERRORS} }} }}"""
ADJUST = f"""mutation($input: AdjustBalanceInput!) {{ adjustBalance(input: $input) {{
  replayed balance {{ {BALANCE} }} {ERRORS} }} }}"""
ENROLL = f"""mutation($input: EnrollMemberInput!) {{ enrollMember(input: $input) {{
  replayed member {{ id externalId status identifiers attributes enrolledAt }} {ERRORS} }} }}"""
UPDATE = f"""mutation($input: UpdateMemberInput!) {{ updateMember(input: $input) {{
  replayed member {{ id externalId status identifiers attributes }} {ERRORS} }} }}"""
CLOSE = f"""mutation($input: CloseMemberInput!) {{ closeMember(input: $input) {{
  replayed member {{ id externalId status }} {ERRORS} }} }}"""

REWARDS = f"""query($by: MemberRef!, $program: String) {{ member(by: $by) {{
  rewards(program: $program) {{ program affordable available whyNot code
    terms {{ {REWARD} }} }} }} }}"""
REWARD_VALUE = f"""query($program: String!, $reward: String!, $input: RecordPurchaseInput!) {{
  rewardValue(program: $program, reward: $reward, input: $input) {{
    value {{ currency amount }} {ERRORS} }} }}"""
CHOICE = """program id label picks current since mayChange nextChangeAt
  options { id label categories }"""
CHOOSE = f"""mutation($input: ChooseInput!) {{ choose(input: $input) {{
  replayed choice {{ {CHOICE} }} {ERRORS} }} }}"""
CHOICES = f"""query($by: MemberRef!, $program: String) {{ member(by: $by) {{
  choices(program: $program) {{ {CHOICE} }} }} }}"""

MEMBER = f"""query($by: MemberRef!) {{ member(by: $by) {{
  id externalId status identifiers attributes balances {{ {BALANCE} }} }} }}"""
BALANCE_OF = f"""query($by: MemberRef!, $unit: String!, $asOf: DateTime, $knownAt: DateTime,
    $minVersion: String) {{
  member(by: $by) {{ balance(unit: $unit, asOf: $asOf, knownAt: $knownAt,
    minVersion: $minVersion) {{ {BALANCE} }} }} }}"""
STATEMENT = """query($by: MemberRef!, $unit: String!, $first: Int, $after: String) {
  member(by: $by) { statement(unit: $unit, first: $first, after: $after) {
    pageInfo { hasNextPage endCursor }
    edges { cursor node { version kind amount balanceAfter label rule cause occurredAt recordedAt
      late } } } } }"""
PURCHASE_OF = f"""query($source: String!, $externalId: String!, $revision: Int) {{
  purchase(source: $source, externalId: $externalId, revision: $revision) {{ {PURCHASE} }} }}"""
DECISIONS = f"""query($source: String!, $externalId: String!) {{
  purchase(source: $source, externalId: $externalId) {{ {DECIDED} }} }}"""
REDEMPTION_OF = f"query($id: ID!) {{ redemption(id: $id) {{ {REDEMPTION} }} }}"
RETURNS = """query($state: ReturnState, $first: Int, $after: String) {
  returns(state: $state, first: $first, after: $after) { pageInfo { hasNextPage endCursor }
    edges { node { id source returnId purchaseExternalId state occurredAt parkedAt endsAt settledAt
      reason } } } }"""
NODE = "query($id: ID!) { node(id: $id) { __typename id } }"
