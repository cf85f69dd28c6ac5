#include "relay/signing/signer_client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "relay/signing/signer_server.h"
#include "tests/signer/service/signing_samples.h"

namespace waxwing {
namespace {

namespace fs = std::filesystem;

/// A signer on a socket in a folder of its own, in a thread of this process.
class SignerTest {
 public:
  SignerTest() {
    std::string pattern = (fs::temp_directory_path() / "waxwing-signer-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ + "/socket";
    service_.set_keys({key_});
    start();
  }
  ~SignerTest() {
    stop();
    ::close(log_file_);
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  SignerTest(const SignerTest&) = delete;
  SignerTest& operator=(const SignerTest&) = delete;

 protected:
  void start() {
    listener_ = bind_signer_socket(path_).value();
    going_ = true;
    thread_ = std::thread([this] {
      SignerServer server(service_, log_, ::geteuid());
      pollfd waiting{listener_, POLLIN, 0};
      while (going_)
        if (::poll(&waiting, 1, 10) > 0) server.accept_from(listener_);
    });
  }
  void stop() {
    if (!going_) return;
    going_ = false;
    thread_.join();
    ::close(listener_);
    ::unlink(path_.c_str());
  }

  StoredKey key_ = test::stored_key();
  SigningService service_{{}};
  std::string folder_, path_;
  int log_file_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  EventLog log_{EventLog::Format::Text, Severity::Info, log_file_, [] { return test::kSigningTime; }};
  int listener_ = -1;
  std::atomic<bool> going_ = false;
  std::thread thread_;
};

using T = SignerTest;

TEST_CASE_METHOD(T, "keys of the signer have their public halves here, and sign there", "[signer_client]") {
  RemoteKeyStore store(path_);
  const auto keys = store.load_all().value();
  REQUIRE(keys.size() == 1);
  CHECK(keys[0].domain == key_.domain);
  CHECK(keys[0].created == key_.created);
  CHECK(keys[0].key->type() == DkimKeyType::Ed25519);
  CHECK(keys[0].key->size_bits() == 256);
  CHECK(keys[0].key->public_key() == key_.key->public_key());
  const std::string octets = test::octets_to_sign(key_);
  CHECK(keys[0].key->sign_for("", octets).value() == key_.key->sign_for("", octets).value());
  CHECK(keys[0].key->sign_for("", "from:x").error().kind == ErrorKind::Denied);
  CHECK(keys[0].key->sign_for("", std::string(kMaxOctetsToSign + 1, 'x')).error().kind == ErrorKind::Malformed);
  CHECK(store.add(key_.domain, "s2", SigningKey::generate(DkimKeyType::Ed25519).value(), {}).error().kind ==
        ErrorKind::Denied);
}

TEST_CASE_METHOD(T, "several signatures are asked for at once, also with keys that are elsewhere", "[signer_client]") {
  RemoteKeyStore store(path_);
  const auto keys = store.load_all().value();
  const std::string octets = test::octets_to_sign(key_);
  const std::string expected = key_.key->sign_for("", octets).value();
  const SignatureTask remote{keys[0].key.get(), octets};
  const SignatureTask local{key_.key.get(), octets};
  for (const std::size_t count :
       {std::size_t{1}, std::size_t{2}, SignerClient::kMaxTogether, SignerClient::kMaxTogether + 1}) {
    const std::vector<SignatureTask> tasks(count, remote);
    CHECK(keys[0].key->sign_together("", tasks).value() == std::vector<std::string>(count, expected));
  }
  const std::vector<SignatureTask> mixed{remote, local, remote};
  CHECK(keys[0].key->sign_together("", mixed).value() == std::vector<std::string>(3, expected));
  CHECK(key_.key->sign_together("", mixed).value() == std::vector<std::string>(3, expected));
  const std::vector<SignatureTask> refused{remote, {keys[0].key.get(), "from:x"}, remote};
  CHECK(keys[0].key->sign_together("", refused).error().kind == ErrorKind::Denied);
  CHECK(keys[0].key->sign_for("", octets).value() == expected);  // and the connection is in order
}

TEST_CASE_METHOD(T, "keys that change are noticed, and keys that do not change are not", "[signer_client]") {
  RemoteKeyStore store(path_);
  CHECK(store.has_changed().value());
  REQUIRE(store.load_all());
  CHECK_FALSE(store.has_changed().value());
  std::vector<StoredKey> many;
  for (std::size_t i = 0; i < 2 * kMaxListedKeys + 1; ++i)
    many.push_back({key_.domain, "s" + std::to_string(i), key_.key, key_.created});
  service_.set_keys(many);
  CHECK(store.has_changed().value());
  CHECK(store.load_all().value().size() == many.size());
}

TEST_CASE_METHOD(T, "a signer that was restarted is found again without an error", "[signer_client]") {
  RemoteKeyStore store(path_);
  const auto keys = store.load_all().value();
  const std::string octets = test::octets_to_sign(key_);
  REQUIRE(keys[0].key->sign_for("", octets));
  stop();
  const auto dead = keys[0].key->sign_for("", octets);
  REQUIRE_FALSE(dead);
  CHECK(dead.error().kind == ErrorKind::Unavailable);
  CHECK(dead.error().detail.find(path_) != std::string::npos);
  start();
  CHECK(keys[0].key->sign_for("", octets));
  stop();
  start();
  CHECK(keys[0].key->sign_for("", octets));
}

TEST_CASE_METHOD(T, "many threads sign at the same time", "[signer_client]") {
  RemoteKeyStore store(path_);
  const auto keys = store.load_all().value();
  const std::string octets = test::octets_to_sign(key_);
  const std::string expected = key_.key->sign_for("", octets).value();
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j) right += keys[0].key->sign_for("", octets).value() == expected ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == 400);
}

TEST_CASE_METHOD(T, "a second signer does not take the socket of the first", "[signer_client]") {
  CHECK(bind_signer_socket(path_).error().kind == ErrorKind::Conflict);
  stop();
  const int abandoned = bind_signer_socket(path_).value();
  ::close(abandoned);
  start();
  CHECK(RemoteKeyStore(path_).load_all());
  CHECK(bind_signer_socket(folder_ + "/missing/socket").error().kind == ErrorKind::NotFound);
  CHECK(bind_signer_socket(folder_ + "/" + std::string(120, 'x')).error().kind == ErrorKind::Malformed);
}

TEST_CASE("a peer that answers something else is no signer", "[signer_client]") {
  std::string pattern = (fs::temp_directory_path() / "waxwing-signer-XXXXXX").string();
  const std::string folder = ::mkdtemp(pattern.data());
  const int listener = bind_signer_socket(folder + "/socket").value();
  const std::string answer =
      GENERATE(as<std::string>(), "HTTP/1.1 200 OK\r\n", "", encode_answer(1, SignatureAnswer{"x"}),
               encode_answer(1, ListAnswer{7, 4'000'000'000U, {}}), encode_answer(2, ListAnswer{7, 0, {}}),
               encode_answer(0, RefusedAnswer{{ErrorKind::Malformed, "another version"}}));
  std::thread peer([listener, &answer] {
    pollfd waiting{listener, POLLIN, 0};
    (void)::poll(&waiting, 1, 10'000);
    const int connection = ::accept(listener, nullptr, nullptr);
    (void)::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
    ::close(connection);
  });
  CHECK(RemoteKeyStore(folder + "/socket").load_all().error().kind == ErrorKind::Unavailable);
  peer.join();
  ::close(listener);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace waxwing
