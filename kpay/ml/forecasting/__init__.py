"""Forecasting one series: members, their weights, joint paths and the backtest."""
