"""What a tenant's staff does every day: corrections, with reasons and a second person."""
