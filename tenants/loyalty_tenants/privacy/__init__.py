"""What a tenant owes the people in its data: a copy, an end of it, and no keeping without a term."""
