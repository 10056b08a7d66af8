"""What `helm test` asks: is the API at this address ready, and does it answer GraphQL?"""

import json
import sys
import urllib.request

url = sys.argv[1]
question = json.dumps({"query": "{ __typename }"}).encode()
with urllib.request.urlopen(f"{url}/readyz", timeout=10) as answer:
    sys.stdout.write(answer.read().decode() + "\n")
asked = urllib.request.Request(f"{url}/graphql", question, {"content-type": "application/json"})
with urllib.request.urlopen(asked, timeout=10) as answer:
    said = json.load(answer)
sys.stdout.write(f"{said}\n")
sys.exit(said != {"data": {"__typename": "Query"}})
