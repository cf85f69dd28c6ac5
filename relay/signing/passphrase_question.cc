#include "relay/signing/passphrase_question.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "keys/sealing_secret.h"
#include "relay/signing/hidden_typing.h"

namespace waxwing {
namespace {

/// The terminal of this process.
class Terminal {
 public:
  Terminal() : descriptor_(::open("/dev/tty", O_RDWR | O_CLOEXEC)) {}
  ~Terminal() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }

  void say(std::string_view text) const { (void)!::write(descriptor_, text.data(), text.size()); }

  // A line without its end, as a terminal hands it over.
  [[nodiscard]] Result<Secret> read_line() const {
    Secret line = Secret::zeros(kMaxSealingSecretOctets);
    ssize_t size = -1;
    do size = ::read(descriptor_, line.writable(), line.size());
    while (size < 0 && errno == EINTR);
    say("\n");
    if (size <= 1) return fail(ErrorKind::Malformed, "the passphrase is empty");
    const std::string_view typed = line.reveal().substr(0, static_cast<std::size_t>(size));
    if (!typed.ends_with('\n')) return fail(ErrorKind::Malformed, "the passphrase is too long");
    return Secret(typed.substr(0, typed.size() - 1));
  }

 private:
  int descriptor_;
};

}  // namespace

Result<Secret> ask_for_passphrase() {
  const Terminal terminal;
  const HiddenTyping hidden(terminal.descriptor());
  if (!hidden.is_hidden()) return fail(ErrorKind::NotFound, "there is no terminal to ask for the passphrase");
  terminal.say("Passphrase of the signing keys: ");
  auto first = terminal.read_line();
  if (!first) return first;
  terminal.say("Again: ");
  const auto second = terminal.read_line();
  if (second && second->reveal() == first->reveal()) return first;
  return fail(ErrorKind::Malformed, "the two passphrases are not the same; nothing was changed, try again");
}

}  // namespace waxwing
