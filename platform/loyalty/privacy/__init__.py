"""All that is held about a member, as it is handed out and as it is taken away."""
