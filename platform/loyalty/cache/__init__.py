"""Redis: balances that are right or absent, and hints to look again. Never the truth."""
