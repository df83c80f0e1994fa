"""One file a schema change, oldest first; a released file is never edited."""
