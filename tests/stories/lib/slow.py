"""A TCP proxy that carries what clients send at a bounded rate, and what they are answered at once.

    slow.py PORT TARGET-PORT BYTES-A-SECOND
"""

import asyncio
import sys

port, target, rate = map(int, sys.argv[1:])
PIECE = 8 * 1024


async def carry(reader, writer, pause):
    try:
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(len(piece) * pause)
    except ConnectionError:
        pass
    finally:
        writer.close()


async def serve(reader, writer):
    to_reader, to_writer = await asyncio.open_connection("127.0.0.1", target)
    await asyncio.gather(carry(reader, to_writer, 1 / rate), carry(to_reader, writer, 0))


async def main():
    # A small buffer, so that the client knows how slow it is.
    async with await asyncio.start_server(serve, "127.0.0.1", port, limit=2 * PIECE) as server:
        await server.serve_forever()


asyncio.run(main())
