"""What lies over the panes when it is asked for: the page of a task, a value, help, and choices."""
