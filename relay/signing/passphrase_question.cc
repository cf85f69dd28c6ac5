#include "relay/signing/passphrase_question.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "keys/sealing_secret.h"

namespace waxwing {
namespace {

/// The terminal of this process, which does not show what is typed while this lives.
class HiddenTerminal {
 public:
  HiddenTerminal() : descriptor_(::open("/dev/tty", O_RDWR | O_CLOEXEC)) {
    if (descriptor_ < 0 || ::tcgetattr(descriptor_, &shown_) != 0) return;
    termios hidden = shown_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    is_hidden_ = ::tcsetattr(descriptor_, TCSAFLUSH, &hidden) == 0;
  }
  ~HiddenTerminal() {
    if (is_hidden_) ::tcsetattr(descriptor_, TCSAFLUSH, &shown_);
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  HiddenTerminal(const HiddenTerminal&) = delete;
  HiddenTerminal& operator=(const HiddenTerminal&) = delete;

  [[nodiscard]] bool is_hidden() const { return is_hidden_; }

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
  termios shown_{};
  bool is_hidden_ = false;
};

}  // namespace

Result<Secret> ask_for_passphrase() {
  const HiddenTerminal terminal;
  if (!terminal.is_hidden()) return fail(ErrorKind::NotFound, "there is no terminal to ask for the passphrase");
  terminal.say("Passphrase of the signing keys: ");
  auto first = terminal.read_line();
  if (!first) return first;
  terminal.say("Again: ");
  const auto second = terminal.read_line();
  if (second && second->reveal() == first->reveal()) return first;
  return fail(ErrorKind::Malformed, "the two passphrases are not the same; nothing was changed, try again");
}

}  // namespace waxwing
