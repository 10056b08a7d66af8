"""Stripe as a payment provider: its signatures and its events. The port is `facts.py` above."""
