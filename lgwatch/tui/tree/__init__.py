"""A value as a tree of rows that opens where one looks."""
