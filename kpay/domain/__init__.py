"""Rules of the business on plain values: standard library only, no input or output, no clock."""
