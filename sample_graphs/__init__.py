"""Small graphs to watch, one idea each; every file but `scripted` has a `graph` and an `EXAMPLE` input."""
