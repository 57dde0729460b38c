"""The way to a Docker engine: a client by the settings, the stream of a container, and a sentence for what goes wrong on the way.

https://docs.docker.com/reference/api/engine/, https://docker-py.readthedocs.io/en/stable/api.html
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct

import docker
from django.conf import settings
from docker.errors import APIError, DockerException, ImageNotFound
from docker.utils import kwargs_from_env, parse_host

FAULTS = (DockerException, OSError)  # the SDK's own; those of requests and of sockets are OSErrors
SECONDS = 15  # for one answer of the engine; less than the lease of a run lasts
QUICK_SECONDS = 5  # for what an engine that is well does at once: tell of itself, take a signal, remove a container
STDERR = 2
_HEAD = struct.Struct(">BxxxI")  # which stream, and how many bytes of it follow


def connect(seconds: int = SECONDS) -> docker.APIClient:
    """A client of the engine that DOCKER_HOST names, with certificates where the SDK is told of some. One of `FAULTS` where none answers."""
    environment = {**os.environ, "DOCKER_HOST": settings.DOCKER_HOST}
    return docker.APIClient(version="auto", timeout=seconds, **kwargs_from_env(environment))


def wrong_address() -> str:
    """Why DOCKER_HOST is no address that the SDK takes; empty when it is one."""
    try:
        parse_host(settings.DOCKER_HOST)
    except (DockerException, ValueError) as error:
        return str(error)
    return ""


def explain(error: Exception) -> str:
    """What went wrong, and the cure."""
    image = settings.DOCKER_IMAGE
    if isinstance(error, ImageNotFound):
        return f"The Docker engine does not have the image {image}: run docker pull {image} there, or set DOCKER_IMAGE."
    if isinstance(error, APIError):
        said = " ".join(str(error.explanation or error).split())[:300]
        cures = {
            "executable file not found": "Set DOCKER_IMAGE to one that starts Python 3.9 or later as python3.",
            "nknown runtime": "Leave DOCKER_RUNTIME unset, or name one that docker info lists.",
        }
        return " ".join([f"The Docker engine refused: {said.rstrip('.')}.", *(cure for sign, cure in cures.items() if sign in said)])
    cure = "Start it, see that this user may use it (group docker), or set DOCKER_HOST"
    said = " ".join(str(error).split())[-200:]  # what it comes down to stands last
    return f"No Docker engine answers at {settings.DOCKER_HOST or 'its usual socket'}. {cure}. It said: {said}"


class Stream:
    """Both ways to the first process of a container: its stdin; its stdout and stderr, which come mixed."""

    def __init__(self, api: docker.APIClient, container: str) -> None:
        # https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
        self._file = api.attach_socket(container, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
        self._socket: socket.socket = getattr(self._file, "_sock", self._file)  # with TLS the SDK gives the socket itself
        self._buffer = bytearray()

    def send(self, data: bytes) -> None:
        self._socket.settimeout(SECONDS)
        self._socket.sendall(data)

    def read(self, seconds: float) -> list[tuple[int, bytes]] | None:
        """What has come within that time, as pairs of stream and bytes; None when nothing will come any more."""
        self._socket.settimeout(seconds)
        try:
            data = self._socket.recv(262144)
        except TimeoutError:
            return []
        except OSError:
            return None
        if not data:
            return None
        self._buffer += data
        parts, place = [], 0
        while len(self._buffer) >= place + _HEAD.size:
            number, size = _HEAD.unpack_from(self._buffer, place)
            begin, end = place + _HEAD.size, place + _HEAD.size + size
            if len(self._buffer) < end:
                break
            parts.append((number, bytes(self._buffer[begin:end])))
            place = end
        del self._buffer[:place]
        return parts

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._file.close()
