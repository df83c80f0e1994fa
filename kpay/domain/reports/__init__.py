"""What reports say, and how it is told: one Document each."""
