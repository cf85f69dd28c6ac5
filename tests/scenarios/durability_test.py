"""Acknowledged means on disk: the order of what the relay asks of the kernel, seen from outside."""

import pathlib
import re
import socket
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import scenario
import stock_clients
import syscall_trace

CONNECTIONS = 8
MESSAGES_PER_CONNECTION = 125
SPOOLED_EVERY = 25  # messages with a body of more than 64 KiB


def synced_between(calls, path, after, before):
    """Whether a sync of a file or folder began and ended successfully between two places."""
    return any(call.name in ("fsync", "fdatasync") and f"{path}>" in call.text and call.succeeded()
               and call.start > after and call.end < before for call in calls)


def faults(calls, acknowledged):
    """What is wrong with the order of calls: sentences.

    @param acknowledged  {identity in the text of a message: (queue id, whether its body is spooled)}
    """
    syncs = [call for call in calls if call.name in ("fsync", "fdatasync")]
    found = []
    for identity, (queue_id, spooled) in acknowledged.items():
        told = [call for call in calls if call.name in ("write", "writev", "sendmsg", "sendto") and "250 2.0.0" in call.text
                and queue_id in call.text]
        rows = [call for call in calls if call.name == "pwrite64" and "queue.db-wal>" in call.text and identity in call.text]
        if not told or not rows:
            found.append(f"{identity}: {len(told)} replies and {len(rows)} rows were seen")
            continue
        reply = told[0].start
        if not synced_between(syncs, "queue.db-wal", rows[0].end, reply):
            found.append(f"{identity}: the log was not synced between its row and its reply")
        if spooled:
            found += spool_faults(calls, syncs, identity, queue_id, reply)
    return found


def spool_faults(calls, syncs, identity, queue_id, reply):
    written = [call for call in calls if call.name in ("write", "pwrite64") and f"spool/{queue_id}.part>" in call.text]
    renamed = [call for call in calls if call.name.startswith("rename") and queue_id in call.text and call.succeeded()]
    if not written or not renamed:
        return [f"{identity}: {len(written)} writes and {len(renamed)} renames of its spool file were seen"]
    problems = []
    if not synced_between(syncs, f"spool/{queue_id}.part", written[-1].end, renamed[0].start):
        problems.append(f"{identity}: its spool file was not synced before it got its name")
    if not synced_between(syncs, "spool", renamed[0].end, reply):
        problems.append(f"{identity}: the spool folder was not synced before the reply")
    return problems


class Checker(unittest.TestCase):
    """The judge itself, by traces that are right and wrong."""

    RIGHT = ['1 pwrite64(7</s/queue.db-wal>, "X-Id: m1 ", 4096, 0) = 4096',
             '1 fdatasync(7</s/queue.db-wal> <unfinished ...>',
             '2 write(9<socket:[1]>, "354 go\\r\\n", 8) = 8',
             '1 <... fdatasync resumed>) = 0',
             '2 write(9<socket:[1]>, "250 2.0.0 queued as QID\\r\\n", 25) = 25']

    def judge(self, lines, spooled=False):
        return faults(syscall_trace.parse(lines), {"m1": ("QID", spooled)})

    def test_a_reply_after_the_sync_is_right(self):
        self.assertEqual(self.judge(self.RIGHT), [])

    def test_a_reply_before_the_end_of_the_sync_is_found(self):
        self.assertRegex(self.judge([*self.RIGHT[:2], self.RIGHT[4], self.RIGHT[3]])[0], "not synced")

    def test_a_sync_that_began_before_the_row_was_written_does_not_count(self):
        self.assertRegex(self.judge([self.RIGHT[1], self.RIGHT[0].replace("1 ", "2 ", 1), self.RIGHT[3], self.RIGHT[4]])[0],
                         "not synced")

    def test_a_sync_that_failed_does_not_count(self):
        self.assertRegex(self.judge([line.replace("resumed>) = 0", "resumed>) = -1 EIO") for line in self.RIGHT])[0], "not synced")

    def test_a_spool_file_must_be_synced_before_it_gets_its_name(self):
        name = '1 rename("/s/spool/QID.part", "/s/spool/QID") = 0'
        spool = ['1 write(5</s/spool/QID.part>, "body", 4) = 4', '1 fsync(5</s/spool/QID.part>) = 0', name,
                 '1 fsync(6</s/spool>) = 0']
        self.assertEqual(self.judge([*spool, *self.RIGHT], spooled=True), [])
        self.assertRegex(self.judge([spool[0], name, spool[3], *self.RIGHT], spooled=True)[0], "before it got its name")
        self.assertRegex(self.judge([*spool[:3], *self.RIGHT], spooled=True)[0], "folder")


class Durability(scenario.Scenario):
    """A thousand messages over some connections at once, every twenty-fifth with a body that is spooled."""

    def submit_all(self, number, acknowledged):
        with socket.create_connection(("127.0.0.1", 2525), timeout=120) as connection:
            replies = connection.makefile("rb")

            def say(text):
                connection.sendall(text.encode())
                while (line := replies.readline())[3:4] == b"-":
                    pass
                return line.decode()

            say("")
            say("EHLO client.example\r\n")
            say(f"AUTH PLAIN {stock_clients.plain_credentials(scenario.USER, scenario.PASSWORD)}\r\n")
            for count in range(MESSAGES_PER_CONNECTION):
                identity = f"durable-{number}-{count}-"
                spooled = count % SPOOLED_EVERY == 0
                for command in (f"MAIL FROM:<{scenario.SENDER}>", "RCPT TO:<bob@recv.example>", "DATA"):
                    say(command + "\r\n")
                head = stock_clients.message(scenario.SENDER, "bob@recv.example", X_Identity=identity)
                answer = say(head + ("A line of some octets to carry.\r\n" * (4_000 if spooled else 2)) + ".\r\n")
                self.assertTrue(answer.startswith("250 2.0.0"), answer)
                acknowledged[identity] = (re.search(r"queued as (\S+)", answer).group(1), spooled)

    def test_no_message_is_acknowledged_before_it_is_synced(self):
        acknowledged = {}
        trace = syscall_trace.SyscallTrace(self.folder, self.relay.process.pid)
        threads = [threading.Thread(target=self.submit_all, args=(number, acknowledged)) for number in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(300)
        calls = trace.stop()
        self.assertEqual(len(acknowledged), CONNECTIONS * MESSAGES_PER_CONNECTION)
        found = faults(calls, acknowledged)
        self.assertEqual(found[:5], [], f"{len(found)} faults")


if __name__ == "__main__":
    scenario.main()
