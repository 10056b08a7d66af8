"""What happens by itself: terms that end, facts that fall due, counters that fill, rows that go.

Every job can run twice, late, or on two workers at once. README.md says why.
"""
