"""What the commands about programs ask of the API."""

PROGRAM = (
    "id slug kind name position status version config versions { number effectiveFrom config }"
)
ERRORS = "userErrors { code field message details }"

PROGRAMS = f"{{ programs {{ {PROGRAM} }} units {{ code name places kind }} }}"
CHECK = f"""query($kind: String!, $config: Config!) {{
  checkConfig(kind: $kind, config: $config) {{ config {ERRORS} }} }}"""
CREATE_UNIT = f"""mutation($input: CreateUnitInput!) {{
  createUnit(input: $input) {{ unit {{ code }} {ERRORS} }} }}"""
CREATE = f"""mutation($input: CreateProgramInput!) {{
  createProgram(input: $input) {{ program {{ {PROGRAM} }} {ERRORS} }} }}"""
UPDATE = f"""mutation($input: UpdateProgramInput!) {{
  updateProgram(input: $input) {{ program {{ {PROGRAM} }} {ERRORS} }} }}"""
PUBLISH = f"""mutation($input: PublishProgramInput!) {{
  publishProgram(input: $input) {{
    version {{ number effectiveFrom state }} approval {{ expiresAt }} {ERRORS} }} }}"""
TEMPLATES = "{ programTemplates { slug kind title description units { code } source } }"
START = f"""mutation($input: StartProgramInput!) {{
  startProgram(input: $input) {{ program {{ {PROGRAM} }} {ERRORS} }} }}"""
