#include "keys/foreign_key_file.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "policy/base64.h"
#include "tests/keys/pem_samples.h"
#include "tests/keys/rfc8463_keys.h"

namespace waxwing {
namespace {

namespace fs = std::filesystem;

/// A file with a key in a folder that is removed at the end.
class ForeignKeyFileTest {
 public:
  ForeignKeyFileTest() {
    std::string pattern = (fs::temp_directory_path() / "waxwing-foreign-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ + "/key";
  }
  ~ForeignKeyFileTest() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  ForeignKeyFileTest(const ForeignKeyFileTest&) = delete;
  ForeignKeyFileTest& operator=(const ForeignKeyFileTest&) = delete;

 protected:
  void write(std::string_view content, mode_t mode = 0600) {
    std::ofstream(path_, std::ios::trunc) << content;
    REQUIRE(::chmod(path_.c_str(), mode) == 0);
  }
  void check_refused(ErrorKind kind, const std::string& words) {
    const auto read = read_foreign_key(path_);
    REQUIRE_FALSE(read);
    CAPTURE(read.error().detail);
    CHECK(read.error().kind == kind);
    CHECK(read.error().detail.find("'" + path_ + "'") != std::string::npos);
    CHECK(read.error().detail.find(words) != std::string::npos);
  }
  std::string folder_, path_;
};

using T = ForeignKeyFileTest;

TEST_CASE_METHOD(T, "PKCS #1, PKCS #8 and 4096 bits are read, of a file that the former program's group may read",
                 "[foreign_key_file]") {
  for (const std::string_view pem : {test::kRsa1024, test::kRsa1024Pkcs8, test::kRfc8463Ed25519}) {
    write(pem, 0640);
    CHECK(read_foreign_key(path_));
  }
  const auto large = SigningKey::generate(DkimKeyType::Rsa, 4'096).value();
  write(large.to_pem().reveal());
  CHECK(read_foreign_key(path_).value().key.size_bits() == 4'096);
}

TEST_CASE_METHOD(T, "an Ed25519 seed is read, alone and with its public half", "[foreign_key_file]") {
  const std::string seed(32, 'x');
  const std::string public_half = SigningKey::from_ed25519_seed(seed).value().public_key();
  write(encode_base64(seed) + "\n");
  CHECK(read_foreign_key(path_).value().key.public_key() == public_half);
  write(encode_base64(seed + public_half));
  CHECK(read_foreign_key(path_).value().key.public_key() == public_half);
  write(encode_base64(seed + seed));
  check_refused(ErrorKind::Malformed, "does not belong to the first");
  CHECK(SigningKey::from_ed25519_seed("short").error().kind == ErrorKind::Malformed);
}

TEST_CASE_METHOD(T, "what is no usable key is refused with its path and the likely mistake", "[foreign_key_file]") {
  const auto [content, kind, words] = GENERATE(table<std::string, ErrorKind, std::string>({
      {"", ErrorKind::Malformed, "not a PEM text"},
      {"garbage", ErrorKind::Malformed, "not a PEM text"},
      {encode_base64(std::string(33, 'x')), ErrorKind::Malformed, "not a PEM text"},
      {std::string(test::kRsa1024Public), ErrorKind::Malformed, "public key only"},
      {std::string(test::kRsa1024EncryptedPkcs1), ErrorKind::Malformed, "openssl pkey"},
      {std::string(test::kRsa1024EncryptedPkcs8), ErrorKind::Malformed, "openssl pkey"},
      {std::string(test::kRsa512), ErrorKind::Denied, "512 bits"},
      {std::string(test::kRsa1023), ErrorKind::Denied, "1023 bits"},
      {std::string(test::kRsa4104), ErrorKind::Denied, "4104 bits"},
      {std::string(test::kEcPkcs8), ErrorKind::Malformed, "elliptic curve"},
      {std::string(kMaxPemOctets + 1, 'x'), ErrorKind::Malformed, "larger than"},
  }));
  write(content);
  check_refused(kind, words);
}

TEST_CASE_METHOD(T, "a key that others can read or change is refused, and so is a link", "[foreign_key_file]") {
  const mode_t mode = GENERATE(as<mode_t>(), 0644, 0604, 0620, 0660, 0602);
  write(test::kRsa1024, mode);
  check_refused(ErrorKind::Denied, "chmod 600");
  fs::rename(path_, folder_ + "/real");
  fs::create_symlink(folder_ + "/real", path_);
  check_refused(ErrorKind::Denied, "symbolic link");
  fs::remove(path_);
  check_refused(ErrorKind::NotFound, "cannot open");
  fs::create_directory(path_);
  check_refused(ErrorKind::Denied, "plain file");
}

}  // namespace
}  // namespace waxwing
