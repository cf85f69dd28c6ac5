#include "relay/signing/hidden_typing.h"

namespace waxwing {

HiddenTyping::HiddenTyping(int descriptor) : descriptor_(descriptor) {
  if (::tcgetattr(descriptor_, &shown_) != 0) return;
  termios hidden = shown_;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  is_hidden_ = ::tcsetattr(descriptor_, TCSAFLUSH, &hidden) == 0;
}

HiddenTyping::~HiddenTyping() {
  if (is_hidden_) ::tcsetattr(descriptor_, TCSAFLUSH, &shown_);
}

}  // namespace waxwing
