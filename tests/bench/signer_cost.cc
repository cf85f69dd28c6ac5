// Times what a signature costs more when waxwing-signer makes it than in this process: wall time of one thread that asks
// and waits, and processor time of both processes; the least of several rounds, for RSA-2048, for Ed25519, and for the pair
// that the relay asks for at once for each message. Exit status 1 when the goal is missed by a signature of the pair.
//
//     signer_cost PATH_OF_WAXWING_SIGNER

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
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

  [[nodiscard]] pid_t pid() const { return child_; }

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
  const auto fields = parse_header_block(header).value();
  return prepare_dkim_signature(choose_signed_header(fields, options).value(), hasher.finish(), key.domain,
                                key.selector, key.key->type(), options)
      .octets_to_sign;
}

/// What one signature takes, in microseconds.
struct Cost {
  double wall_us = 1e9;
  double cpu_us = 1e9;  ///< of this process and the signer together
};

double cpu_us_of(pid_t process) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

/// Takes the better of `cost` and of another round.
void measure(const std::vector<SignatureTask>& tasks, int rounds, pid_t signer, Cost& cost) {
  const auto cpu_us = [signer] { return cpu_us_of(0) + cpu_us_of(signer); };
  const double cpu_before = cpu_us();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) (void)tasks.front().key->sign_together("", tasks).value();
  const std::chrono::duration<double, std::micro> passed = std::chrono::steady_clock::now() - start;
  const auto signatures = static_cast<double>(rounds) * static_cast<double>(tasks.size());
  cost.wall_us = std::min(cost.wall_us, passed.count() / signatures);
  cost.cpu_us = std::min(cost.cpu_us, (cpu_us() - cpu_before) / signatures);
}

/// @param which  indices of the keys that sign together
nlohmann::json compare(const RunningSigner& signer, const std::vector<std::size_t>& which) {
  std::vector<std::string> octets;
  for (const std::size_t i : which) octets.push_back(octets_to_sign(signer.local.at(i)));
  std::vector<SignatureTask> local;
  std::vector<SignatureTask> remote;
  for (std::size_t i = 0; i < which.size(); ++i) {
    local.push_back({signer.local[which[i]].key.get(), octets[i]});
    remote.push_back({signer.remote[which[i]].key.get(), octets[i]});
  }
  const bool has_rsa =
      std::ranges::any_of(local, [](const SignatureTask& task) { return task.key->type() == DkimKeyType::Rsa; });
  const int rounds = has_rsa ? 100 : 1'000;
  Cost warm_up;
  measure(remote, kWarmUp, signer.pid(), warm_up);
  Cost here;
  Cost there;
  for (int i = 0; i < kRounds; ++i) {
    measure(local, rounds, signer.pid(), here);
    measure(remote, rounds, signer.pid(), there);
  }
  return {{"in_process_us", here.wall_us},
          {"signer_us", there.wall_us},
          {"extra_us", there.wall_us - here.wall_us},
          {"extra_cpu_us", there.cpu_us - here.cpu_us}};
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
  const nlohmann::json pair = compare(signer, {0, 1});
  std::cout << nlohmann::json{{"pair", pair},
                              {"rsa_2048", compare(signer, {1})},
                              {"ed25519", compare(signer, {0})},
                              {"goal_us", kMaxExtraUs}}
            << std::endl;
  return pair.at("extra_us") > kMaxExtraUs ? 1 : 0;
}
