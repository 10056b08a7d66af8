"""Starbucks Rewards from March 2026: Green Stars live with activity, Gold members' for ever."""
