"""A real MCP server: `python mcp_shop.py [PORT]`, over stdio or streamable HTTP."""

import asyncio
import os
import sys

from mcp.server.mcpserver import MCPServer

server = MCPServer("shop")


@server.tool()
def price(item: str) -> str:
    """Says what an item costs."""
    return f"{item} costs 7"


@server.tool()
def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


@server.tool()
def fail(why: str) -> str:
    """Fails."""
    raise ValueError(why)


@server.tool()
async def hang() -> str:
    """Never ends."""
    await asyncio.sleep(60)
    return ""


@server.tool()
def die() -> str:
    """Ends the server."""
    sys.stderr.write("the shop is closed\n")
    sys.stderr.flush()
    os._exit(3)


@server.tool()
def setting() -> str:
    """Says what is in its environment."""
    return f"{os.environ.get('SHOP_MODE', '')} {os.environ.get('BOT_SECRET', 'unseen')}"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", port=int(sys.argv[1]))
    else:
        server.run("stdio")
