#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""TCP connections that stay open, for the end-to-end tests.

tcp.py serve ADDR PORT                       answers each line with "CLIENT-ADDRESS CLIENT-PORT LINE"
tcp.py hold ADDR PORT COUNT SOURCE-PORT FIFO opens COUNT connections from SOURCE-PORT upwards, all at once, has a
                                             line answered on each, prints the client that the server saw, one
                                             line a connection, then "ready". When something was written to
                                             FIFO: each connection must answer again, from the same client.
"""
import asyncio
import resource
import socket
import sys

TIMEOUT = 30  # seconds without progress: it hangs


async def answer(reader, writer):
    peer = writer.get_extra_info("peername")
    try:
        while line := await reader.readline():
            writer.write(f"{peer[0]} {peer[1]} ".encode() + line)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


async def serve(addr, port):
    server = await asyncio.start_server(answer, addr, port, backlog=1024)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


async def connect(addr, port, source_port):
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    return await asyncio.wait_for(
        asyncio.open_connection(addr, port, family=family, local_addr=("::" if ":" in addr else "0.0.0.0", source_port)),
        TIMEOUT,
    )


async def ask(connection, number):
    reader, writer = connection
    writer.write(f"connection {number}\n".encode())
    line = (await asyncio.wait_for(reader.readline(), TIMEOUT)).decode()
    client, text = line.rsplit(" connection ", 1)
    if int(text) != number:
        sys.exit(f"tcp.py: connection {number} got the answer of {text}")
    return client


async def hold(addr, port, count, source_port, fifo):
    connections = await asyncio.gather(*(connect(addr, port, source_port + i) for i in range(count)))
    first = await asyncio.gather(*(ask(c, i) for i, c in enumerate(connections)))
    print("\n".join(first))
    print("ready", flush=True)
    await asyncio.to_thread(lambda: open(fifo, encoding="ascii").read())
    second = await asyncio.gather(*(ask(c, i) for i, c in enumerate(connections)))
    if first != second:
        sys.exit("tcp.py: the server sees other clients than before")
    print("done", flush=True)
    for _, writer in connections:
        writer.close()


def main(argv):
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    if argv[1:2] == ["serve"]:
        asyncio.run(serve(argv[2], int(argv[3])))
    elif argv[1:2] == ["hold"]:
        asyncio.run(hold(argv[2], int(argv[3]), int(argv[4]), int(argv[5]), argv[6]))
    else:
        sys.exit(__doc__)


main(sys.argv)
