"""A payment provider's account: objects, balance and the HTTP API that shows them."""
