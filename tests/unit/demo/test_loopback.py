"""The demo service listens on loopback and nowhere else."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import psutil

from aiops_nb.demo import start_demo_service


def test_every_socket_of_the_demo_service_listens_on_loopback() -> None:
    with start_demo_service(kinds=()) as demo:
        sockets = psutil.Process(demo.pid).net_connections(kind="inet")
        listening = [one.laddr for one in sockets if one.status == psutil.CONN_LISTEN]
        assert {urlsplit(url).port for url in demo.urls} == {address.port for address in listening}
        assert all(ipaddress.ip_address(address.ip).is_loopback for address in listening)
