"""Reports: what happened, from one state of the store."""
