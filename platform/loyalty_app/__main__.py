"""`python -m loyalty_app` is `loyalty`."""

from loyalty_app.cli import main

main()
