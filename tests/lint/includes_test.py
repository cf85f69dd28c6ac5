"""policy <- keys <- signer <- relay and policy <- transport <- relay, rooms as their CMakeLists.txt say, third parties at home."""

import re
import unittest

import project

# What each folder may include, besides itself.
FOLDERS = {
    "policy": set(),
    "keys": {"policy"},
    "signer": {"policy", "keys"},
    "transport": {"policy"},
    "relay": {"policy", "keys", "signer", "transport"},
}

# Third-party headers and the only places below which they may be included.
HOMES = [
    (r"uv\.h", ["transport/io", "transport/dns"]),
    (r"getdns/.*", ["transport/dns"]),
    (r"openssl/ssl\.h", ["transport/tls"]),
    (r"openssl/(hmac|mem|rand)\.h", ["transport/tls", "transport/dns", "keys", "signer", "policy", "relay"]),
    (r"openssl/.*", ["transport/tls", "keys", "signer", "policy"]),
    (r"toml(\+\+|plusplus)?(/.*|\.h|\.hpp)", ["relay/config"]),
    (r"SQLiteCpp/.*|sqlite3\.h|libpq-fe\.h", ["relay/store"]),
    (r"crypt\.h", ["relay/store"]),
    (r"CLI/.*", ["relay/cli", "relay/waxwing.cc", "relay/waxwingd.cc", "relay/waxwing_signer.cc"]),
    (r"nlohmann/.*", ["relay"]),
    (r"idn2\.h|libpsl\.h", ["policy"]),
    (r"catch2/.*|rapidcheck.*|benchmark/.*", []),
]
# Costs seconds in every translation unit that sees it.
NEVER_IN_HEADERS = r"(fmt/.*|spdlog/.*|CLI/.*|nlohmann/json\.hpp)"

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)


def includes(path):
    return [(kind == '"', name) for kind, name in INCLUDE.findall(project.read(path))]


def rooms():
    """Libraries as the CMakeLists.txt files declare them: name -> (folder, what it links)."""
    found = {}
    for folder in project.SOURCE_FOLDERS:
        text = re.sub(r"#.*", "", project.read(f"{folder}/CMakeLists.txt"))
        for arguments in re.findall(r"waxwing_room\(([^)]*)\)", text):
            name, directory, *libraries = arguments.split()
            found[f"waxwing_{name}"] = (directory, libraries)
    found["waxwing_transport"] = (None, [name for name in found if name.startswith("waxwing_transport_")])
    return found


def reachable(name, declared):
    """Folders of a library and of everything it links, however far down."""
    seen, ahead = set(), [name]
    while ahead:
        library = ahead.pop()
        if library in declared and library not in seen:
            seen.add(library)
            ahead += declared[library][1]
    return {declared[library][0] for library in seen if declared[library][0]}


class IncludeDirection(unittest.TestCase):
    def test_no_folder_includes_a_folder_above_it(self):
        for path in project.files(".h", ".cc"):
            folder = path.parts[0]
            for ours, name in includes(path):
                if ours and name.split("/")[0] in FOLDERS:
                    with self.subTest(file=str(path), include=name):
                        self.assertIn(name.split("/")[0], FOLDERS[folder] | {folder})

    def test_our_own_includes_are_written_from_the_project_root_and_exist(self):
        for path in project.files(".h", ".cc"):
            for ours, name in includes(path):
                if ours:
                    with self.subTest(file=str(path), include=name):
                        self.assertTrue((project.ROOT / name).is_file())

    def test_a_room_includes_only_rooms_that_it_links(self):
        declared = rooms()
        by_folder = {folder: reachable(name, declared) for name, (folder, _) in declared.items() if folder}
        for path in project.files(".h", ".cc"):
            folder = str(path.parent)
            if folder not in by_folder:
                continue
            for ours, name in includes(path):
                if ours:
                    with self.subTest(file=str(path), include=name):
                        self.assertIn(name.rsplit("/", 1)[0], by_folder[folder])

    def test_third_party_headers_stay_in_their_home(self):
        for path in project.files(".h", ".cc"):
            for ours, name in includes(path):
                if ours:
                    continue
                homes = next((places for pattern, places in HOMES if re.fullmatch(pattern, name)), None)
                if homes is not None:
                    with self.subTest(file=str(path), include=name):
                        self.assertTrue(str(path).startswith(tuple(homes)), f"<{name}> belongs in {homes or 'tests'}")

    def test_heavy_headers_are_not_in_headers(self):
        for path in project.files(".h"):
            for _, name in includes(path):
                with self.subTest(file=str(path), include=name):
                    self.assertIsNone(re.fullmatch(NEVER_IN_HEADERS, name))

    def test_every_header_has_pragma_once(self):
        for path in project.files(".h"):
            with self.subTest(file=str(path)):
                self.assertIn("#pragma once\n", project.read(path))


if __name__ == "__main__":
    unittest.main()
