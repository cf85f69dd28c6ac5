"""What is inside the programs: BoringSSL stays hidden, and the hardening flags took effect."""

import re
import subprocess
import unittest

import project

PROGRAMS = ("waxwingd", "waxwing", "waxwing-signer")


def tool(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Executables(unittest.TestCase):
    """Looks at the programs of one build folder: WAXWING_BUILD, default build/release."""

    def programs(self):
        for name in PROGRAMS:
            path = project.build_folder() / name
            self.assertTrue(path.is_file(), f"{path} is not built")
            yield str(path)

    def test_no_symbol_of_boringssl_can_be_seen_from_outside(self):
        for program in self.programs():
            visible = [line for line in tool("nm", "-D", "--defined-only", program).splitlines()
                       if re.search(r" (SSL|EVP|X509|BIO|RSA|EC|CRYPTO|ERR|OPENSSL)_", line)]
            self.assertEqual(visible, [])

    def test_boringssl_is_linked_and_not_openssl(self):
        for program in self.programs():
            needed = re.findall(r"\(NEEDED\).*\[(.*)\]", tool("readelf", "-d", program))
            self.assertEqual([name for name in needed if name.startswith(("libssl.", "libcrypto."))], [])

    def test_programs_are_position_independent(self):
        for program in self.programs():
            self.assertRegex(tool("readelf", "-h", program), r"Type:\s+DYN")
            self.assertIn("PIE", tool("readelf", "-d", program))

    def test_relocations_are_read_only_after_start(self):
        for program in self.programs():
            self.assertIn("GNU_RELRO", tool("readelf", "-lW", program))
            self.assertRegex(tool("readelf", "-d", program), r"BIND_NOW|\bNOW\b")

    def test_no_memory_is_writable_and_executable(self):
        for program in self.programs():
            headers = tool("readelf", "-lW", program)
            stack = next(line for line in headers.splitlines() if "GNU_STACK" in line)
            self.assertNotIn("E", stack.split()[-2])
            self.assertEqual([line for line in headers.splitlines() if "LOAD" in line and "RWE" in line], [])

    def test_no_search_path_for_libraries_is_built_in(self):
        for program in self.programs():
            self.assertNotRegex(tool("readelf", "-d", program), r"\((RPATH|RUNPATH)\)")

    def test_the_stack_protector_and_checked_string_functions_are_used(self):
        for program in self.programs():
            undefined = tool("nm", "-D", "--undefined-only", program)
            self.assertIn("__stack_chk_fail", undefined)
            self.assertRegex(undefined, r"__\w+_chk")


if __name__ == "__main__":
    unittest.main()
