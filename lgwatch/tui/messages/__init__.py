"""The token pane: message chunks as blocks, headings and columns."""
