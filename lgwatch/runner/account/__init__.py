"""What a graph does when lgwatch does not watch it, told in JSON: a bare `stream`, callbacks and the final state.

It is what the journal of a watched run is held against (`lgwatch.selfcheck`), so nothing here uses what writes the
journal: neither the decoder nor the projection of values, and who wrote a custom event is asked for in another way.
"""

from lgwatch.runner.account.take import resume, take_account

__all__ = ["resume", "take_account"]
