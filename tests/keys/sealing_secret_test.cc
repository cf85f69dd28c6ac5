#include "keys/sealing_secret.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace waxwing {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kText = "0123456789abcdef0123456789abcdef\n";

/// A folder of mode 0700 with a credential of mode 0400 in it.
class SealingSecretTest {
 public:
  SealingSecretTest() {
    std::string pattern = (fs::temp_directory_path() / "waxwing-secret-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    file_ = folder_ + "/" + kSealingCredential;
    std::ofstream(file_) << kText;
    REQUIRE(::chmod(file_.c_str(), 0400) == 0);
  }
  ~SealingSecretTest() {
    ::unsetenv("CREDENTIALS_DIRECTORY");
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  SealingSecretTest(const SealingSecretTest&) = delete;
  SealingSecretTest& operator=(const SealingSecretTest&) = delete;

 protected:
  std::string folder_, file_;
};

using T = SealingSecretTest;

TEST_CASE_METHOD(T, "the secret comes from a file, or else from the credential of the service", "[sealing_secret]") {
  const std::string_view expected = kText.substr(0, kText.size() - 1);
  CHECK(load_sealing_secret(SealingSecretKind::Key, file_).value().reveal() == expected);
  ::setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1);
  CHECK(load_sealing_secret(SealingSecretKind::Key, "").value().reveal() == expected);
}

TEST_CASE_METHOD(T, "without file and credential it is said how to pass one", "[sealing_secret]") {
  const auto none = load_sealing_secret(SealingSecretKind::Key, "");
  REQUIRE_FALSE(none);
  CHECK(none.error().kind == ErrorKind::NotFound);
  CHECK(none.error().detail.find("keys.sealing_file") != std::string::npos);
  ::setenv("CREDENTIALS_DIRECTORY", "/nonexistent", 1);
  CHECK(load_sealing_secret(SealingSecretKind::Key, "").error().detail.find("LoadCredentialEncrypted=") !=
        std::string::npos);
}

TEST_CASE_METHOD(T, "a secret that others can read is refused", "[sealing_secret]") {
  REQUIRE(::chmod(file_.c_str(), 0404) == 0);
  CHECK(load_sealing_secret(SealingSecretKind::Key, file_).error().kind == ErrorKind::Denied);
  ::setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1);
  CHECK(load_sealing_secret(SealingSecretKind::Key, "").error().kind == ErrorKind::Denied);
  // The service manager's access control list shows as a right of the group.
  REQUIRE(::chmod(file_.c_str(), 0440) == 0);
  CHECK(load_sealing_secret(SealingSecretKind::Key, ""));
  CHECK(load_sealing_secret(SealingSecretKind::Key, file_).error().kind == ErrorKind::Denied);
}

TEST_CASE_METHOD(T, "a symbolic link, a short secret and a relative path are refused by their path",
                 "[sealing_secret]") {
  const std::string link = folder_ + "/link";
  fs::create_symlink(file_, link);
  CHECK(load_sealing_secret(SealingSecretKind::Key, link).error().detail.find(link) != std::string::npos);
  const std::string brief = folder_ + "/short";
  std::ofstream(brief) << "hunter2";
  REQUIRE(::chmod(brief.c_str(), 0600) == 0);
  const auto refused = load_sealing_secret(SealingSecretKind::Passphrase, brief);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().detail.find("'" + brief + "': the passphrase has 7 octets") != std::string::npos);
  CHECK(load_sealing_secret(SealingSecretKind::Key, "secret").error().kind == ErrorKind::Malformed);
}

}  // namespace
}  // namespace waxwing
