"""Back-tests as they are run: both sides at once, each in a process of its own."""
