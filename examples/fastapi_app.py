"""A FastAPI app as tools in the same process: no port, no network hop."""

import asyncio

from fastapi import FastAPI

from mcpbridge import ANYONE, Call, RestSource

app = FastAPI(title="Weather")


@app.get("/forecast/{city}", operation_id="get_forecast")
def get_forecast(city: str, days: int = 3) -> dict[str, str | int]:
    """The forecast of a city, for so many days."""
    return {"city": city, "days": days, "sky": "clear"}


async def main() -> None:
    async with RestSource.from_app(app) as weather:
        for tool in await weather.list_tools(ANYONE):
            print(tool.name, "-", tool.access, "-", tool.description)
        answer = await weather.call_tool(Call(name="get_forecast", arguments={"city": "Kyiv", "days": 2}))
        print(answer.structured_content)


asyncio.run(main())
