#include "tests/bench/ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace waxwing::bench {
namespace {

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "the ledger cannot be %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

}  // namespace

Ledger::Ledger(const std::string& file) {
  if (file.empty()) return;
  descriptor_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0) give_up("opened");
}

Ledger::~Ledger() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Ledger::add(std::string_view message_id) {
  if (descriptor_ < 0) return;
  const std::string line = std::string(message_id) + '\n';
  // One write of a short line to a file opened for appending is whole or not there.
  if (::write(descriptor_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) give_up("written");
}

}  // namespace waxwing::bench
