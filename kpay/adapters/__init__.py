"""One outside technology each; every library's errors are translated here."""
