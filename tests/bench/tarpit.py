#!/usr/bin/python3
"""Hosts that take connections and never come to the point: tests/bench/tarpit.py FILE ADDRESS ...

Their greeting has a line every two seconds and no end. FILE always holds how many connections are stuck now.
"""

import asyncio
import pathlib
import sys

LINE_INTERVAL_S = 2


class Tarpit:
    def __init__(self, file):
        self.file, self.stuck = pathlib.Path(file), 0

    def count(self, change):
        self.stuck += change
        self.file.write_text(f"{self.stuck}\n")

    async def serve(self, reader, writer):
        self.count(1)
        try:
            while not reader.at_eof():
                writer.write(b"220-one moment please\r\n")
                await writer.drain()
                await asyncio.sleep(LINE_INTERVAL_S)
        except ConnectionError:
            pass
        finally:
            self.count(-1)
            writer.close()


async def main():
    file, *addresses = sys.argv[1:]
    tarpit = Tarpit(file)
    server = await asyncio.start_server(tarpit.serve, addresses, 25, backlog=1024)
    tarpit.count(0)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
