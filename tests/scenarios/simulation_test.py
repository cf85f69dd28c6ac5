"""The queue in simulated time: what was promised is kept in every history, and a disk that lies is found out."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

BUILD = pathlib.Path(os.environ.get("WAXWING_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build" / "release"))
SEEDS = int(os.environ.get("WAXWING_SEEDS", "2000"))
CORES = max(os.cpu_count() or 1, 1)


def histories(first, seeds, *options):
    return subprocess.Popen([BUILD / "queue_simulation", "--first", str(first), "--seeds", str(seeds), *options],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


class Simulation(unittest.TestCase):
    def test_promises_are_kept_in_every_history(self):
        """A failure names the seed that shows it again."""
        share = -(-SEEDS // CORES)
        running = [histories(1 + part * share, share) for part in range(CORES)]
        outputs = [process.communicate(timeout=800)[0] for process in running]
        print(*(output.splitlines()[-1] for output in outputs), sep="\n", file=sys.stderr)
        for process, output in zip(running, outputs):
            self.assertEqual(process.returncode, 0, output[-4000:])

    def test_each_kind_of_trouble_occurs(self):
        output = histories(1, 100).communicate(timeout=300)[0]
        counts = [int(number) for number in re.findall(r"\d+", output.splitlines()[-1])]
        self.assertEqual(len(counts), 8, output)
        self.assertTrue(all(count > 0 for count in counts[:-1]), output)

    def test_a_disk_that_keeps_nothing_is_found_out(self):
        process = histories(1, 20, "--lying-disk")
        output = process.communicate(timeout=300)[0]
        self.assertEqual(process.returncode, 1, output)
        self.assertIn("broken promises; see it again with", output)

    def test_a_seed_tells_the_same_history_every_time(self):
        once, again = (histories(7, 3, "--trace").communicate(timeout=300)[0] for _ in range(2))
        self.assertEqual(once, again)


if __name__ == "__main__":
    unittest.main()
