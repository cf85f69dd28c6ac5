#include "keys/rotation_store.h"

#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "keys/rotation_text.h"

namespace waxwing {
namespace {

constexpr WallTime kNow{Milliseconds(1'769'860'800'000)};

class Folder {
 public:
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "waxwing-rotation-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string store() const { return path_ + "/rotation"; }

 private:
  std::string path_;
};

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

DomainName domain() {
  return *DomainName::parse("sender.example");
}

RotationChange begun() {
  return adopt_keys(
      domain(), {{{"s1", DkimKeyType::Rsa, "v=DKIM1; k=rsa; p=AAAA"}, {"s1-ed25519", DkimKeyType::Ed25519, ""}}}, kNow);
}

TEST_CASE("a state comes back as it was kept, with all that was noted") {
  RotationState state = begun().state;
  state.delegation = "dkim.provider.example";
  state.sequence = 7;
  state.rotation_wanted = true;
  KeyGeneration& generation = state.generations.front();
  generation.phase = KeyPhase::Retiring;
  generation.drained = kNow;
  generation.withdrawing = kNow + Seconds(1);
  generation.ttl = Seconds(3'600);
  generation.negative_ttl = Seconds(300);
  generation.revoked = generation.reveal = true;
  const RotationFile file{state, {"a\tline", "another"}};
  const auto parsed = parse_rotation_file(format_rotation_file(file));
  REQUIRE(parsed);
  CHECK(parsed->state == state);
  CHECK(parsed->entries == file.entries);
}

TEST_CASE("a state file that is cut, longer or altered is refused, not guessed at") {
  const std::string good = format_rotation_file({begun().state, {"entry"}});
  REQUIRE(parse_rotation_file(good));
  for (std::size_t size = 0; size < good.size(); ++size) CHECK_FALSE(parse_rotation_file(good.substr(0, size)));
  CHECK_FALSE(parse_rotation_file(good + "x"));
  CHECK_FALSE(parse_rotation_file(good + good));
  const std::vector<std::pair<std::string, std::string>> spoils = {{"waxwing-rotation 1", "waxwing-rotation 2"},
                                                                   {"sender.example", "SENDER.example"},
                                                                   {"active", "sleeping"},
                                                                   {"sequence 0", "sequence -1"},
                                                                   {"sequence 0", "sequence 00"},
                                                                   {"key s1 rsa", "key ../s1 rsa"},
                                                                   {" rsa ", " dsa "},
                                                                   {"wanted 0", "wanted 2"},
                                                                   {" -\nkey", " rr\nkey"},
                                                                   {"1769860800000", "17698608000000000"}};
  for (const auto& [what, with] : spoils) {
    CAPTURE(what);
    std::string bad = good;
    REQUIRE(bad.find(what) != std::string::npos);
    bad.replace(bad.find(what), what.size(), with);
    const auto parsed = parse_rotation_file(bad);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().kind == ErrorKind::Corrupt);
  }
}

TEST_CASE("a domain without a state has none, and a store without a folder neither") {
  const Folder folder;
  const RotationStore store(folder.store());
  REQUIRE(store.load(domain()));
  CHECK_FALSE(store.load(domain())->has_value());
  CHECK(store.load_all()->empty());
  CHECK(store.last_change() == WallTime{});
  CHECK(store.log(domain()).error().kind == ErrorKind::NotFound);
}

TEST_CASE("what is kept is found again, with its log of who, when and why") {
  const Folder folder;
  const RotationStore store(folder.store());
  RotationChange change = begun();
  change.transitions.front().evidence = "ns1: a\tTXT \xff\nns2: none";
  const auto kept = store.save(change, "ann", kNow);
  REQUIRE(kept);
  CHECK(kept->sequence == 1);
  CHECK(*store.load(domain()) == *kept);
  CHECK(store.load_all()->size() == 1);
  CHECK(store.last_change() > WallTime{});
  const auto log = store.log(domain());
  REQUIRE(log);
  REQUIRE(log->size() == 1);
  CHECK(log->front().who == "ann");
  CHECK(log->front().at == kNow);
  CHECK(log->front().transition == change.transitions.front());
}

TEST_CASE("of two who change the same state, the second is told to look again") {
  const Folder folder;
  const RotationStore store(folder.store());
  const auto first = store.save(begun(), "ann", kNow);
  REQUIRE(first);
  REQUIRE(store.save(request_rotation(*first, kNow), "ann", kNow));
  const auto second = store.save(request_rotation(*first, kNow), "ben", kNow);
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == ErrorKind::Conflict);
}

TEST_CASE("entries that a crash kept from the log, wholly or in part, are added by the next change") {
  const Folder folder;
  const RotationStore store(folder.store());
  const auto first = store.save(begun(), "ann", kNow);
  const std::string path = folder.store() + "/sender.example.log";
  const std::string before = read(path);
  const auto second = store.save(request_rotation(*first, kNow), "ann", kNow);
  const std::string after = read(path);
  for (std::size_t size = before.size(); size <= after.size(); ++size) {
    write(path, after.substr(0, size));  // state kept, log cut off anywhere in the new line
    REQUIRE(store.log(domain()));
    CHECK(read(path) == after);
  }
  write(path, before);
  REQUIRE(store.save(RotationChange{*second, {{"s1", KeyPhase::Active, KeyPhase::Retiring, "why", ""}}}, "ben", kNow));
  CHECK(store.log(domain())->size() == 3);
  CHECK(read(path).starts_with(after));
}

TEST_CASE("a log with a line changed or taken out is not believed") {
  const Folder folder;
  const RotationStore store(folder.store());
  RotationState state = *store.save(begun(), "ann", kNow);
  state = *store.save(request_rotation(state, kNow), "ann", kNow);
  const auto revoked = revoke_keys(state, "s1", kNow);
  REQUIRE(store.save(*revoked, "ben", kNow));
  const std::string path = folder.store() + "/sender.example.log";
  const std::string good = read(path);
  std::string changed = good;
  changed.replace(changed.find("ann"), 3, "bob");
  write(path, changed);
  CHECK(store.log(domain()).error().kind == ErrorKind::Corrupt);
  write(path, good.substr(good.find('\n') + 1));
  CHECK(store.log(domain()).error().kind == ErrorKind::Corrupt);
  const std::size_t second = good.find('\n') + 1;
  write(path, good.substr(0, second) + good.substr(good.find('\n', second) + 1));
  CHECK(store.log(domain()).error().kind == ErrorKind::Corrupt);
}

TEST_CASE("a damaged state names its file and the remedy, and what others could have written is refused") {
  const Folder folder;
  const RotationStore store(folder.store());
  REQUIRE(store.save(begun(), "ann", kNow));
  const std::string path = folder.store() + "/sender.example.state";
  const std::string good = read(path);
  write(path, good.substr(0, good.size() / 2));
  const auto loaded = store.load(domain());
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().kind == ErrorKind::Corrupt);
  CHECK_THAT(loaded.error().detail, Catch::Contains(path) && Catch::Contains("restore it from a copy"));
  write(path, good);
  ::chmod(path.c_str(), 0666);
  CHECK(store.load(domain()).error().kind == ErrorKind::Denied);
}

TEST_CASE("files are replaced and destroyed as a whole") {
  const Folder folder;
  const auto opened = PrivateFolder::open_or_make(folder.store(), ::geteuid());
  REQUIRE(opened);
  REQUIRE(opened->replace("a", "one", kNow));
  REQUIRE(opened->replace("a", "two", kNow));
  CHECK(opened->read("a", 100)->content.reveal() == "two");
  CHECK(*opened->entries() == std::vector<std::string>{"a"});
  REQUIRE(opened->destroy("a"));
  REQUIRE(opened->destroy("a"));
  CHECK(opened->entries()->empty());
  REQUIRE(opened->append_lines("b", "one\n"));
  std::ofstream(folder.store() + "/b", std::ios::app) << "cut";
  REQUIRE(opened->append_lines("b", "two\n"));
  CHECK(opened->read("b", 100)->content.reveal() == "one\ntwo\n");
}

}  // namespace
}  // namespace waxwing
