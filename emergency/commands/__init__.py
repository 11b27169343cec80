"""What can be said on the command line; each module offers its own words by ``register(subparsers)``."""
