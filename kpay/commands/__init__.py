"""The command line: one file per noun; a function parses, calls one service, and shows the answer."""
