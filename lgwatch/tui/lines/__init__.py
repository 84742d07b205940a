"""What every pane is made of: rows of text, the widget that shows them, and the signs that they are written in."""
