"""What a process under measurement has used, and on which machine."""

import os
import pathlib


def cpu_seconds(pid):
    """CPU time of the threads that a process has now, to the nanosecond (/proc/PID/stat counts in ticks of 10 ms)."""
    return sum(int(file.read_text().split()[0]) for file in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def memory_mib(pid, name):
    """A line of /proc/PID/status in MiB: VmRSS is the resident set, VmHWM the most that it has been."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"no {name}")


def machine():
    """Processor, cores and the load of the last minute, which a figure is worth nothing without."""
    models = [line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
              if line.startswith("model name")]
    return {"processor": models[0] if models else "unknown", "cores": os.cpu_count(), "load": os.getloadavg()[0]}
