#include "tests/bench/dns_responder.h"

#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace waxwing::bench {
namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kMaxOctets = 1'232;
constexpr std::size_t kHeaderOctets = 12;
constexpr int kSocketOctets = 4 * 1'024 * 1'024;

enum : unsigned { kA = 1, kSoa = 6, kMx = 15, kTxt = 16, kTlsa = 52 };

using Octets = std::string;

Octets u16(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

// Owner is the question's name, by a pointer.
Octets record(unsigned type, const Octets& rdata) {
  static const Octets ttl{0, 0, 1, 44};  // 300 s
  return Octets("\xc0\x0c", 2) + u16(type) + u16(1) + ttl + u16(static_cast<unsigned>(rdata.size())) + rdata;
}

Octets answer_of(unsigned type) {
  switch (type) {
    case kA:
      return record(kA, {static_cast<char>(192), 0, 2, 1});
    case kMx:
      return record(kMx, u16(10) + Octets("\x02mx\xc0\x0c", 5));
    case kTlsa:
      return record(kTlsa, Octets("\x03\x01\x01", 3) + Octets(32, 'x'));
    default:
      return {};
  }
}

// For absence: names at the root, and five numbers.
Octets soa() {
  Octets rdata(2, '\0');
  for (int number = 0; number < 5; ++number) rdata += Octets{0, 0, 1, 44};
  return record(kSoa, rdata);
}

const Octets kOpt = Octets("\0\0\x29\x04\xd0\0\0\x80\0\0\0", 11);

// The reply to one query; empty: it is none.
Octets reply_to(std::string_view query) {
  std::size_t end = kHeaderOctets;
  while (end < query.size() && query[end] != 0) end += static_cast<unsigned char>(query[end]) + 1U;
  if (end + 5 > query.size()) return {};
  const std::string_view question = query.substr(kHeaderOctets, end + 5 - kHeaderOctets);
  const unsigned type = static_cast<unsigned char>(query[end + 1]) * 256U + static_cast<unsigned char>(query[end + 2]);
  const bool root = end == kHeaderOctets;
  const Octets answer = root ? Octets() : answer_of(type);
  const unsigned rcode = type == kTxt ? 3 : 0;
  Octets reply(query.substr(0, 2));
  reply += u16(0x81a0 | rcode) + u16(1) + u16(answer.empty() ? 0 : 1) + u16(answer.empty() ? 1 : 0) + u16(1);
  reply += question;
  reply += answer.empty() ? soa() : answer;
  return reply + kOpt;
}

struct Batch {
  std::array<std::array<char, kMaxOctets>, kBatch> buffers;
  std::array<sockaddr_in, kBatch> peers{};
  std::array<iovec, kBatch> pieces{};
  std::array<mmsghdr, kBatch> messages{};
  std::vector<Octets> replies = std::vector<Octets>(kBatch);
};

[[noreturn]] void serve(int descriptor) {
  static Batch batch;
  while (true) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      batch.pieces[i] = {batch.buffers[i].data(), kMaxOctets};
      batch.messages[i].msg_hdr = {&batch.peers[i], sizeof(sockaddr_in), &batch.pieces[i], 1, nullptr, 0, 0};
    }
    const int count = recvmmsg(descriptor, batch.messages.data(), kBatch, MSG_WAITFORONE, nullptr);
    if (count <= 0) continue;
    unsigned replies = 0;
    for (int i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      batch.replies[replies] = reply_to({batch.buffers[at].data(), batch.messages[at].msg_len});
      if (batch.replies[replies].empty()) continue;
      batch.peers[replies] = batch.peers[at];
      batch.pieces[replies] = {batch.replies[replies].data(), batch.replies[replies].size()};
      batch.messages[replies].msg_hdr = {
          &batch.peers[replies], sizeof(sockaddr_in), &batch.pieces[replies], 1, nullptr, 0, 0};
      ++replies;
    }
    for (unsigned sent = 0; sent < replies;) {
      const int done = sendmmsg(descriptor, &batch.messages[sent], replies - sent, 0);
      if (done <= 0) break;
      sent += static_cast<unsigned>(done);
    }
  }
}

void must(bool good) {
  if (!good) std::abort();
}

}  // namespace

DnsResponder::DnsResponder() {
  const int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* native = reinterpret_cast<sockaddr*>(&address);
  must(descriptor >= 0 && bind(descriptor, native, length) == 0 && getsockname(descriptor, native, &length) == 0);
  for (const int option : {SO_RCVBUF, SO_SNDBUF}) {
    setsockopt(descriptor, SOL_SOCKET, option, &kSocketOctets, sizeof kSocketOctets);
  }
  port_ = ntohs(address.sin_port);
  child_ = fork();
  must(child_ >= 0);
  if (child_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    serve(descriptor);
  }
  close(descriptor);
}

DnsResponder::~DnsResponder() {
  kill(child_, SIGKILL);
  waitpid(child_, nullptr, 0);
}

double DnsResponder::cpu_ms() const {
  clockid_t clock{};
  timespec time{};
  must(clock_getcpuclockid(child_, &clock) == 0 && clock_gettime(clock, &time) == 0);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

}  // namespace waxwing::bench
