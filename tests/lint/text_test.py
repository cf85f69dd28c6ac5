"""Formatting, citations and links."""

import re
import shutil
import subprocess
import unittest

import project

# `RFC 6376 §3.4.2`, and `RFC 5321` alone; several sections are written out: `RFC 7208 §4, §5`.
CITATION = re.compile(r"RFC[ \t]*-?\d+")
GOOD_CITATION = re.compile(r"RFC [1-9]\d{1,4}(?!\d)(?! ?(section|sec\.|Section|chapter|, ?section)\b)(?!,? (?:§ |§§))(?!§)")


class Text(unittest.TestCase):
    def test_sources_are_formatted(self):
        if not shutil.which("clang-format"):
            self.skipTest("clang-format is not installed")
        sources = [str(path) for path in project.files(".h", ".cc", below=(*project.SOURCE_FOLDERS, "tests"))]
        answer = subprocess.run(["clang-format", "--dry-run", "-Werror", *sources], cwd=project.ROOT, capture_output=True, text=True)
        wrong = sorted({line.split(":")[0] for line in answer.stderr.splitlines() if "error:" in line})
        self.assertEqual(wrong, [], "run 'clang-format -i' over these files")

    def test_citations_have_one_spelling(self):
        for path in project.files(".h", ".cc", below=(*project.SOURCE_FOLDERS, "tests")):
            for number, line in enumerate(project.read(path).splitlines(), 1):
                for citation in CITATION.finditer(line):
                    with self.subTest(place=f"{path}:{number}", text=line.strip()):
                        self.assertTrue(GOOD_CITATION.match(line, citation.start()), "write it as `RFC 6376 §3.4.2`")

    def test_links_of_readmes_lead_somewhere(self):
        for path in project.tracked_files():
            if path.suffix != ".md":
                continue
            prose = re.sub(r"(?m)^    .*$", "", project.read(path))  # an indented line is code
            for target in re.findall(r"\]\(([^)\s]+)\)", prose):
                if re.match(r"[a-z]+:", target) or target.startswith("#"):
                    continue
                with self.subTest(file=str(path), link=target):
                    self.assertTrue((project.ROOT / path.parent / target.split("#")[0]).exists())

    def test_every_folder_has_a_readme(self):
        for folder in project.SOURCE_FOLDERS:
            with self.subTest(folder=folder):
                self.assertTrue((project.ROOT / folder / "README.md").is_file())

    def test_scripts_can_be_run(self):
        for path in project.tracked_files():
            if (project.ROOT / path).read_bytes()[:2] == b"#!":
                with self.subTest(file=str(path)):
                    self.assertTrue((project.ROOT / path).stat().st_mode & 0o100, "has #! but is not executable")


if __name__ == "__main__":
    unittest.main()
