"""What containers ask of their processes: `python -m workers.stack.container_check CHECK` exits 0, or says why.

A worker has a check of its own (worker_check), since that imports the Celery application and these run often.
"""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Sequence

import psutil

from workers.errors import StackError
from workers.processes.readiness import answers_200


def connected(addresses: Sequence[str]) -> None:
    """Raise StackError unless a process here holds an established connection to every HOST:PORT."""
    remote = {
        (connection.raddr.ip, connection.raddr.port)
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_ESTABLISHED and connection.raddr
    }
    for address in addresses:
        host, _, port = address.rpartition(":")
        if not any((ip, int(port)) in remote for ip in _resolved(host)):
            raise StackError(f"nothing here is connected to {address}")


def http(url: str) -> None:
    """Raise StackError unless a GET answers 200."""
    if not answers_200(url):
        raise StackError(f"{url} does not answer 200")


def _resolved(host: str) -> set[str]:
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError as error:
        raise StackError(f"{host} has no address: {error.strerror}") from error


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the check named on the command line."""
    parser = argparse.ArgumentParser(prog="container_check", description=__doc__)
    checks = parser.add_subparsers(dest="check", required=True)
    checks.add_parser("connected").add_argument("addresses", nargs="+", metavar="HOST:PORT")
    checks.add_parser("http").add_argument("url")
    options = parser.parse_args(arguments)
    try:
        if options.check == "connected":
            connected(options.addresses)
        else:
            http(options.url)
    except StackError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
