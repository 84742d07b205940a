"""What a run said, line by line: all events, custom events, the console."""
