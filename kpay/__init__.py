"""kpay: run a paid-content business from the command line."""

__version__ = "0.1.0"
