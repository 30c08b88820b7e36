"""What `from autograde_tests import check` finds in the sandbox: it makes the calls that the broker asks for.

It knows no case, no answer and no score, and nothing rests on its honesty: whatever takes its place can only send data.
"""

import socket

from convblocks.calling import answer
from convblocks.transfer import QUESTION, receive, send

BROKER = ""
"""Path of the broker's socket, set when the kernel starts."""


def check(name, function, points=None):
    """Make every call that the broker asks for with `function`, one connection each, and send back what comes of it."""
    while True:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(BROKER)

            def ask(question, connection=connection):
                send(connection, QUESTION + question)
                return receive(connection)

            request = receive(connection)
            if not request:
                return
            send(connection, answer(function, request, ask))
            # The broker hangs up when it has looked at the answer.
            connection.recv(1)
