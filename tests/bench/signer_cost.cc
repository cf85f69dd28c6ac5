// Times what a signature costs more when waxwing-signer makes it than in this process: wall time of one thread that asks
// and waits, the least of several rounds, for RSA-2048 and Ed25519. Exit status 1 when the goal is missed.
//
//     signer_cost PATH_OF_WAXWING_SIGNER

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "keys/key_directory.h"
#include "relay/signing/signer_client.h"
#include "signer/body_hasher.h"
#include "signer/dkim_signer.h"

using namespace waxwing;

namespace {

namespace fs = std::filesystem;

constexpr double kMaxExtraUs = 60;
constexpr int kRounds = 15;
constexpr int kWarmUp = 50;

/// A signer process with two keys in a folder of its own.
class RunningSigner {
 public:
  explicit RunningSigner(const char* program) {
    std::string pattern = (fs::temp_directory_path() / "waxwing-bench-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    KeyDirectory keys(folder_ + "/keys");
    const auto domain = DomainName::parse("sender.example").value();
    for (const auto& [selector, type] : {std::pair("rsa", DkimKeyType::Rsa), std::pair("ed", DkimKeyType::Ed25519)})
      (void)keys.add(domain, selector, SigningKey::generate(type).value(), WallTime{});
    local = keys.load_all().value();
    std::ofstream(folder_ + "/waxwing.toml")
        << "[keys]\ndirectory = \"" << folder_ << "/keys\"\n[signer]\nsocket = \"" << folder_
        << "/socket\"\nrelay_user = \"" << ::geteuid() << "\"\nmax_signatures = 100000000\n";
    const std::string config = folder_ + "/waxwing.toml";
    child_ = ::fork();
    if (child_ == 0) {
      ::execl(program, program, "--config", config.c_str(), static_cast<char*>(nullptr));
      ::_exit(127);
    }
    RemoteKeyStore store(folder_ + "/socket");
    for (int i = 0; i < 500 && remote.empty(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (auto keys_there = store.load_all()) remote = std::move(*keys_there);
    }
  }
  ~RunningSigner() {
    ::kill(child_, SIGTERM);
    ::waitpid(child_, nullptr, 0);
    fs::remove_all(folder_);
  }
  RunningSigner(const RunningSigner&) = delete;
  RunningSigner& operator=(const RunningSigner&) = delete;

  std::vector<StoredKey> local;   ///< in order of selector, as `remote`
  std::vector<StoredKey> remote;  ///< empty: the signer did not start

 private:
  std::string folder_;
  pid_t child_ = -1;
};

std::string octets_to_sign(const StoredKey& key) {
  std::string header = "From: Ann <ann@sender.example>\r\nTo: bob@recv.example\r\nSubject: ";
  header += std::string(400, 'h') + "\r\n";  // about what a message's signed fields have
  DkimSigningOptions options;
  options.now = WallTime(Seconds(1'800'000'000));
  BodyHasher hasher(Canonicalization::Relaxed);
  return prepare_dkim_signature(parse_header_block(header).value(), hasher.finish(), key.domain, key.selector,
                                key.key->type(), options)
      .value()
      .octets_to_sign;
}

double signature_us(const Signer& key, const std::string& octets, int count) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) (void)key.sign_for("", octets).value();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count() / count;
}

nlohmann::json compare(const StoredKey& local, const StoredKey& remote) {
  const std::string octets = octets_to_sign(local);
  const int count = local.key->type() == DkimKeyType::Rsa ? 100 : 1'000;
  (void)signature_us(*remote.key, octets, kWarmUp);
  double here = 1e9;
  double there = 1e9;
  for (int i = 0; i < kRounds; ++i) {
    here = std::min(here, signature_us(*local.key, octets, count));
    there = std::min(there, signature_us(*remote.key, octets, count));
  }
  return {{"in_process_us", here}, {"signer_us", there}, {"extra_us", there - here}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: signer_cost PATH_OF_WAXWING_SIGNER\n";
    return 2;
  }
  const RunningSigner signer(argv[1]);
  if (signer.remote.size() != 2) {
    std::cerr << "the signer did not start\n";
    return 2;
  }
  const nlohmann::json ed25519 = compare(signer.local[0], signer.remote[0]);
  const nlohmann::json rsa = compare(signer.local[1], signer.remote[1]);
  std::cout << nlohmann::json{{"rsa_2048", rsa}, {"ed25519", ed25519}, {"goal_us", kMaxExtraUs}} << std::endl;
  const bool missed = rsa.at("extra_us") > kMaxExtraUs || ed25519.at("extra_us") > kMaxExtraUs;
  return missed ? 1 : 0;
}
