"""The timeline: bars on an axis of time, lanes of fan-outs, and strips under them."""
