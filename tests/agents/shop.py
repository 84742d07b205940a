"""A server of tools, in a process of its own."""

from __future__ import annotations

from mcp.server.fastmcp import FastMCP

server = FastMCP("shop")


@server.tool()
def price(article: str) -> str:
    """Return the price of an article."""
    if article == "bicycle":
        return "400 EUR"
    raise ValueError(f"there is no {article} here")


if __name__ == "__main__":
    server.run()
