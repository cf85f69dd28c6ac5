"""Child processes of tests: started with a log file, waited for with a limit, stopped by the id that was started."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time


class StartError(Exception):
    """A process did not come up; the text has the end of its log."""


def wait_until(condition, timeout_s, what, interval_s=0.02):
    """Calls `condition` until it returns something true, which is returned; AssertionError naming `what` after the limit."""
    end = time.monotonic() + timeout_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {timeout_s} s")
        time.sleep(interval_s)


def accepts_connections(address, port):
    """Whether somebody listens on a TCP port."""
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False


class Process:
    """One child with its output in a file."""

    def __init__(self, name, command, folder, environment=None, pass_descriptors=()):
        self.name = name
        self.log_file = pathlib.Path(folder) / f"{name}.log"
        self._log = open(self.log_file, "ab")
        self.child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, env=environment, cwd=folder,
            pass_fds=pass_descriptors, start_new_session=True)

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        return self.child.poll() is None

    def log(self):
        return self.log_file.read_text(errors="replace")

    def wait_ready(self, ready, timeout_s=20):
        """Waits until `ready()` is true; StartError when the process ends or the limit passes before."""
        end = time.monotonic() + timeout_s
        while not ready():
            if not self.running():
                raise StartError(f"{self.name} ended with {self.child.returncode}:\n{self.log()[-4000:]}")
            if time.monotonic() > end:
                self.stop()
                raise StartError(f"{self.name} was not ready within {timeout_s} s:\n{self.log()[-4000:]}")
            time.sleep(0.02)
        return self

    def stop(self, timeout_s=30):
        """SIGTERM, and after the limit SIGKILL. Returns the exit code, None if it had to be killed."""
        try:
            if self.running():
                self.child.terminate()
                try:
                    return self.child.wait(timeout_s)
                except subprocess.TimeoutExpired:
                    self.kill()
                    return None
            return self.child.returncode
        finally:
            self._log.close()

    def kill(self):
        """SIGKILL, as a crash or a power cut would end it."""
        if self.running():
            self.child.kill()
        self.child.wait()
        self._log.close()


def scratch_folder(name):
    """A new folder that other users may enter (Postfix drops privileges), outside the checkout, which they may not."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"waxwing-{name}-"))
    os.chmod(folder, 0o755)
    return folder


def remove_folder(folder):
    """Removes what scratch_folder() made, unless WAXWING_KEEP is set to look at it afterwards."""
    if os.environ.get("WAXWING_KEEP"):
        print(f"kept: {folder}")
        return
    shutil.rmtree(folder, ignore_errors=True)
