"""A process that serves imports no command line but its own."""

import subprocess
import sys

SERVING = """
import sys, loyalty_app.cli
from loyalty_app.lean import leave_out
leave_out()
import loyalty_app.asgi, loyalty_app.logs, loyalty_app.server
looked_for = "rich", "pygments", "opentelemetry.sdk", "psutil", "httpx", "uvicorn"
print([name for name in looked_for if name in sys.modules])
"""


def test_what_is_not_used_is_left_out() -> None:
    done = subprocess.run([sys.executable, "-c", SERVING], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "['httpx', 'uvicorn']"
