"""What the plugin loads for its rules and writes for them: one statement a batch each."""
