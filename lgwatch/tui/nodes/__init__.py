"""The node panel: the run as a drawing, as a list of supersteps, or as a table of nodes."""
