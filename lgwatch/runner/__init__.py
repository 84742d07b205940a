"""The graph's process: the only package that imports langgraph and langchain_core."""
