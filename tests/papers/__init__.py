"""Papers as they are printed: read back, and looked at."""
