"""Agents as people build them, with the prebuilt parts that they use. Each module has a `graph` (or what makes one) and
`answer`, the script of the model that it talks to."""
