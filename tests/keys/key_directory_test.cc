#include "keys/key_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "tests/keys/pem_samples.h"
#include "tests/keys/rfc8463_keys.h"

namespace waxwing {
namespace {

namespace fs = std::filesystem;

/// A state folder that is removed at the end, with `keys/sender.example/2026a.pem` in it.
class KeyDirectoryTest {
 public:
  KeyDirectoryTest() {
    std::string pattern = (fs::temp_directory_path() / "waxwing-keys-XXXXXX").string();
    state_ = ::mkdtemp(pattern.data());
    root_ = state_ + "/keys";
    domain_ = root_ + "/sender.example";
    file_ = domain_ + "/2026a.pem";
  }
  ~KeyDirectoryTest() {
    std::error_code ignored;
    fs::remove_all(state_, ignored);
  }
  KeyDirectoryTest(const KeyDirectoryTest&) = delete;
  KeyDirectoryTest& operator=(const KeyDirectoryTest&) = delete;

 protected:
  void add_key(const std::string& domain = "sender.example", const std::string& selector = "2026a") {
    KeyDirectory keys(root_);
    REQUIRE(keys.add(DomainName::parse(domain).value(), selector, key_, created_));
  }

  Error load_error(uid_t owner = ::geteuid()) {
    KeyDirectory keys(root_, owner);
    auto loaded = keys.load_all();
    REQUIRE_FALSE(loaded);
    return loaded.error();
  }

  /// Every refusal names the path and what to do about it.
  void check_denied(const std::string& path, const std::string& remedy, uid_t owner = ::geteuid()) {
    const Error error = load_error(owner);
    CAPTURE(error.detail);
    CHECK(error.kind == ErrorKind::Denied);
    CHECK(error.detail.find("'" + path + "'") != std::string::npos);
    CHECK(error.detail.find(remedy) != std::string::npos);
  }

  static mode_t mode_of(const std::string& path) {
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status.st_mode & 07777U;
  }

  std::string state_, root_, domain_, file_;
  SigningKey key_ = SigningKey::from_pem(test::kRfc8463Ed25519).value();
  WallTime created_{std::chrono::milliseconds(1'790'000'000'123)};
};

using T = KeyDirectoryTest;

TEST_CASE_METHOD(T, "a key that was added is loaded with its names and time", "[key_directory]") {
  add_key();
  KeyDirectory keys(root_);
  const auto loaded = keys.load_all();
  REQUIRE(loaded);
  REQUIRE(loaded->size() == 1);
  CHECK(loaded->front().domain.str() == "sender.example");
  CHECK(loaded->front().selector == "2026a");
  CHECK(loaded->front().key->public_key() == key_.public_key());
  CHECK(loaded->front().created == created_);
}

TEST_CASE_METHOD(T, "files are made with mode 0600 and folders with 0700 under any umask", "[key_directory]") {
  const mode_t before = ::umask(0);
  add_key();
  ::umask(before);
  CHECK(mode_of(root_) == 0700);
  CHECK(mode_of(domain_) == 0700);
  CHECK(mode_of(file_) == 0600);
}

TEST_CASE_METHOD(T, "keys come in order of domain and selector", "[key_directory]") {
  add_key("b.example", "a");
  add_key("b.example", "a-b");
  add_key("a.example", "z");
  KeyDirectory keys(root_);
  const auto loaded = keys.load_all().value();
  REQUIRE(loaded.size() == 3);
  CHECK(loaded[0].domain.str() == "a.example");
  CHECK(loaded[1].selector == "a");
  CHECK(loaded[2].selector == "a-b");
}

TEST_CASE_METHOD(T, "a key is never replaced, and nothing is left of the attempt", "[key_directory]") {
  add_key();
  KeyDirectory keys(root_);
  const auto other = SigningKey::generate(DkimKeyType::Ed25519).value();
  const auto added = keys.add(DomainName::parse("sender.example").value(), "2026a", other, created_);
  REQUIRE_FALSE(added);
  CHECK(added.error().kind == ErrorKind::Conflict);
  CHECK(keys.load_all().value().front().key->public_key() == key_.public_key());
  CHECK(std::distance(fs::directory_iterator(domain_), fs::directory_iterator()) == 1);
}

TEST_CASE_METHOD(T, "without the folder there are no keys", "[key_directory]") {
  KeyDirectory keys(root_);
  CHECK(keys.load_all().value().empty());
}

TEST_CASE_METHOD(T, "files that are no keys are left alone", "[key_directory]") {
  add_key();
  std::ofstream(domain_ + "/2026a.txt") << "v=DKIM1; p=";
  std::ofstream(domain_ + "/.2026a.pem.0a1b2c3d") << "cut off by a power failure";
  KeyDirectory keys(root_);
  CHECK(keys.load_all().value().size() == 1);
}

TEST_CASE_METHOD(T, "a key file open to anybody else is refused", "[key_directory]") {
  add_key();
  const mode_t mode = GENERATE(0644U, 0640U, 0604U, 0620U, 0602U, 0610U, 0601U, 0666U);
  REQUIRE(::chmod(file_.c_str(), mode) == 0);
  check_denied(file_, "chmod 600 " + file_);
}

TEST_CASE_METHOD(T, "a key file stricter than needed is loaded", "[key_directory]") {
  add_key();
  REQUIRE(::chmod(file_.c_str(), 0400) == 0);
  KeyDirectory keys(root_);
  CHECK(keys.load_all());
}

TEST_CASE_METHOD(T, "a folder that others may write to is refused", "[key_directory]") {
  add_key();
  const std::string folder = std::array{root_, domain_}[GENERATE(range(0U, 2U))];
  const mode_t mode = GENERATE(0770U, 0720U, 0702U, 0777U, 01777U);
  REQUIRE(::chmod(folder.c_str(), mode) == 0);
  check_denied(folder, "chmod 700 " + folder);
}

TEST_CASE_METHOD(T, "a folder above that others may write to is refused unless it is sticky", "[key_directory]") {
  add_key();
  REQUIRE(::chmod(state_.c_str(), 0777) == 0);
  check_denied(state_, "chmod go-w " + state_);
  REQUIRE(::chmod(state_.c_str(), 01777) == 0);
  KeyDirectory keys(root_);
  CHECK(keys.load_all());
}

TEST_CASE_METHOD(T, "nothing is added to a folder that is not safe", "[key_directory]") {
  add_key();
  REQUIRE(::chmod(root_.c_str(), 0777) == 0);
  KeyDirectory keys(root_);
  const auto added = keys.add(DomainName::parse("other.example").value(), "a", key_, created_);
  REQUIRE_FALSE(added);
  CHECK(added.error().kind == ErrorKind::Denied);
  CHECK_FALSE(fs::exists(root_ + "/other.example"));
}

TEST_CASE_METHOD(T, "symbolic links are refused as file, as domain folder and as root", "[key_directory]") {
  add_key();
  const std::string path = std::array{file_, domain_, root_}[GENERATE(range(0U, 3U))];
  const std::string moved = state_ + "/moved";
  fs::rename(path, moved);
  fs::create_symlink(moved, path);
  check_denied(path, "symbolic link");
}

TEST_CASE_METHOD(T, "what is neither file nor folder is refused without waiting", "[key_directory]") {
  add_key();
  fs::remove(file_);
  REQUIRE(::mkfifo(file_.c_str(), 0600) == 0);
  check_denied(file_, "not a plain file");
}

TEST_CASE_METHOD(T, "files and folders of another user are refused", "[key_directory]") {
  if (::geteuid() != 0) {
    WARN("not run as root: files cannot be given to another user, so the owner that is expected is changed instead");
    add_key();
    const Error error = load_error(::geteuid() + 1);
    CHECK(error.kind == ErrorKind::Denied);
    return;
  }
  add_key();
  const std::string path = std::array{file_, domain_, root_, state_}[GENERATE(range(0U, 4U))];
  constexpr uid_t kStranger = 4'242;
  REQUIRE(::chown(path.c_str(), kStranger, static_cast<gid_t>(-1)) == 0);
  check_denied(path, "uid 4242");
  KeyDirectory of_stranger(root_, kStranger);
  CHECK(of_stranger.load_all());
}

TEST_CASE_METHOD(T, "what root makes for a service belongs to that service", "[key_directory]") {
  if (::geteuid() != 0) {
    WARN("not run as root: skipped, since only root can give files away");
    return;
  }
  constexpr uid_t kService = 4'242;
  KeyDirectory keys(root_, kService);
  REQUIRE(keys.add(DomainName::parse("sender.example").value(), "2026a", key_, created_));
  for (const std::string& path : {root_, domain_, file_}) {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK(status.st_uid == kService);
  }
}

TEST_CASE_METHOD(T, "whoever watches the folder sees that a key was added, also to a domain that has one",
                 "[key_directory]") {
  KeyDirectory keys(root_);
  CHECK(keys.last_change() == WallTime{});
  const auto domain = DomainName::parse("sender.example").value();
  REQUIRE(keys.add(domain, "2026a", key_, created_));
  CHECK(keys.last_change() > WallTime{});
  fs::last_write_time(root_, fs::file_time_type{});
  const WallTime before = keys.last_change();
  REQUIRE(keys.add(domain, "2026b", key_, created_));
  CHECK(keys.last_change() != before);
}

TEST_CASE_METHOD(T, "a file that is no key is refused by its path", "[key_directory]") {
  add_key();
  const auto [content, kind] = GENERATE(table<std::string, ErrorKind>({
      {"", ErrorKind::Malformed},
      {"garbage", ErrorKind::Malformed},
      {std::string(test::kRsa1024Public), ErrorKind::Malformed},
      {std::string(test::kRsa1024EncryptedPkcs8), ErrorKind::Malformed},
      {std::string(test::kRsa512), ErrorKind::Denied},
      {std::string(kMaxPemOctets + 1, 'x'), ErrorKind::Malformed},
  }));
  std::ofstream(file_, std::ios::trunc) << content;
  const Error error = load_error();
  CAPTURE(error.detail);
  CHECK(error.kind == kind);
  CHECK(error.detail.find(file_) != std::string::npos);
}

TEST_CASE_METHOD(T, "names that are no domain or selector are refused by their path", "[key_directory]") {
  add_key();
  SECTION("a folder") {
    const std::string name = GENERATE(as<std::string>(), "Sender2.example", "lost+found", "bücher.example");
    fs::create_directory(root_ + "/" + name);
    CHECK(load_error().detail.find(root_ + "/" + name) != std::string::npos);
  }
  SECTION("a file among the domains") {
    std::ofstream(root_ + "/readme.example") << "x";
    CHECK(load_error().detail.find(root_ + "/readme.example") != std::string::npos);
  }
  SECTION("a key file") {
    const std::string name = GENERATE(as<std::string>(), "2026A.pem", "a_b.pem", "a..pem");
    fs::copy_file(file_, domain_ + "/" + name);
    REQUIRE(::chmod((domain_ + "/" + name).c_str(), 0600) == 0);
    CHECK(load_error().detail.find(domain_ + "/" + name) != std::string::npos);
  }
}

TEST_CASE_METHOD(T, "a selector that is none adds nothing", "[key_directory]") {
  KeyDirectory keys(root_);
  const std::string selector = GENERATE(as<std::string>(), "", "../a", "a/b", ".", "a_b");
  const auto added = keys.add(DomainName::parse("sender.example").value(), selector, key_, created_);
  REQUIRE_FALSE(added);
  CHECK(added.error().kind == ErrorKind::Malformed);
  CHECK_FALSE(fs::exists(root_));
}

TEST_CASE_METHOD(T, "a missing parent and a relative path are named", "[key_directory]") {
  KeyDirectory missing(state_ + "/missing/keys");
  CHECK(missing.add(DomainName::parse("sender.example").value(), "a", key_, created_).error().kind ==
        ErrorKind::NotFound);
  KeyDirectory relative("keys");
  CHECK(relative.load_all().error().kind == ErrorKind::Malformed);
  KeyDirectory slash(state_ + "/");
  CHECK(slash.load_all().error().kind == ErrorKind::Malformed);
}

std::shared_ptr<KeySealing> sealing(std::string_view secret) {
  return std::make_shared<KeySealing>(SealingSecretKind::Key, Secret(secret));
}

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";
constexpr std::string_view kNewSecret = "fedcba9876543210fedcba9876543210";

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST_CASE_METHOD(T, "a store with a secret seals what is added, and reads plain keys beside it", "[key_directory]") {
  add_key("sender.example", "plain");
  KeyDirectory keys(root_, ::geteuid(), sealing(kSecret));
  REQUIRE(keys.add(DomainName::parse("sender.example").value(), "2026a", key_, created_));
  CHECK(looks_sealed(content_of(file_)));
  CHECK(mode_of(file_) == 0600);
  const auto loaded = keys.load_all();
  REQUIRE(loaded);
  REQUIRE(loaded->size() == 2);
  CHECK(loaded->at(0).key->public_key() == key_.public_key());
  CHECK(loaded->at(0).created == created_);
  CHECK(load_error().kind == ErrorKind::Denied);
  CHECK(load_error().detail.find("keys.sealing") != std::string::npos);
}

TEST_CASE_METHOD(T, "a sealed key that was moved to another selector is refused", "[key_directory]") {
  KeyDirectory keys(root_, ::geteuid(), sealing(kSecret));
  REQUIRE(keys.add(DomainName::parse("sender.example").value(), "2026a", key_, created_));
  fs::rename(file_, domain_ + "/2026b.pem");
  const auto loaded = keys.load_all();
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().kind == ErrorKind::Corrupt);
  CHECK(loaded.error().detail.find(domain_ + "/2026b.pem") != std::string::npos);
}

TEST_CASE_METHOD(T, "all keys are sealed, and sealed anew under another secret", "[key_directory]") {
  add_key();
  add_key("other.example");
  KeyDirectory keys(root_);
  CHECK(keys.seal_all(sealing(kSecret), nullptr).value() == 2);
  CHECK(looks_sealed(content_of(file_)));
  CHECK(mode_of(file_) == 0600);
  CHECK(keys.load_all().value().at(1).created == created_);
  CHECK(keys.seal_all(sealing(kSecret), nullptr).value() == 0);

  // A crash may have left one of them under the former secret.
  const auto former = sealing(kSecret);
  CHECK(keys.seal_all(sealing(kNewSecret), former.get()).value() == 2);
  const std::string sealed = content_of(file_);
  CHECK(keys.seal_all(sealing(kNewSecret), former.get()).value() == 0);
  CHECK(content_of(file_) == sealed);
  CHECK(KeyDirectory(root_, ::geteuid(), sealing(kNewSecret)).load_all().value().size() == 2);
  CHECK(KeyDirectory(root_, ::geteuid(), former).load_all().error().kind == ErrorKind::Denied);
}

TEST_CASE_METHOD(T, "nothing is sealed unless every key can be opened", "[key_directory]") {
  add_key();
  add_key("other.example");
  const std::string other = root_ + "/other.example/2026a.pem";
  std::ofstream(other, std::ios::trunc) << "garbage";
  const std::string before = content_of(file_);
  const auto sealed = KeyDirectory(root_).seal_all(sealing(kSecret), nullptr);
  REQUIRE_FALSE(sealed);
  CHECK(sealed.error().detail.find(other) != std::string::npos);
  CHECK(content_of(file_) == before);
}

}  // namespace
}  // namespace waxwing
