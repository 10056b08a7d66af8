"""What a tenant owes the people in its data: a copy, an end of it, and a term for what passes."""
