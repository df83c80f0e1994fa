"""The store: the only SQL, one repository per aggregate."""
