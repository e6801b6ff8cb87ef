"""A server of tools that refuses arguments which it does not know: a limit misspelt is no limit."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from workspan.errors import nearest
from workspan.legible import quoted


class StrictServer(MCPServer[Any]):  # type: ignore[misc]  # untyped where types are checked
    """The library's own leaves them out without a word."""

    async def list_tools(self) -> list[Any]:
        """Say of each tool that it takes no others."""
        return [
            tool.model_copy(
                update={"input_schema": {**tool.input_schema, "additionalProperties": False}}
            )
            for tool in await super().list_tools()
        ]

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Any = None) -> Any:
        """Call a tool.

        Raises:
            ToolError: it knows no argument of that name; as the library says else.
        """
        for tool in await self.list_tools():
            known = tool.input_schema.get("properties", {})
            for one in arguments if tool.name == name else ():
                if one not in known:
                    told = nearest(one, known) if known else "it takes none"
                    raise ToolError(f"{name} has no argument {quoted(one)}: {told}")
        return await super().call_tool(name, arguments, context)
