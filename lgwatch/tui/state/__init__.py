"""The state of the graph: after each step, compared, and the history of a key."""
