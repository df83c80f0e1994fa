"""The questions that reports ask of the store."""
