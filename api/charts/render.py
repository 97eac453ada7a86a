"""Draws Vega-Lite specifications in a short-lived child process and keeps the last few pictures."""

import asyncio
import hashlib
import json
import sys
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

MAX_SVG_BYTES = 4_000_000
MAX_KEPT = 128
ENGINE_SNIPPET = "window.meterproofEmbed = vegaEmbed;"
DRAW_TIMEOUT_S = 20.0
IDLE_S = 20.0


class ChartError(Exception):
    """The chart could not be drawn; the page's table still has every number."""


class ChartRenderer:
    """One child at most, started when first needed and ended after ``IDLE_S`` without work."""

    def __init__(self) -> None:
        self._child: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._ending: asyncio.TimerHandle | None = None

    async def svg(self, spec: Mapping[str, Any]) -> bytes:
        """The picture of a specification, UTF-8 SVG. ChartError when it cannot be drawn in ``DRAW_TIMEOUT_S``."""
        return await self._answer({"spec": spec})

    async def engine(self) -> bytes:
        """The drawing engine as one script for the browser, from the installed package: nothing from elsewhere."""
        return await self._answer({"bundle": ENGINE_SNIPPET})

    async def _answer(self, asked: Mapping[str, Any]) -> bytes:
        request = json.dumps(asked, ensure_ascii=False, separators=(",", ":")).encode()
        key = hashlib.sha256(request).hexdigest()
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        async with self._turn:
            picture = self._kept.get(key) or await self._draw(request)
        self._kept[key] = picture
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return picture

    async def _draw(self, request: bytes) -> bytes:
        if self._ending is not None:
            self._ending.cancel()
        child = await self._started()
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(request + b"\n")
            await child.stdin.drain()
            line = await asyncio.wait_for(child.stdout.readline(), DRAW_TIMEOUT_S)
        except (TimeoutError, OSError, ValueError) as error:
            await self._end()
            raise ChartError(f"drawing did not finish: {error!r}") from error
        self._ending = asyncio.get_running_loop().call_later(IDLE_S, self._close_input)
        if not line:
            await self._end()
            raise ChartError("the drawing process ended")
        answer = json.loads(line)
        if "text" not in answer:
            raise ChartError(str(answer.get("error")))
        return str(answer["text"]).encode()

    async def _started(self) -> asyncio.subprocess.Process:
        if self._child is None or self._child.returncode is not None:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "api.charts.child",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=MAX_SVG_BYTES,
            )
        return self._child

    def _close_input(self) -> None:
        """Let an idle child end by itself; the next drawing starts another."""
        child, self._child = self._child, None
        if child is not None and child.stdin is not None:
            child.stdin.close()

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None and child.returncode is None:
            child.kill()
            await child.wait()

    async def close(self) -> None:
        """End the child; for shutdown."""
        if self._ending is not None:
            self._ending.cancel()
        await self._end()
