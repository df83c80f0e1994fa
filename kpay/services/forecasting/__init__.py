"""Forecasts: what is to come, with ranges, and how earlier ones did."""
