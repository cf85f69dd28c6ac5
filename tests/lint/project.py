"""The project's own files, as the lint tests see them."""

import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE_FOLDERS = ("policy", "keys", "signer", "transport", "relay")


def files(*suffixes, below=SOURCE_FOLDERS):
    """Files with one of the endings below some folders, in order, as paths relative to the project."""
    found = []
    for folder in below:
        for directory, subfolders, names in os.walk(ROOT / folder):
            subfolders.sort()
            found += [(pathlib.Path(directory) / name).relative_to(ROOT) for name in sorted(names) if name.endswith(suffixes)]
    return found


def tracked_files():
    """What git would put into a checkout; without git, everything that is not below build."""
    if shutil.which("git"):
        listing = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others",
                                  "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
        if listing.returncode == 0:
            return [pathlib.Path(name) for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]
    return [file.relative_to(ROOT) for file in ROOT.rglob("*")
            if file.is_file() and not str(file.relative_to(ROOT)).startswith(("build", ".git/"))]


def read(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def build_folder(preset="release"):
    """Where the programs are: WAXWING_BUILD, or the build folder of a preset."""
    return pathlib.Path(os.environ.get("WAXWING_BUILD", ROOT / "build" / preset))
