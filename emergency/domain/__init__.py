"""The rules: frozen values and tables of moves; no I/O, no clock, no dice."""
